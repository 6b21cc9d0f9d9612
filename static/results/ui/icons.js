import { h } from "./dom.js";

const PATHS = {
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  equal: "M5.5 9h13M5.5 15h13",
  dots: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  hourglass: "M7 4h10M7 20h10M8 4c0 5 8 6 8 8s-8 3-8 8M16 4c0 5-8 6-8 8s8 3 8 8",
  stop: "M12 7v6M12 16.6h.01M8.4 3.5h7.2l4.9 4.9v7.2l-4.9 4.9H8.4l-4.9-4.9V8.4z",
  warn: "M12 9v5M12 17h.01M12 3.8L2.8 19.8h18.4z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2",
  back: "M15 5l-7 7 7 7",
  clock: "M12 7.5V12l3 2M12 3.5a8.5 8.5 0 1 0 .01 0z",
};

export const icon = (name, size = 24) =>
  h(
    "svg",
    { class: `icon ${name}`, viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" },
    h("path", { d: PATHS[name] }),
  );

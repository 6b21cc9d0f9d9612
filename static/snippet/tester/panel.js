// The testers' panel: which variants are on show and why, what was counted and sent, and what was not.
import { shown } from "../core/state.js";
import { force, forces, hide, log, outbox, reason, seen, showing } from "./overrides.js";
import { safe } from "../core/guard.js";
import { wipe } from "../core/storage.js";
import { me, open as storage } from "../core/visitor.js";

const STYLE = `
:host { all: initial; position: fixed; right: 12px; bottom: 12px; z-index: 2147483647; color-scheme: light dark; }
section { width: min(420px, calc(100vw - 24px)); max-height: min(50vh, 640px); overflow: auto; box-sizing: border-box;
  font: 13px/1.45 system-ui, sans-serif; color: CanvasText; background: Canvas; border: 1px solid #8a97ab;
  border-radius: 10px; box-shadow: 0 8px 30px rgb(0 0 0 / .25); padding: 10px 14px; overscroll-behavior: contain; }
header { display: flex; align-items: center; gap: 8px; }
h2 { font-size: 14px; margin: 0 auto 0 0; } h3 { font-size: 13px; margin: 12px 0 2px; display: flex; gap: 8px; }
h3 select { margin-left: auto; } p { margin: 2px 0; } ol { margin: 4px 0; padding: 0; list-style: none; }
code, time { font: 12px ui-monospace, monospace; } small { opacity: .75; } time { opacity: .6; margin-right: 6px; }
button, select { font: inherit; } :focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
`;

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const experiment = ({ key, variants }) => {
  const options = ["", ...variants.map((variant) => variant.key)].map((variant) =>
    make(
      "option",
      { value: variant, selected: variant == (forces[key] || "") },
      variant ? "force " + variant : "as assigned",
    ),
  );
  const onchange = ({ target }) => {
    force(key, target.value);
    location.reload();
  };
  return make(
    "div",
    {},
    make(
      "h3",
      {},
      make("code", {}, key),
      "shows ",
      make("code", {}, shown[key]),
      make("select", { onchange, ariaLabel: key }, ...options),
    ),
    make("p", {}, reason(key)),
    make("p", {}, make("small", {}, seen(key))),
  );
};

const facts = () => [
  `You are ${me.id}.`,
  outbox() + (storage().abacus_n ? `; ${storage().abacus_n} were dropped, because more than 100 waited` : ""),
  ...(navigator.webdriver ? ["This browser says that it is automated: its events are not counted."] : []),
  ...(+storage().abacus_t
    ? [`This clock is ${storage().abacus_t} minutes behind the service's. Times of events are corrected.`]
    : []),
];

const another = () => {
  wipe();
  addEventListener("pagehide", wipe); // after our own listener, which stores the old id
  location.reload();
};

export const open = () => {
  if (!showing) return;
  const host = document.createElement("abacus-panel");
  const root = host.attachShadow({ mode: "open" });
  const style = new CSSStyleSheet();
  style.replaceSync(STYLE);
  root.adoptedStyleSheets = [style]; // a <style> would need 'unsafe-inline'
  const close = () => {
    hide();
    host.remove();
    clearInterval(timer);
  };
  let drawn;
  const draw = safe(() => {
    if (!host.isConnected) document.body?.append(host);
    const entries = log.slice(-12).map(([at, text]) => at.toLocaleTimeString() + " " + text);
    const now = JSON.stringify([
      shown,
      facts(),
      entries,
      MANIFEST.experiments.map(({ key }) => reason(key) + seen(key)),
    ]);
    if (drawn == now || root.activeElement?.tagName == "SELECT") return;
    drawn = now;
    const panel = make(
      "section",
      { ariaLabel: "ABacus on this page" },
      make(
        "header",
        {},
        make("h2", {}, "ABacus"),
        make("button", { onclick: another }, "Another visitor"),
        make("button", { onclick: close }, "Close"),
      ),
      ...facts().map((text) => make("p", {}, text)),
      ...MANIFEST.experiments.map(experiment),
      make("h3", {}, "What happened"),
      make("ol", {}, ...entries.map((text) => make("li", {}, text))),
    );
    root.replaceChildren(panel);
  });
  const timer = setInterval(draw, 400);
  draw();
};

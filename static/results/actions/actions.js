// Everything the page does when somebody does something. Elements say what in data-do.

import { axis } from "../charts/bars.js";
import { looks } from "../ui/colours.js";
import { csv, save } from "./download.js";
import { here, link } from "../data/route.js";
import { picture, text } from "./share.js";

export function listen({ data, render, route }) {
  const go = (href) => {
    history.replaceState(null, "", href);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  };

  const report = () => data.now().answer;
  const name = () => `${report().experiment}-${report().goal}-${report().as_of.slice(0, 10)}`;

  const clicks = {
    skip: () => document.querySelector("#main").focus(),
    retry: () => data.retry(),
    close: () => data.close(),
    copy: (element) => copy(element, element.dataset.text),
    share: (element) => copy(element, text(report(), location.href)),
    picture: (element) => copyPicture(element, report()),
    csv: () => save(`${name()}.csv`, "text/csv", csv(report())),
    json: () => save(`${name()}.json`, "application/json", JSON.stringify(report(), null, 1)),
    print: () => window.print(),
  };

  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-do]");
    const action = element && clicks[element.dataset.do];
    if (!action) return;
    event.preventDefault();
    action(element);
  });

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const { elements, dataset } = event.target;
    if (dataset.do === "key") data.open(elements.key.value.trim());
    if (dataset.do === "days") location.hash = here(route(), { from: elements.from.value, to: elements.to.value });
  });

  document.addEventListener("input", (event) => {
    if (event.target.dataset.do === "search") go(link("", { ...route().query, q: event.target.value }));
  });

  document.addEventListener(
    "toggle",
    (event) => {
      const { section } = event.target.dataset;
      if (!section || route().paper) return;
      const open = new Set((route().query.open ?? "").split(",").filter(Boolean));
      if (event.target.open === open.has(section)) return;
      event.target.open ? open.add(section) : open.delete(section);
      go(here(route(), { open: [...open].join(",") }));
    },
    true, // toggle does not bubble
  );

  // On paper nothing can be opened, so everything is, for as long as it takes.
  const onPaper = (paper) => {
    route().paper = paper;
    render();
  };
  window.addEventListener("beforeprint", () => onPaper(true));
  window.addEventListener("afterprint", () => onPaper(false));
}

/** Copies, and says so on the button itself. */
const copy = (button, words) => tell(button, () => navigator.clipboard.writeText(words), "Copied");

/** The picture goes to the clipboard where there is one for pictures, else into a file. */
function copyPicture(button, report) {
  const keys = report.variants.map((row) => row.variant);
  const canvas = picture(report, looks(keys), axis(report.comparisons));
  const blob = new Promise((done) => canvas.toBlob(done, "image/png"));
  if (globalThis.ClipboardItem && navigator.clipboard?.write)
    return tell(button, () => navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]), "Copied");
  return tell(button, async () => save(`${report.experiment}.png`, "image/png", await blob), "Saved");
}

async function tell(button, doing, done) {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  let said = done;
  try {
    await doing();
  } catch {
    said = "Not allowed here";
  }
  button.textContent = said;
  setTimeout(() => (button.textContent = before), 2000);
}

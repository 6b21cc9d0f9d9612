// Everything the page does in answer to the reader. Elements name their action in data-do.

import { axis } from "../charts/bars.js";
import { charts } from "../charts/lazy.js";
import { readKey } from "../data/request.js";
import { here, link } from "../data/route.js";
import { looks } from "../ui/colours.js";
import { csv, save } from "./download.js";
import { text } from "./share.js";
import { copy, copyLater, tell } from "./tell.js";
import { nextTheme } from "./theme.js";

/** @param {{data: any, render: () => void, route: () => any}} page */
export function listen({ data, render, route }) {
  const go = (href) => {
    history.replaceState(null, "", href);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  };

  const report = () => data.now().answer;
  const name = () => `${report().experiment}-${report().goal}-${report().as_of.slice(0, 10)}`;

  const guestLink = (options) =>
    import("./link.js").then((module) => module.readLink(readKey.get(), report().experiment, options));

  const clicks = {
    skip: () => /** @type {HTMLElement} */ (document.querySelector("#main")).focus(),
    retry: () => data.retry(),
    close: () => data.close(),
    theme: () => nextTheme(),
    copy: (element) => copy(element, element.dataset.text),
    link: (element) => copy(element, location.href),
    guest: (element) => copyLater(element, guestLink()),
    card: (element) => copyLater(element, guestLink({ days: 90, card: true }).then(frame)),
    share: (element) => copy(element, text(report(), location.href)),
    picture: (element) => copyPicture(element, report()),
    csv: () => save(`${name()}.csv`, "text/csv", csv(report())),
    json: () => save(`${name()}.json`, "application/json", JSON.stringify(report(), null, 1)),
    print: () => window.print(),
  };

  const submits = {
    key: ({ elements }) => data.open(elements.key.value.trim()),
    days: ({ elements }) => (location.hash = here(route(), { from: elements.from.value, to: elements.to.value })),
  };

  on("click", (element, event) => {
    const source = element.closest("[data-do]");
    const action = source && clicks[source.dataset.do];
    if (!action) return;
    event.preventDefault();
    action(source);
  });

  on("submit", (form, event) => {
    event.preventDefault();
    submits[form.dataset.do]?.(form);
  });

  on("input", (element) => {
    if (element.dataset.do === "search") go(link("", { ...route().query, q: element.value }));
    if (element.dataset.do === "filter") go(link("", { ...route().query, [element.name]: element.value }));
  });

  on("toggle", (element) => {
    const { section } = element.dataset;
    if (!section || route().paper) return;
    const open = new Set((route().query.open ?? "").split(",").filter(Boolean));
    if (element.open === open.has(section)) return;
    element.open ? open.add(section) : open.delete(section);
    go(here(route(), { open: [...open].join(",") }));
  });

  // On paper nothing can be opened, so everything is open while it prints.
  const onPaper = (paper) => {
    route().paper = paper;
    render();
  };
  window.addEventListener("beforeprint", () => onPaper(true));
  window.addEventListener("afterprint", () => onPaper(false));
}

/** The card as a frame in another page. */
const frame = (address) =>
  `<iframe src="${address}" title="A/B test" width="420" height="260" loading="lazy"></iframe>`;

/** One listener at the document; capturing, because toggle does not bubble. */
function on(type, action) {
  document.addEventListener(type, (event) => action(/** @type {any} */ (event.target), event), true);
}

/** The picture goes to the clipboard where there is one for pictures, else into a file. */
function copyPicture(button, report) {
  const keys = report.variants.map((row) => row.variant);
  const shared = axis(report.comparisons);
  const blob = charts()
    .then((module) => module.picture(report, looks(keys), shared))
    .then((canvas) => new Promise((done) => canvas.toBlob((made) => done(/** @type {Blob} */ (made)), "image/png")));
  if (globalThis.ClipboardItem && navigator.clipboard?.write)
    return tell(button, () => navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]), "Copied");
  return tell(button, async () => save(`${report.experiment}.png`, "image/png", await blob), "Saved");
}

// The results page: a hash says what to show, GET /stats has the numbers, a tree of elements is patched in.

import { listen } from "./actions/actions.js";
import { restoreTheme } from "./actions/theme.js";
import { draw } from "./charts/lazy.js";
import { Failure } from "./data/api.js";
import { observe } from "./data/recent.js";
import { entered, path } from "./data/request.js";
import { isOpen, NEW } from "./data/route.js";
import { source } from "./data/source.js";
import { drawSegments } from "./segments/lazy.js";
import { patch } from "./ui/dom.js";
import { prepare } from "./ui/format.js";
import { cardOf } from "./views/card.js";
import { experimentView } from "./views/experiment.js";
import { listView } from "./views/list.js";
import { liveLine, notice } from "./views/live.js";
import { askForKey, failed, skeleton } from "./views/states.js";

const main = /** @type {HTMLElement} */ (document.querySelector("#main"));
let listPlace = 0; // how far the list was scrolled when we left it
let arriving = false; // another view, whose heading is to get the focus once it is there
const isCard = document.documentElement.dataset.view === "card";
let route = entered();
/** @type {any} */
let form = null; // the module, once the reader opens the form
let loadingForm = false;
/** @type {Failure | null} */
let formLost = null;

const data = source(() => path(route), render, pace);

/** Milliseconds until it asks again: soon while the reader waits for events, seldom for a card in another page. */
function pace({ experiments, variants }) {
  if (isCard) return 300_000;
  const waits = experiments
    ? route.experiment !== NEW && !experiments.length
    : isOpen(route, "events") || variants.every((row) => !row.visitors);
  return waits ? 5_000 : 15_000;
}

function content(now) {
  if (isCard) return cardOf(now.answer, now.failure);
  if (now.failure?.kind === "key") return [askForKey(now.failure)];
  if (!now.answer) return now.failure ? [failed(now.failure)] : skeleton();
  if (route.experiment === NEW) return form ? form.newView(now.answer) : formLost ? [failed(formLost)] : skeleton();
  return route.experiment ? experimentView(now.answer, route) : listView(now.answer, route);
}

/** The script of the form, on the first visit to it. */
async function loadForm() {
  formLost = null;
  try {
    form = await import("./form/form.js");
    form.listenToForm(keys);
  } catch {
    formLost = new Failure("unreachable", "The script of the form could not be loaded. Reload the page.");
  }
  render();
}

const keys = () => (data.now().answer?.experiments ?? []).map((entry) => entry.experiment);

const TITLES = { "": "Results", [NEW]: "New experiment" };

function render() {
  const now = data.now();
  const report = now.answer?.variants ? now.answer : null;
  if (report) observe(report, now.at);
  document.title = [TITLES[route.experiment] ?? route.experiment, "ABacus"].join(" · ");
  patch(main, content(now));
  if (!isCard) {
    patch(document.querySelector("#live"), liveLine(now));
    patch(document.querySelector("#notice"), notice(now));
  }
  main.setAttribute("aria-busy", String(!now.answer && !now.failure)); // bare, without "true", it says nothing
  if (report && !isCard) {
    draw(report, route);
    drawSegments(report, route);
  }
  const draft = main.querySelector("form.draft");
  if (draft) form.refresh(draft, keys());
  if (route.experiment === NEW && !form && !loadingForm) {
    loadingForm = true;
    loadForm();
  }
  const title = main.querySelector("h1");
  if (arriving && title) {
    arriving = false;
    title.focus({ preventScroll: true });
  }
}

window.addEventListener("hashchange", () => {
  const before = route;
  route = entered();
  if (before.experiment !== route.experiment) {
    if (!before.experiment) listPlace = window.scrollY;
    arriving = true;
    patch(main, []);
  }
  render();
  data.moved();
  if (before.experiment !== route.experiment) window.scrollTo(0, route.experiment ? 0 : listPlace);
});

restoreTheme();
data.moved();
listen({ data, render, route: () => route });
setTimeout(prepare);

// The results page: a hash says what to show, GET /stats has the numbers, a tree of elements is patched in.

import { listen } from "./actions/actions.js";
import { restoreTheme } from "./actions/theme.js";
import { charts } from "./charts/lazy.js";
import { Failure } from "./data/api.js";
import { later } from "./data/later.js";
import { observe } from "./data/recent.js";
import { entered, path } from "./data/request.js";
import { isOpen, NEW } from "./data/route.js";
import { source } from "./data/source.js";
import { patch } from "./ui/dom.js";
import { prepare } from "./ui/format.js";
import { showAsked } from "./ui/help.js";
import { cardOf } from "./views/card.js";
import { experimentView } from "./views/experiment.js";
import { listView } from "./views/list.js";
import { liveLine, notice } from "./views/live.js";
import { askForKey, failed, noExperiments, skeleton } from "./views/states.js";

const main = /** @type {HTMLElement} */ (document.querySelector("#main"));
let listPlace = 0; // how far the list was scrolled when we left it
let arriving = false; // another view, whose heading is to get the focus once it is there
const isCard = document.documentElement.dataset.view === "card";
let route = entered();
const form = later(() => import("./form/form.js").then(follow), render);
const details = later(() => import("./details/details.js"), render);

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
  if (route.experiment === NEW) return newView(now.answer, form());
  if (route.experiment) return experimentView(now.answer, route, details());
  return now.answer.experiments.length ? listView(now.answer, route) : [noExperiments(now.answer, details())];
}

function newView(answer, { module, lost }) {
  if (module) return module.newView(answer);
  const why = "The script of the form could not be loaded. Reload the page.";
  return lost ? [failed(new Failure("unreachable", why))] : skeleton();
}

function follow(module) {
  module.listenToForm(keys);
  return module;
}

const keys = () => (data.now().answer?.experiments ?? []).map((entry) => entry.experiment);

const TITLES = { "": "Results", [NEW]: "New experiment" };

function render() {
  const now = data.now();
  const report = now.answer?.variants ? now.answer : null;
  if (report) observe(report, now.at);
  document.title = [TITLES[route.experiment] ?? route.experiment, "ABacus"].join(" · ");
  patch(main, content(now));
  showAsked();
  if (!isCard) {
    patch(document.querySelector("#live"), liveLine(now));
    patch(document.querySelector("#notice"), notice(now));
  }
  main.setAttribute("aria-busy", String(!now.answer && !now.failure)); // bare, without "true", it says nothing
  if (report && !isCard) drawDetails(report);
  const draft = main.querySelector("form.draft");
  if (draft) form().module.refresh(draft, keys());
  const title = main.querySelector("h1");
  if (arriving && title) {
    arriving = false;
    title.focus({ preventScroll: true });
  }
}

/** Charts and segments; the script that draws the charts comes together with the one that places them. */
function drawDetails(report) {
  const { module } = details();
  charts().catch(() => {}); // draw() tells
  module?.draw(report, route);
  module?.drawSegments(report, route);
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

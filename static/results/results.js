// The results page: a hash says what to show, GET /stats says what there is, a tree of elements is patched in.

import { listen } from "./actions/actions.js";
import { patch } from "./ui/dom.js";
import { draw, expectCharts } from "./charts/lazy.js";
import { experimentView } from "./views/experiment.js";
import { liveLine, notice } from "./views/live.js";
import { listView } from "./views/list.js";
import { prepare } from "./ui/format.js";
import { parse } from "./data/route.js";
import { source } from "./data/source.js";
import { askForKey, failed, skeleton } from "./views/states.js";

let listPlace = 0; // how far the list was scrolled when we left it
let arriving = false; // somewhere else, whose name is to be read aloud once it is there
const main = document.querySelector("#main");
let route = parse(location.hash);

const data = source(() => path(route), render);

/** What GET has to answer for this route. */
function path({ experiment, query }) {
  if (!experiment) return "/stats?series=day";
  const asked = new URLSearchParams();
  for (const name of ["goal", "from", "to"]) if (query[name]) asked.set(name, query[name]);
  const text = asked.toString();
  return `/stats/${encodeURIComponent(experiment)}${text ? "?" + text : ""}`;
}

function content(now) {
  if (now.failure?.kind === "key") return [askForKey(now.failure.refused)];
  if (now.answer) return route.experiment ? experimentView(now.answer, route) : listView(now.answer, route);
  return now.failure ? [failed(now.failure)] : skeleton();
}

function render() {
  const now = data.now();
  if (now.answer && route.experiment) expectCharts();
  document.title = [route.experiment || "Results", "ABacus"].join(" · ");
  patch(main, content(now));
  patch(document.querySelector("#live"), liveLine(now));
  patch(document.querySelector("#notice"), notice(now));
  main.setAttribute("aria-busy", !now.answer && !now.failure); // bare, without "true", it says nothing
  if (now.answer && route.experiment) draw(now.answer, route);
  const title = main.querySelector("h1");
  if (arriving && title) {
    arriving = false;
    title.focus({ preventScroll: true });
  }
}

window.addEventListener("hashchange", () => {
  const before = route;
  route = parse(location.hash);
  if (before.experiment !== route.experiment) {
    if (!before.experiment) listPlace = window.scrollY;
    arriving = true;
    patch(main, []);
  }
  render();
  data.moved();
  if (before.experiment !== route.experiment) window.scrollTo(0, route.experiment ? 0 : listPlace);
});

data.moved();
listen({ data, render, route: () => route });
setTimeout(prepare);

// What must run before the first paint: who the visitor is, which variants, and the page as it should look.
import { listen } from "./core/guard.js";
import { listeners, page, payloads, shown } from "./core/state.js";
import { me } from "./core/visitor.js";
import { assign } from "./assign.js";
import { scan, watch } from "./markup.js";
import { complain } from "./tester/overrides.js";

export const again = EAGER(() => {
  EXPERIMENTS.map(assign);
  if (document.body) scan(); // while the head is read there is nothing to scan
});

/** Gives up: from now on the page is the control, uncounted. */
export const showControl = () => {
  me.apart = 1;
  again();
};

const early = self.abacus;
export const api = {
  variant: (key) => {
    page.call([0, key]);
    return shown[key];
  },
  on: (type, f) => listeners.push(f),
  goal: VALUES ? (name, value) => page.call([1, name, value]) : (name) => page.call([1, name]),
  ready: Promise.resolve(),
};
if (PAYLOADS) api.payload = (key) => payloads[key];
if (CONSENT) api.consent = (given) => page.call([3, given]);
if (!early || early.map)
  self.abacus = api; // an object of that name belongs to the page
else if (DEBUG) complain("window.abacus belongs to this page, so calls such as abacus.goal() do not reach ABacus.");

try {
  again();
  watch();
  listen("click auxclick submit", (event) => page.call([2, event, event.composedPath()]));
} catch {
  showControl(); // what cannot be kept up is not shown
}

if (ASYNC) {
  api.push = (...functions) => functions.map((f) => setTimeout(f, 0, api));
  if (early?.map) api.push(...early);
  document.documentElement.setAttribute("data-ab-ready", "");
}

import { listen, safe } from "./guard.js";
import { shown } from "./assign.js";
import { track } from "./queue.js";
import { expose, names, watcher } from "./seen.js";

// A sanitiser lets data-* through, so what they can do is a closed list, and no url that runs a script.
const PART = /^\s*([\w-]+:[\w-]+) +(text|class|href|src|srcset|alt|title|value|placeholder|aria-label)=([^]*?)\s*$/;

let observer;
const done = new WeakSet();
const is = (pair) => pair.split(":")[1] == shown[pair.split(":")[0]]?.variant_;

const treat = (element) => {
  const { ab, abSeen, abShow, abSet } = element.dataset || {};
  if (ab || abSeen) observer.observe(element);
  if (abShow) element.hidden = !abShow.split(" ").some(is);
  if (abSet && !done.has(element))
    for (const part of abSet.split("|")) {
      const [, pair, name, value] = PART.exec(part) || [];
      if (!pair || !is(pair)) continue;
      done.add(element);
      if (name == "text") element.textContent = value;
      else if (!/^(href|src)/.test(name) || /^http/.test(new URL(value, location).protocol)) element.setAttribute(name, value);
    }
};

const scan = (root) => {
  treat(root);
  root.querySelectorAll?.("[data-ab],[data-ab-seen],[data-ab-show],[data-ab-set]").forEach(treat);
};

export const look = () => {
  observer?.disconnect();
  observer = watcher();
  for (const key in shown) document.documentElement.setAttribute("data-ab-" + key, shown[key].variant_);
  scan(document.documentElement);
};

export const goal = (name) => {
  for (const key in shown) if (shown[key].goals_.includes(name)) track("goal", key, name);
};

const act = (event) => {
  for (const { dataset, tagName } of event.composedPath()) {
    if (!dataset) continue;
    if (event.type == "click")
      names(dataset.ab, dataset.abClick).map((key) => {
        expose(key); // who clicks has seen it
        track("click", key);
      });
    if ((tagName == "FORM") == (event.type == "submit")) names(dataset.abGoal).map(goal);
  }
};

export const attend = () => {
  look();
  // Only added nodes: what we set ourselves adds none with our attributes, so a framework and we do not chase each other.
  new MutationObserver(
    safe((records) => records.forEach((record) => record.addedNodes.forEach(scan))),
  ).observe(document, { childList: true, subtree: true });
  listen(document, "click", act);
  listen(document, "submit", act);
};

import { shown } from "./assign.js";
import { means, observer, placed } from "./seen.js";

let budget = 999; // a framework that renders anew whatever we change is not followed for ever

const treat = (element) => {
  means(element, "seen:", (key) => {
    observer.observe(element);
    placed[key] = 1;
  });
  if (element.dataset.abShow) element.hidden = !element.dataset.abShow.split(" ").some((pair) => shown[pair]);
  // A sanitiser lets data-* through, so what they can do is a closed list, and no url that runs a script.
  element.dataset.abSet?.replace(/(\S+) +(text|class|href|src|alt|title|value)=([^|]*)/g, (_, pair, name, value) =>
      shown[pair] &&
      budget-- > 0 &&
      (name == "text" ? (element.textContent = value) : /^(http|[^:]*$)/.test(value) && element.setAttribute(name, value)),
  );
};

export const scan = (root) =>
  root.querySelectorAll && [root, ...root.querySelectorAll("[data-ab],[data-ab-show],[data-ab-set]")].map(treat);

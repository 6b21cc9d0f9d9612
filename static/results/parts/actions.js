// Everything the page does when somebody does something. Elements say what in data-do.

import { here, link } from "./route.js";

export function listen({ data, route }) {
  const go = (href) => {
    history.replaceState(null, "", href);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  };

  const clicks = {
    skip: () => document.querySelector("#main").focus(),
    retry: () => data.retry(),
    close: () => data.close(),
    copy: (element) => copy(element, element.dataset.text),
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
    if (event.target.dataset.do === "key") data.open(event.target.elements.key.value.trim());
  });

  document.addEventListener("input", (event) => {
    if (event.target.dataset.do === "search") go(link("", { ...route().query, q: event.target.value }));
  });

  document.addEventListener(
    "toggle",
    (event) => {
      const { section } = event.target.dataset;
      if (!section) return;
      const open = new Set((route().query.open ?? "").split(",").filter(Boolean));
      if (event.target.open === open.has(section)) return;
      event.target.open ? open.add(section) : open.delete(section);
      go(here(route(), { open: [...open].join(",") }));
    },
    true, // toggle does not bubble
  );
}

/** Copies, and says so on the button itself. */
export async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Could not copy";
  }
  setTimeout(() => (button.textContent = before), 2000);
}

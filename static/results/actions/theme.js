// Light, dark, or as the device has it. The choice stays in this browser.

const KEY = "abacus-theme";
const THEMES = ["", "light", "dark"];
const NAMES = { "": "Theme: device", light: "Theme: light", dark: "Theme: dark" };

const button = () => document.querySelector("[data-do=theme]"); // a card has none

/** Shows the theme that was chosen earlier. */
export function restoreTheme() {
  apply(localStorage.getItem(KEY) ?? "");
}

/** Device → light → dark → device. */
export function nextTheme() {
  const now = document.documentElement.dataset.theme ?? "";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next) localStorage.setItem(KEY, next);
  else localStorage.removeItem(KEY);
  apply(next);
  document.dispatchEvent(new Event("abacus:theme")); // charts are pixels: they must be drawn again
}

function apply(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  button()?.replaceChildren(NAMES[theme] ?? NAMES[""]);
}

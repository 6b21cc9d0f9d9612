// Sentences of the server as the page shows them.

import { h } from "./dom.js";
import { localised } from "./format.js";

/** `text` with its numbers in the reader's format, and what stands between backticks as code. */
export const prose = (text) =>
  localised(text)
    .split("`")
    .map((part, n) => (n % 2 ? h("code", {}, part) : part));

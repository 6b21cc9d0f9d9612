import { resolve, script } from "./core/script.js";
import { cookies } from "./core/visitor.js";

// The first module to run; what it throws ends the others.
if (document.abacus === 1) throw 0; // the script is there twice
// Testers get a bigger file, so that visitors do not pay for it.
if (!DEBUG && (cookies?.includes("abacus_qa") || (document.URL.includes("?") && TESTING.test(location.search)))) {
  if (!ASYNC) throw document.write("<script src=" + resolve("ab.debug.js") + "></script>");
  const tag = document.createElement("script");
  Object.assign(tag.dataset, script.dataset);
  tag.src = resolve("ab.debug.js");
  document.head.append(tag);
  throw new Promise((loaded) => (tag.onload = loaded));
}
document.abacus = 1;

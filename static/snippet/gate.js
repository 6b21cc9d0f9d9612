import { script, store } from "./core/storage.js";

// The first module to run; what it throws ends the others.
if (self.abacus?.on) throw 0; // the script is there twice
// A tester gets a bigger file, so that nobody else pays for it.
if (!DEBUG && (store.abacus_q || TESTING.test(location.search))) {
  if (!ASYNC) throw document.write("<script src=" + new URL("ab.debug.js", script.src) + "></script>");
  const tag = document.createElement("script");
  Object.assign(tag.dataset, script.dataset);
  tag.src = new URL("ab.debug.js", script.src);
  document.head.append(tag);
  throw new Promise((loaded) => (tag.onload = loaded));
}

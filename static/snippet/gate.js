import { script, store } from "./memory.js";

// The first module to run; what it throws ends the others. A tester gets a bigger file, so that nobody else pays for it.
if (self.abacus?.on) throw 0;
if (!DEBUG && (store.abacus_q || location.search.match(TESTING)))
  throw document.write("<script src=" + new URL("ab.debug.js", script.src) + "></script>");

// /ab.js: what must run before the first paint. The page does not wait for what is in the timer.
import "./gate.js";
import { isCrawler } from "./assign.js";
import { again, showControl } from "./start.js";

setTimeout(async () => {
  try {
    if (isCrawler()) again();
    COUNT;
  } catch {
    showControl(); // what cannot be counted is not shown: count.js did not come
  }
});

// The testers' file and the module, in which one file shows and counts.
import "./gate.js";
import { isCrawler } from "./assign.js";
import { again } from "./start.js";
import "./count.js";

export { api } from "./start.js";

if (isCrawler()) again();

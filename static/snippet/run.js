import "./gate.js";
import "./start.js";
import "./count.js";

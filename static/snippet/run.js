import "./gate.js";
import "./start.js";

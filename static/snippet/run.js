import "./gate.js";
export { api } from "./start.js";
import "./count.js";

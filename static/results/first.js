// A file of its own, some hundred bytes: the numbers are on their way while the page's script still comes.

import { sendFirst } from "./data/request.js";

sendFirst();

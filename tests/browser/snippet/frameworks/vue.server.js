import { renderToString } from "@vue/server-renderer";
import { app } from "./vue.js";

renderToString(app()).then((html) => console.log(html));

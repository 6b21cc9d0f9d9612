import { renderToString } from "react-dom/server";
import { App } from "./react.jsx";

console.log("<!doctype html>" + renderToString(<App place="the same" />));

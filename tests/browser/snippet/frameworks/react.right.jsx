import { hydrateRoot } from "react-dom/client";
import { App } from "./react.jsx";

hydrateRoot(document, <App place="the same" />);
document.hydrated = true;

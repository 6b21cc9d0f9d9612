// The browser renders something else than the server did: React makes the document again from nothing.
import { hydrateRoot } from "react-dom/client";
import { App } from "./react.jsx";

hydrateRoot(document, <App place="another" />, { onRecoverableError: () => (document.hydrated = true) });

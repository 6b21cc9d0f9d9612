// React 19 renders the whole document, on the server and again in the browser.
import { useEffect, useState } from "react";

export const App = ({ place }) => {
  const [path, setPath] = useState("/");
  const [variant, setVariant] = useState();
  useEffect(() => setVariant(window.abacus?.variant("hero")), []);
  const go = () => {
    history.pushState({}, "", "/two");
    setPath("/two");
  };
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        <title>Tea</title>
        <script src="/ab.js" />
        <link rel="stylesheet" href="/variants.css" />
      </head>
      <body>
        <section data-ab="hero" key={path}>
          <h1>
            <span className="plain">Tea</span>
            <span className="bold">Tea, tomorrow</span>
          </h1>
          <button type="button">Buy</button>
        </section>
        <p>
          {place} {variant}
        </p>
        <a href="/two" onClick={(event) => (event.preventDefault(), go())}>
          Next
        </a>
      </body>
    </html>
  );
};

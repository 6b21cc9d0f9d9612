// Runs /ab.js and the file that it loads, as they are served, for one visitor after the other, each in a browser of its
// own: an empty cookie, an empty store, no listeners of those before. A page load each would take half an hour. Only
// import() is replaced, by a function that answers at once.
// For each: experiment → [variant shown, whether its exposure counts].
async ([source, counting, ids, attributes]) => {
  const put = (object, name, value) => Object.defineProperty(object, name, { value, writable: true });
  put(window, "addEventListener", () => {});
  put(
    window,
    "MutationObserver",
    class {
      observe() {}
    },
  );
  put(
    window,
    "IntersectionObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  put(window, "requestAnimationFrame", (f) => f());
  // An exposure waits 300 ms; what is due later is the sending, which is not asked about here.
  put(window, "setTimeout", (f, ms, ...args) => ((ms ?? 0) < 1000 ? f(...args) : 1));
  navigation.onnavigate = (event) => event.preventDefault(); // redirects

  const count = new Function(counting.replace(/export\s*\{\s*(\w+) as default\s*\};?/, "return $1"))();
  // biome-ignore lint/suspicious/noThenProperty: import() that answers at once, so that the test need not wait
  const load = () => ({ then: (f) => (f({ default: count }), { catch() {} }) });
  const snippet = new Function("load", source.replace("import(", "load("));
  const root = document.documentElement;
  const dealt = [];
  for (const visitor of ids) {
    put(document, "cookie", "");
    put(window, "localStorage", {});
    put(document, "currentScript", { src: location.origin + "/ab.js", dataset: { ...attributes, visitor } });
    delete window.abacus;
    delete document.abacus; // the mark of a script that runs on this page already
    for (const name of root.getAttributeNames()) root.removeAttribute(name);
    snippet(load);
    for (let turn = 0; turn < 5; turn++) await turn; // the script awaits the file
    const keys = root
      .getAttributeNames()
      .filter((name) => name.startsWith("data-ab-"))
      .map((name) => name.slice(8));
    keys.forEach((key) => window.abacus.variant(key)); // asked for, hence seen
    const counted = Object.keys(window.localStorage)
      .filter((key) => key.startsWith("abacus:"))
      .map((key) => JSON.parse(window.localStorage[key]));
    dealt.push(
      Object.fromEntries(
        keys.map((key) => {
          const shown = root.getAttribute("data-ab-" + key);
          const events = counted.filter(
            ({ type, experiment, variant }) => type == "impression" && experiment == key && variant == shown,
          );
          return [key, [shown, events.length == 1]];
        }),
      ),
    );
  }
  return dealt;
};

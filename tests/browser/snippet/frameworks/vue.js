// Vue 3, rendered on the server and hydrated in the browser.
import { createSSRApp, h, ref } from "vue";

export const app = () =>
  createSSRApp({
    setup() {
      const path = ref("/");
      const go = (event) => {
        event.preventDefault();
        history.pushState({}, "", "/two");
        path.value = "/two";
      };
      return () => [
        h("section", { "data-ab": "hero", key: path.value }, [
          h("h1", [h("span", { class: "plain" }, "Tea"), h("span", { class: "bold" }, "Tea, tomorrow")]),
          h("button", { type: "button" }, "Buy"),
        ]),
        h("a", { href: "/two", onClick: go }, "Next"),
      ];
    },
  });

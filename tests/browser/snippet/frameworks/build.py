"""Builds the pages of the framework tests from the real packages in node_modules, once a test run."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

from abacus.paths import PROJECT, node
from abacus.site.esbuild import esbuild

HERE = Path(__file__).parent
MODULES = PROJECT / "node_modules"
PRODUCTION = ['--define:process.env.NODE_ENV="production"', "--jsx=automatic", "--loader=jsx"]
VUE = ["__VUE_OPTIONS_API__", "__VUE_PROD_DEVTOOLS__", "__VUE_PROD_HYDRATION_MISMATCH_DETAILS__"]


def _bundle(source: str, *flags: str, form: str = "iife") -> bytes:
    return esbuild(source, HERE, [*PRODUCTION, *(f"--define:{name}=false" for name in VUE), *flags], form)


def _in_node(program: bytes | None = None, *arguments: str) -> str:
    """What a program prints."""
    command = [str(node()), *(arguments or ["--input-type=commonjs", "-"])]
    done = subprocess.run(command, input=program, cwd=HERE, capture_output=True, check=True, timeout=60)
    return done.stdout.decode().strip()


@cache
def react() -> tuple[str, bytes, bytes]:
    """The page, the script that hydrates it, and one that fails to."""
    server = _bundle('import "./react.server.jsx";', "--platform=node", form="cjs")
    right, wrong = (_bundle(f'import "./react.{name}.jsx";') for name in ("right", "wrong"))
    return _in_node(server), right, wrong


@cache
def vue() -> tuple[str, bytes]:
    """What is in #app, and the script that hydrates it."""
    server = _bundle('import "./vue.server.js";', "--platform=node", form="cjs")
    return _in_node(server), _bundle('import "./vue.client.js";')


@cache
def svelte() -> tuple[str, bytes]:
    """What is in #app, and the script that hydrates it."""
    compiled = {way: _in_node(None, "svelte.compile.mjs", "App.svelte", way) for way in ("client", "server")}
    app = compiled["server"].replace("export default", "const App =", 1)
    server = f'{app}\nimport {{ render }} from "svelte/server";\nconsole.log(render(App).body);'
    html = _in_node(_bundle(server, "--platform=node", form="cjs"))
    app = compiled["client"].replace("export default", "const App =", 1)
    client = f'{app}\nimport {{ hydrate }} from "svelte";\nhydrate(App, {{ target: document.querySelector("#app") }});'
    return html, _bundle(client + "document.hydrated = true;", "--conditions=browser")


@cache
def library(name: str) -> bytes:
    """A library for the browser: htmx, turbo, morphdom, or alpine with its morph plugin."""
    sources = {
        "htmx": 'import htmx from "htmx.org"; window.htmx = htmx;',
        "turbo": 'import "@hotwired/turbo";',
        "morphdom": 'import morphdom from "morphdom"; window.morph = morphdom;',
        "alpine": 'import Alpine from "alpinejs"; import morph from "@alpinejs/morph"; Alpine.plugin(morph);'
        "window.Alpine = Alpine; Alpine.start(); window.morph = (element, html) => Alpine.morph(element, html);",
    }
    return _bundle(sources[name])


def documented(language: str) -> list[str]:
    """The examples in this language of docs/snippet.md, in the chapter about frameworks."""
    guide = (PROJECT / "docs" / "snippet.md").read_text()
    chapter = guide.partition("\n## Frameworks\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", chapter, re.DOTALL | re.MULTILINE)


@cache
def vue_with_the_module(module: bytes) -> bytes:
    """The example of docs/snippet.md that starts a Vue app with `module`, the content of /ab.mjs."""
    (example,) = documented("js")
    folder = PROJECT / "build" / "frameworks" / "vue"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ab.mjs").write_bytes(module)
    app = """
      import { createApp, h, inject } from "vue";
      const App = {
        setup() {
          const abacus = inject("abacus");
          return () => h("section", { "data-ab": "hero" }, [h("h1", abacus.variant("hero")), h("button")]);
        },
      };
    """
    flags = [*PRODUCTION, *(f"--define:{name}=false" for name in VUE), "--supported:top-level-await=true"]
    return esbuild(app + example + "document.hydrated = true;", folder, flags, "esm")

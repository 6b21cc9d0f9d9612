"""docs/snippet.md and docs/install.md say what there is, and the types say what docs/snippet.md says."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from abacus.cli import main
from abacus.paths import PROJECT, node
from abacus.site.snippet import SNIPPET, Options
from tests.browser.snippet.frameworks.build import HERE, documented

DOCS = PROJECT / "docs"
USE, INSTALL = (DOCS / "snippet.md").read_text(), (DOCS / "install.md").read_text()


def test_every_option_has_a_row_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]*?)`? ?\|", INSTALL, re.MULTILINE))
    defaults = {name: field.default for name, field in Options.model_fields.items()}
    assert rows == {name: json.dumps(value) if isinstance(value, bool) else value for name, value in defaults.items()}
    assert json.loads((SNIPPET / "options.json").read_text()) == defaults


def test_every_call_of_the_types_is_shown_and_no_other() -> None:
    types = (SNIPPET / "abacus.d.mts").read_text()
    declared = re.findall(r"^  (\w+)\??[(:]", types.partition("interface Abacus")[2].partition("}")[0], re.MULTILINE)
    (shown,) = re.findall(r"```js\n(abacus\.variant.*?)```", USE, re.DOTALL)
    assert sorted(set(re.findall(r"\babacus\??\.(\w+)", shown))) == sorted(declared)


def type_errors(folder: Path, code: str) -> list[str]:
    """What TypeScript, at its strictest, has against `code` beside the module."""
    for name, content in (("ab.d.mts", (SNIPPET / "abacus.d.mts").read_text()), ("ab.mjs", ""), ("site.ts", code)):
        (folder / name).write_text(content)
    tsc = [node(), str(DOCS.parent / "node_modules/typescript/bin/tsc"), "--noEmit", "--strict"]
    options = ["--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]
    done = subprocess.run([*tsc, *options, "site.ts"], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def test_a_site_in_typescript_finds_the_types_and_is_told_of_a_mistake(tmp_path: Path) -> None:
    code = """
      import { load, type Exposure } from "./ab.mjs";
      const abacus = await load("https://ab.example.com", { visitor: "v1", attributes: { plan: "pro", age: 3 } });
      const variant: string | undefined = abacus.variant("hero");
      abacus.on("exposure", ({ experiment }: Exposure) => console.log(experiment, variant));
      window.abacus?.consent?.(true);
    """
    assert type_errors(tmp_path, code) == []
    wrong = type_errors(tmp_path, code + "abacus.goal(5);")
    assert [line.partition(": ")[2] for line in wrong] == [
        "error TS2345: Argument of type 'number' is not assignable to parameter of type 'string'."
    ]


def test_every_attribute_that_the_sources_know_is_explained() -> None:
    sources = "".join(path.read_text() for path in SNIPPET.glob("*.js"))
    attributes = {f"data-{name}" for name in re.findall(r"\bdata-(ab(?:-\w+)?)\b", sources)}
    attributes |= {"data-" + name for name in re.findall(r"script\.dataset\.(\w+)", sources)}
    assert {name for name in attributes if name not in USE + INSTALL} == set()


def test_the_options_of_a_deploy_are_the_commands_own() -> None:
    deploy = main.get_command(None, "deploy")  # type: ignore[arg-type]
    assert deploy is not None
    known = {name for parameter in deploy.params for name in (*parameter.opts, *parameter.secondary_opts)}
    said = re.findall(r"`abacus deploy ([^`]*)`", INSTALL)
    named = {word for line in said for word in line.split() if word.startswith("--")}
    assert len(named) >= 3
    assert named <= known


def test_the_examples_for_frameworks_are_the_files_that_are_tested() -> None:
    """Each line is in the file, in this order. The module's and the tag manager's are run from the page itself."""
    tested = {"jsx": HERE / "react.jsx", "css": HERE / "variants.css"}
    assert [len(documented(language)) for language in ("jsx", "css", "js", "html", r"\w+")] == [2, 1, 1, 1, 5]
    for language, file in tested.items():
        for example in documented(language):
            lines = (line.strip() for line in file.read_text().splitlines())
            missing = [line for line in example.splitlines() if line.strip() not in lines]  # goes on where it stopped
            assert missing == [], file.name

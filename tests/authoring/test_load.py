"""Writing experiments: what a file may say, and what its author is told when it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from abacus.authoring import commands
from abacus.authoring.load import load
from abacus.authoring.problems import Problems
from abacus.paths import PROJECT
from abacus.site.public_manifest import public
from chalicelib.domain.manifest import Manifest, Namespace, Phase, UrlPattern, Urls, Variant

FIXTURES = PROJECT / "tests" / "fixtures/manifest"
TWO = "variants: [{key: blue}, {key: green}]\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """write("a.yaml", text): puts a file into the folder manifest/ of an otherwise empty project."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "manifest"
    folder.mkdir()

    def put(name, text):
        (folder / name).write_text(text, encoding="utf-8")
        return folder

    return put


def problems(folder):
    with pytest.raises(Problems) as caught:
        load(folder)
    return caught.value.message.split("\n")


def the_experiment(folder):
    [experiment] = load(folder).experiments
    return experiment


# --- what can be written -------------------------------------------------------------------------------------


def test_the_demo_experiment_says_what_everybody_relies_on():
    experiment = load(PROJECT / "manifest").experiment("cta-color")
    assert experiment is not None
    assert experiment.status == "running"
    assert experiment.variants == (Variant(key="blue"), Variant(key="green"))
    assert experiment.phases == (Phase(weights=(0.5, 0.5), coverage=1.0),)
    assert experiment.seed == "cta-color"
    assert (experiment.namespace, experiment.urls, experiment.condition, experiment.start) == (None, None, None, None)


def test_an_experiment_needs_a_key_a_status_and_two_variants(write):
    experiment = the_experiment(write("a.yaml", "key: a\nstatus: running\n" + TWO))
    assert experiment.seed == "a"
    assert experiment.phases == (Phase(weights=(0.5, 0.5)),)


def test_everything_can_be_said(write):
    folder = write(
        "a.yaml",
        """
key: a
description: d
hypothesis: h
status: stopped
winner: green
variants:
  - {key: blue, weight: 30 %, payload: {deep: [1, null, ü]}}
  - {key: green, weight: 0.7, payload: 0}
coverage: 12.5%
seed: s
goals: [signup, click]
minimum_detectable_effect: 5 %
namespace: {name: n, start: 0, end: 50 %}
urls: {include: [/shop/*], exclude: [{type: regex, pattern: "^/x$"}]}
condition: {country: {$in: [CH]}}
redirect: {green: "https://example.com/b"}
start: 2026-12-01T09:00:00Z
end: 2026-12-31T10:00:00+01:00
""",
    )
    experiment = the_experiment(folder)
    assert experiment.variants == (
        Variant(key="blue", payload={"deep": [1, None, "ü"]}),
        Variant(key="green", payload=0),
    )
    assert experiment.phases == (Phase(weights=(0.3, 0.7), coverage=0.125),)
    assert experiment.goals == ("signup",)  # a click always counts
    assert experiment.namespace == Namespace(name="n", start=0, end=0.5)
    assert experiment.urls == Urls(
        include=(UrlPattern(pattern="/shop/*"),), exclude=(UrlPattern(type="regex", pattern="^/x$"),)
    )
    assert (experiment.start, experiment.end) == (1_796_115_600_000, 1_798_707_600_000)
    assert experiment.minimum_detectable_effect == 0.05


def test_a_later_phase_says_only_what_changes(write):
    folder = write(
        "a.yaml",
        "key: a\nstatus: running\n" + TWO + "phases:\n"
        "  - {weights: {blue: 90 %, green: 10 %}, coverage: 20 %}\n"
        "  - {coverage: 40 %}\n"
        "  - {seed: new}\n"
        "  - {weights: {green: 0, blue: 1}}\n",
    )
    assert the_experiment(folder).phases == (
        Phase(weights=(0.9, 0.1), coverage=0.2),
        Phase(weights=(0.9, 0.1), coverage=0.4),
        Phase(weights=(0.9, 0.1), coverage=0.4, seed="new"),
        Phase(weights=(1.0, 0.0), coverage=0.4, seed="new"),
    )


def test_yaml_and_json_one_file_or_many_come_to_the_same(write):
    one = {"key": "a", "status": "running", "variants": [{"key": "x"}, {"key": "y"}]}
    two = one | {"key": "b"}
    folder = write("all.json", json.dumps({"$schema": "schema.json", "client_key": "shop", "experiments": [two, one]}))
    together = load(folder)
    (folder / "all.json").unlink()
    write("b.yml", json.dumps(two))
    write("a.yaml", json.dumps(one))
    write("site.yaml", "client_key: shop")
    assert load(folder) == together
    assert [e.key for e in together.experiments] == ["a", "b"]


def test_an_empty_folder_is_a_manifest_without_experiments(tmp_path):
    assert load(tmp_path) == Manifest()


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "n"])
def test_words_that_yaml_1_1_takes_for_booleans_are_words(write, word):
    folder = write("a.yaml", f"key: {word}\nstatus: running\nvariants: [{{key: {word}}}, {{key: other}}]\n")
    assert the_experiment(folder).variants[0].key == word


def test_numbers_and_dates_in_a_payload_stay_what_they_look_like(write):
    text = "payload: {a: 010, b: 1e3, c: 2026-01-01, d: 1:30, e: 0x1F, f: .5, g: ~, h: True, i: 1_000}"
    folder = write("a.yaml", f"key: a\nstatus: running\nvariants: [{{key: x, {text}}}, {{key: y, payload: 1}}]\n")
    expected = {"a": 10, "b": 1000.0, "c": "2026-01-01", "d": "1:30", "e": "0x1F", "f": 0.5, "g": None, "h": True}
    assert the_experiment(folder).variants[0].payload == expected | {"i": "1_000"}


def test_a_file_may_begin_with_a_byte_order_mark(write):
    assert the_experiment(write("a.yaml", "\ufeffkey: a\nstatus: draft\n" + TWO)).key == "a"


# --- what the author is told ---------------------------------------------------------------------------------


def test_every_problem_of_every_file_is_told_at_once_with_its_line(write):
    write("b.json", '{\n  "key": "b",\n  "status": "running",\n  "variants": [{"key": "x"}]\n}\n')
    folder = write(
        "a.yaml",
        """key: Buy Button!
status: runing
goal: [x]
variants:
  - key: blue
    weight: 50
  - key: 1
  - key: green
    weigth: 50 %
start: 2026-01-01
goals: [a, a]
namespace: {name: n, start: 60 %, end: 20 %}
minimum_detectable_effect: -1
""",
    )
    assert problems(folder) == [
        "manifest/a.yaml:1: key: 'Buy Button!' is not a key: a–z, 0–9 and -, at most 64 characters",
        "manifest/a.yaml:2: status: 'runing' is not one of draft, running, paused, stopped. Did you mean 'running'?",
        "manifest/a.yaml:3: goal: is not a field here. Did you mean 'goals'?",
        "manifest/a.yaml:6: variants[0].weight: 50 is not a share: write 50 % or 0.5, from 0 % to 100 %. "
        "Did you mean 50 %?",
        "manifest/a.yaml:7: variants[1].key: 1 is not text: write it in quotes",
        "manifest/a.yaml:9: variants[2].weigth: is not a field here. Did you mean 'weight'?",
        "manifest/a.yaml:10: start: '2026-01-01' is not a time in UTC: write 2026-12-01T09:00:00Z",
        "manifest/a.yaml:11: goals[1]: 'a' is listed twice",
        "manifest/a.yaml:12: namespace.end: is not after start: no visitor would take part",
        "manifest/a.yaml:13: minimum_detectable_effect: -1 is not a share: write 50 % or 0.5, from 0 % to 100 %.",
        "manifest/b.json:4: variants: needs at least 2, has 1",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("winner: gren", ":4: winner: 'gren' is not a variant; they are blue, green. Did you mean 'green'?"),
        ("winner: green", ":4: winner: a running experiment has no winner yet: set status: stopped, or leave it out"),
        ("redirect: {green: https://x.ch}", ":4: redirect: needs urls.include"),
        ("redirect: {green: 'javascript:x'}", ":4: redirect.green: 'javascript:x' is not a whole URL"),
        ("redirect: {gren: https://x.ch}", ":4: redirect.gren: is not a variant; they are blue, green."),
        ("phases: [{weights: {blue: 50 %}}]", ":4: phases[0].weights: no weight for green"),
        ("phases: [{weights: {blue: 1, gren: 0}}]", ":4: phases[0].weights.gren: is not a variant"),
        ("phases: [{weights: {blue: 1, green: 0.1}}]", ":4: phases[0].weights: the weights add up to 110 %"),
        ("phases: []", ":4: phases: needs at least 1, has 0"),
        ("start: 2026-12-02T00:00:00Z\nend: 2026-12-01T00:00:00Z", ":5: end: is not after start"),
        ("assignment: client\nnamespace: {name: n, start: 0, end: 1}", ":5: namespace: has no effect where assignment"),
        ("key: a", ":4: key: is here for the second time; first in line 1"),
        ("condition: {country: {$inn: [CH]}}", ":4: condition.country.$inn: is not an operator here."),
        ("condition: [CH]", ":4: condition: a list is not a mapping"),
        ("urls: {include: [{type: regex, pattern: '('}]}", ":4: urls.include[0]: '(' is not a regular expression"),
        ("urls: {include: [5]}", ":4: urls.include[0]: 5 is not a mapping"),
        ("coverage: 50 percent", ":4: coverage: '50 percent' is not a share: write 50 % or 0.5, from 0 % to 100 %."),
        ("coverage: true", ":4: coverage: true is not a share: write 50 % or 0.5, from 0 % to 100 %."),
        ("seed: ''", ":4: seed: needs at least 1, has 0"),
        ("seed: *x", ":4: *x is an alias: write the value out"),
        ("seed: !!python/object:os.system x", ":4: tag:yaml.org,2002:python/object:os.system is a tag: leave it out"),
        ("seed: [", ":5: column 1: a value is missing here; write it, or close the bracket"),
        ("? [a]\n: b", ":4: a key must be text, not a list or a mapping"),
        ("5: b", ":4: the key 5 is not text: write it in quotes"),
        ("--- a", ":4: column 1: a second document begins here; remove the line `---`"),
        ("start: 9999-12-31T23:59:59-23:00", ":4: start: '9999-12-31T23:59:59-23:00' is not a time in UTC"),
        ("seed: \"\\uD800\"", ":4: seed: holds half a character (a lone surrogate)"),
        ("seed: \u0007", ":4: column 7: delete the character U+0007"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_line_field_value_rule_and_next_step(write, line, message):
    folder = write("a.yaml", "key: a\nstatus: running\n" + TWO + line + "\n")
    [*_, problem] = [p for p in problems(folder) if message in p] or problems(folder)
    assert message in problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "manifest/a.yaml:1: the file is empty: start with key: and the experiment's name"),
        ("- key: a", "manifest/a.yaml:1: the file is not a mapping: start with key: and the experiment's name"),
        ("experiments: 5", "manifest/a.yaml:1: experiments: is not a list of experiments"),
        ("experiments: [5]", "experiments[0]: is not a mapping: start with key"),
        ("experiments: []\nclient_kye: a", "client_kye: is not a field here. Did you mean 'client_key'?"),
        ("client_key: A B", "manifest/a.yaml:1: client_key: 'A B' is not a key: a–z, 0–9 and -, at most 64 characters"),
        ("status: draft", "manifest/a.yaml:1: the experiment has no key: add one"),
        ("key: a\nstatus: draft", "manifest/a.yaml:1: the experiment has no variants: add two or more"),
        ("key: a\nstatus: draft\n variants:\n  - key: b", "manifest/a.yaml:3: is indented further than line 2: align"),
        ("key: a\n\n  status: draft", "manifest/a.yaml:3: is indented further than line 1: align the two"),
        ("key: a\nhypothesis: a: b", "manifest/a.yaml:2: column 14: a second `: ` in this line; put quotes"),
        ("key: a\nhypothesis: it is\n  red: or so", "further than line 2: align the two; put quotes around a text"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_experiment_says_so(write, text, message):
    assert message in "\n".join(problems(write("a.yaml", text)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"key": "a"', "manifest/a.json:1: column 12: is not JSON: Expecting ',' delimiter"),
        ('{\n"a": NaN}', "manifest/a.json:1: is not JSON: NaN is not JSON"),
        ('{"key": 1e999}', "manifest/a.json:1: key: is too large for a number"),
        ('{"key": "a",\n"key": "b"}', "manifest/a.json:2: key: is here for the second time; first in line 1"),
        ('{"\\ud800": 1}', "manifest/a.json:1: has a key with half a character (a lone surrogate)"),
        ("[" * 100_000, "manifest/a.json:1: is nested more than 64 levels deep"),
        ('{"a": ' + "[" * 70 + "]" * 70 + "}", "is nested more than 64 levels deep"),
        ("9" * 5000, "manifest/a.json:1: is not JSON"),
    ],
)
def test_json_that_cannot_be_carried_is_refused(write, text, message):
    assert message in "\n".join(problems(write("a.json", text)))


def test_what_is_no_text_is_refused(write, tmp_path):
    folder = write("a.yaml", "")
    (folder / "a.yaml").write_bytes(b"key: a\nstatus: \xff")
    assert problems(folder) == ["manifest/a.yaml:2: is not UTF-8 text: save it as UTF-8"]


def test_a_folder_that_is_none_is_told():
    with pytest.raises(Problems, match="nowhere:1: is not a folder"):
        load(Path("nowhere"))


def test_experiments_must_not_share_a_key_or_the_site_a_client_key(write):
    write("a.yaml", "key: a\nstatus: running\n" + TWO)
    folder = write("b.yaml", "experiments:\n  - status: draft\n    key: a\n    " + TWO)
    write("c.yaml", "client_key: x")
    write("d.yaml", "client_key: y")
    assert problems(folder) == [
        "manifest/b.yaml:3: experiments[0].key: 'a' is taken in manifest/a.yaml:1",
        "manifest/d.yaml:1: client_key: 'y' is set in manifest/c.yaml too: remove one of them",
    ]


def test_running_experiments_must_not_overlap_in_a_namespace(write):
    write("a.yaml", "key: a\nstatus: running\nnamespace: {name: n, start: 0, end: 40 %}\n" + TWO)
    write("b.yaml", "key: b\nstatus: draft\nnamespace: {name: n, start: 0, end: 100 %}\n" + TWO)
    folder = write("c.yaml", "key: c\nstatus: running\nnamespace: {name: n, start: 30 %, end: 70 %}\n" + TWO)
    assert problems(folder) == [
        "manifest/c.yaml:3: namespace: overlaps with a from 30 % to 40 %: both would get these visitors; "
        "move one of the slices"
    ]


def test_validate_prints_every_problem_and_exits_with_one_for_ci(write):
    folder = write("a.yaml", "key: a\nstatus: runing\nvariants: []\n")
    result = CliRunner().invoke(commands.validate_command, ["--manifest", str(folder)])
    assert result.exit_code == 1
    assert "manifest/a.yaml:2: status: 'runing'" in result.output
    assert result.output.endswith("2 problems\n")


def test_validate_finds_no_problem_in_the_demo():
    result = CliRunner().invoke(commands.validate_command, ["--manifest", str(PROJECT / "manifest")])
    assert (result.exit_code, result.output) == (
        0,
        "9 experiments, no problems: buy-button (running), checkout-steps (running), cta-color (running), "
        "footer-links (running), free-shipping (running), hero (running), newsletter (running), "
        "sticky-header (stopped), tea-cards (running)\n",
    )


# --- the schema, and the public form -------------------------------------------------------------------------


def test_the_schema_in_the_folder_is_what_the_models_say():
    assert (PROJECT / "manifest/schema.json").read_text() == commands.schema_text(), (
        "run: abacus schema > manifest/schema.json"
    )


def test_every_demo_file_names_the_schema():
    for file in (PROJECT / "manifest").glob("*.yaml"):
        assert file.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


def test_the_public_form_says_nothing_private_and_nothing_that_goes_without_saying():
    shown = public(load(FIXTURES))
    by_key = {e["key"]: e for e in shown["experiments"]}
    assert set(by_key).isdisjoint({"secret", "undecided"})
    assert by_key["even"] == {
        "key": "even",
        "seed": "even",
        "status": "running",
        "variants": [{"key": "a"}, {"key": "b"}],
        "phases": [{"weights": [0.5, 0.5], "coverage": 1.0}],
        "holdout": 0.03,
    }
    assert by_key["won"]["winner"] == "b"
    assert by_key["paused"]["status"] == "paused"
    assert by_key["new-seed"]["phases"][1]["seed"] == "new-seed-1"
    assert by_key["left"]["namespace"] == {"name": "checkout", "start": 0.0, "end": 0.4}
    assert by_key["numbered-pages"]["urls"] == {"include": [{"type": "regex", "pattern": r"^/p/\d+"}], "exclude": []}
    assert "not for readers" not in json.dumps(shown)


# --- nothing that a file can hold is a traceback -------------------------------------------------------------

SCRAPS = st.sampled_from(
    [
        *("key", "a", ": ", "\n", "  ", "- ", "status", "running", "variants", "{", "}", "[", "]", ",", '"', "'", "&x"),
        *("*x", "!!str", "<<", "|", ">", "#", "50 %", "phases", "condition", "$in", "? ", "---", "\t", "\\", "\x85"),
    ]
)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=80), st.lists(SCRAPS, max_size=40).map("".join)), st.sampled_from(["yaml", "json"]))
def test_text_of_any_kind_is_read_or_refused(tmp_path_factory, text, suffix):
    folder = tmp_path_factory.mktemp("any")
    (folder / f"a.{suffix}").write_bytes(text.encode("utf-8", "surrogatepass"))
    read_or_refused(folder)


KEYS = st.sampled_from(["key", "weight", "$in", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["50 %", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["key", "status", "variants", "coverage", "phases", "seed", "namespace", "urls", "condition", "redirect"]
FIELDS += ["goals", "assignment", "minimum_detectable_effect", "start", "end", "winner", "client_key", "experiments"]


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_fields_with_any_value_are_read_or_refused(tmp_path_factory, fields):
    sound = {"key": "a", "status": "running", "variants": [{"key": "x"}, {"key": "y"}]}
    folder = tmp_path_factory.mktemp("fields")
    (folder / "a.json").write_text(json.dumps(sound | fields))
    read_or_refused(folder)


def read_or_refused(folder):
    try:
        manifest = load(folder)
    except Problems as problems:
        assert str(problems)  # noqa: PT017  most of what is invented is refused, and says why
    else:
        json.dumps(public(manifest)).encode()

"""The snippet's files: how big they are, and what goes into them."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest

from abacus.site import snippet
from abacus.site.esbuild import BuildError
from abacus.site.public_manifest import public
from abacus.site.snippet import Options, scripts
from abacus.site.snippet_manifest import compact
from chalicelib.domain.manifest import GoalValue, Manifest, Namespace, Phase, Segment, UrlPattern, Urls
from tests.browser.snippet.site import an_experiment

PLAIN = Manifest(experiments=(an_experiment("cta-color", "blue green"), an_experiment("hero")))
EVERYTHING = Manifest(
    experiments=(
        an_experiment(
            "cta-color",
            "blue green",
            namespace=Namespace(name="shop", start=0, end=0.5),
            condition={"country": {"$in": ["SE", "NO"]}},
            goals=("signup",),
            goal_values={"signup": GoalValue(unit="EUR", cap=50_000)},
        ),
        an_experiment(
            "hero",
            urls=Urls(include=(UrlPattern(pattern="/shop/*"),)),
            redirect={"bold": "https://example.com/b"},
        ),
    )
)


def on_the_wire(manifest: Manifest, **options: Any) -> int:
    """Bytes of /ab.js as `gzip -9` makes them."""
    return len(gzip.compress(scripts(public(manifest), Options(**options))["ab.js"], 9, mtime=0))


def both_parts(manifest: Manifest) -> str:
    built = scripts(public(manifest), Options())
    return "".join(body.decode() for name, body in built.items() if re.fullmatch(r"ab\.js|ab\.count-.*", name))


def test_the_core_with_two_plain_experiments_is_at_most_2048_bytes() -> None:
    assert on_the_wire(PLAIN) <= 2048


def test_everything_in_use_is_at_most_3072_bytes() -> None:
    assert on_the_wire(EVERYTHING, consent=True, global_privacy_control=True) <= 3072


def counting_file(manifest: Manifest, **options: Any) -> int:
    built = scripts(public(manifest), Options(**options))
    [size] = [len(gzip.compress(body, 9, mtime=0)) for name, body in built.items() if name.startswith("ab.count-")]
    return size


def test_segments_cost_the_first_file_at_most_100_bytes_and_nothing_where_the_page_says_none() -> None:
    def segmented(*segments: Segment) -> Manifest:
        return Manifest(experiments=(PLAIN.experiments[0], an_experiment("hero", segments=segments)))

    device = segmented(Segment(name="device", values=("mobile",)))
    assert scripts(public(device), Options()) == scripts(public(PLAIN), Options())
    page_says = segmented(
        Segment(name="visitor", values=("new", "returning")),
        Segment(name="plan", values=("free", "pro"), attribute=True),
    )
    assert on_the_wire(page_says) <= on_the_wire(PLAIN) + 100
    assert counting_file(page_says) <= 2048


def test_the_file_that_counts_is_at_most_2048_bytes() -> None:
    built = scripts(public(EVERYTHING), Options(consent=True, global_privacy_control=True))
    sizes = [len(gzip.compress(body, 9, mtime=0)) for name, body in built.items() if name.startswith("ab.count-")]
    assert len(sizes) == 1  # the blocking and the asynchronous script share it
    assert max(sizes) <= 2048


def test_what_no_experiment_uses_is_left_out() -> None:
    plain, everything = (both_parts(manifest) for manifest in (PLAIN, EVERYTHING))
    for part in ("currententrychange", "URLSearchParams", "location.replace", "IntersectionObserver"):
        assert (part in plain, part in everything) == (part == "IntersectionObserver", True), part
    assert "globalPrivacyControl" not in everything
    assert "globalPrivacyControl" in scripts(public(PLAIN), Options(global_privacy_control=True))["ab.js"].decode()


def test_operators_that_no_condition_uses_are_left_out() -> None:
    using = Manifest(experiments=(an_experiment(condition={"age": {"$gte": 18}, "x": {"$not": {"$regex": "a"}}}),))
    built = scripts(public(using), Options())["ab.js"].decode()
    assert ('"$gte"' in built, '"$regex"' in built, '"$veq"' in built) == (True, True, False)


def test_nothing_is_declared_outside_of_the_file_and_nothing_is_thrown_out_of_it() -> None:
    for name in ("ab.js", "ab.async.js", "ab.debug.js"):
        built = scripts(public(EVERYTHING), Options())[name].decode()
        assert re.fullmatch(r"try\{(let|const) .*\}catch\{\}", built, re.DOTALL), name


def test_functions_that_run_before_the_first_paint_are_compiled_at_once() -> None:
    for name, body in scripts(public(EVERYTHING), Options()).items():
        assert b"EAGER" not in body, name
    assert "=>((...e)=>{try{" in scripts(public(PLAIN), Options())["ab.js"].decode()


def test_rows_say_what_the_snippet_needs_and_no_more() -> None:
    phases = (Phase(weights=(0.9, 0.1)), Phase(weights=(0.5, 0.5), seed="s"), Phase(weights=(0.2, 0.8), seed="s"))
    manifest = Manifest(
        experiments=(
            an_experiment("plain"),
            an_experiment("fifth", "a b", phases=(Phase(weights=(0.5, 0.5), coverage=0.2),)),
            an_experiment("again", "a b", phases=phases),
            an_experiment("paused", "a b", status="paused"),
            an_experiment("over", "a b", status="stopped", winner="b", urls=Urls(include=(UrlPattern(pattern="/x"),))),
            an_experiment("draft", "a b", status="draft"),
            an_experiment("last", "a b", start=5),
        )
    )
    rows = compact(public(manifest))
    assert rows[0] == ["plain", [["plain", 5000], ["bold", 10000]]]
    assert rows[1] == ["fifth", [["a", 1000], ["", 5000], ["b", 6000], ["", 10000]]]
    assert rows[2] == ["again", [["a", 2000], ["b", 10000]], 2, 1, "s"]
    assert rows[3] == ["paused", [["a", 10000]], 0, 1, ""]
    assert rows[4][:5] == ["over", [["a", 0], ["b", 10000]], 0, 1, ""]
    assert rows[4][5].keys() == {"u"}
    assert rows[5][5] == {"t": [5, 8.64e15]}


def test_the_module_reads_the_same_rows() -> None:
    built = scripts(public(EVERYTHING), Options())
    assert json.loads(built["ab.json"]) == {
        "experiments": compact(public(EVERYTHING)),
        "goals": {"signup": ["cta-color"]},
        "valued": ["cta-color:signup"],
    }


def test_a_wrong_option_is_refused_by_name(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "options.json").write_text('{"consent": "yes"}')
    monkeypatch.setattr(snippet, "SNIPPET", tmp_path)
    with pytest.raises(BuildError, match=r"options\.json: consent: Input should be a valid boolean"):
        snippet.options()

"""A holdout: the same visitors out of every experiment, who stay where they are when it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from abacus.authoring.load import load
from abacus.authoring.problems import Problems
from abacus.publishing.changes import changes
from chalicelib.domain.holdout import holdout_experiment, with_holdout, with_live_holdout
from chalicelib.domain.manifest import GoalValue, Manifest
from tests.support.builders import an_experiment
from tests.support.growthbook_sdks import visitors

IDS = visitors(2_000)


def declared(*experiments: object, share: float = 0.05) -> Manifest:
    return Manifest(experiments=with_holdout(tuple(experiments), share))  # type: ignore[arg-type]


def test_the_holdouts_visitors_take_part_in_nothing_and_all_others_in_everything() -> None:
    manifest = declared(an_experiment("one"), an_experiment("two"))
    held_out = 0
    for visitor in IDS:
        assigned = {e.key: e.assign(visitor, 0) for e in manifest.experiments}
        out = assigned.pop("holdout") == "holdout"
        assert {variant is None for variant in assigned.values()} == {out}
        held_out += out
    assert 60 < held_out < 140  # 100 expected, standard deviation 9.7


def test_it_compares_on_the_goals_of_all_running_experiments() -> None:
    euros, francs = GoalValue(unit="EUR", cap=500), GoalValue(unit="CHF", cap=500)
    one = an_experiment("one", goals=("order", "signup", "tip"), goal_values={"order": euros, "tip": euros})
    two = an_experiment("two", goals=("order", "tip"), goal_values={"order": euros, "tip": francs})
    over = an_experiment("over", goals=("old",), status="stopped")
    holdout = holdout_experiment(0.05, (one, two, over))
    assert (holdout.goals, holdout.goal_values) == (("order", "signup", "tip"), {"order": euros})


def test_a_goal_that_should_be_low_is_so_for_the_holdout_and_stays_so_while_visitors_are_counted() -> None:
    low = an_experiment("one", goals=("error",), lower_is_better=("error",))
    live = declared(low)
    assert live.experiment("holdout").lower_is_better == ("error",)  # type: ignore[union-attr]
    wanted = declared(low, an_experiment("two", goals=("error",)))
    assert wanted.experiment("holdout").lower_is_better == ()  # type: ignore[union-attr]
    assert [c for c in changes(live, with_live_holdout(live, wanted)) if c.kind == "refusal"] == []


def test_an_experiment_that_has_visitors_goes_on_as_it_began() -> None:
    live = Manifest(experiments=(an_experiment("old"), an_experiment("draft", status="draft")))
    wanted = declared(an_experiment("old"), an_experiment("draft"), an_experiment("new"))
    published = with_live_holdout(live, wanted)
    assert {e.key: e.holdout for e in published.experiments} == {"old": 0, "draft": 0.05, "new": 0.05, "holdout": 0}


def test_its_share_is_fixed_while_it_runs_and_stopping_it_keeps_what_was_counted() -> None:
    live = declared(an_experiment("one"))
    larger = with_live_holdout(live, declared(an_experiment("one"), an_experiment("two"), share=0.1))
    (refusal,) = [c for c in changes(live, larger) if c.kind == "refusal"]
    assert refusal.text.startswith("holdout: 5 % → 10 %: ")
    assert {e.key: e.holdout for e in larger.experiments if e.key != "holdout"} == {"one": 0.05, "two": 0.05}
    stopped = with_live_holdout(live, declared(an_experiment("one"), an_experiment("two"), share=0))
    assert [c for c in changes(live, stopped) if c.kind == "refusal"] == []
    assert {e.key: e.holdout for e in stopped.experiments} == {"one": 0.05, "two": 0, "holdout": 0}
    gone = with_live_holdout(live, Manifest(experiments=(an_experiment("one"),)))
    (refusal,) = [c for c in changes(live, gone) if c.kind == "refusal"]
    assert "Write `holdout: 0 %` first" in refusal.text


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("holdout: 60 %\n", "60 % is more than 50 %"),
        (
            "holdout: 5 %\nexperiments: [{key: holdout, status: draft, variants: [{key: a}, {key: b}]}]\n",
            "choose another key",
        ),
        ("holdout: 5\n", "Did you mean 5 %?"),
    ],
)
def test_a_holdout_that_cannot_be_is_explained(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "site.yaml").write_text(text)
    with pytest.raises(Problems, match=rule):
        load(tmp_path)


def test_two_files_may_not_both_declare_one(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("holdout: 5 %\n")
    with pytest.raises(Problems, match="once is enough"):
        load(tmp_path)

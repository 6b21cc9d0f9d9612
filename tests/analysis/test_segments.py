"""Results by segment: effects, whether they differ, where the split is off, and the post-stratified estimate."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from chalicelib.analysis.segments.adjusted import adjusted_comparisons
from chalicelib.analysis.segments.effects import interaction, metrics_by_value
from chalicelib.analysis.segments.samples import SegmentSamples, select_by
from chalicelib.analysis.segments.split import split_by_value
from chalicelib.domain.manifest import GoalValue, Phase, Segment
from chalicelib.domain.metrics import MetricName
from chalicelib.storage.tally import Cell, Tallies, Tally
from tests.support.builders import an_experiment
from tests.support.tallied import Arm, a_tally, report_on, totals

BROWSERS = ("chrome", "safari", "firefox", "edge")
EXPERIMENT = an_experiment(
    segments=(Segment(name="browser", values=BROWSERS), Segment(name="device", values=("mobile", "desktop")))
)


def samples(experiment=EXPERIMENT, name: str = "browser", phase: int = 0, **values: dict[str, Arm | Tally]):
    """chrome={"blue": (1000, 100), "green": (1000, 110)}: visitors and converted, by value and variant."""
    totals: Tallies = {}
    tallies: Tallies = {}
    for value, arms in values.items():
        for variant, arm in arms.items():
            tally = arm if isinstance(arm, Tally) else a_tally(*arm)
            tallies[Cell("segment", f"{name}={value}", phase, variant)] = tally
            totals.setdefault(Cell("total", "", phase, variant), Tally()).add(tally)
    segment = next(segment for segment in experiment.segments if segment.name == name)
    return select_by(experiment, segment, totals, tallies)


def test_every_value_is_compared_and_the_effect_on_one_device_alone_is_an_interaction() -> None:
    found = samples(
        name="device",
        mobile={"blue": (10_000, 1000), "green": (10_000, 1300)},
        desktop={"blue": (10_000, 1000), "green": (10_000, 1005)},
    )
    [click] = metrics_by_value(found)
    assert {value: c.direction for value, (c,) in click.comparisons.items()} == {"mobile": "higher", "desktop": "open"}
    [effect] = click.interactions
    # By hand: L = ln 1.3, ln 1.005; V = 1/1000 - 1/10000 + 1/x - 1/10000; Q = (L1 - L2)²/(V1 + V2).
    variances = [1 / 1000 - 1 / 10_000 + 1 / x - 1 / 10_000 for x in (1300, 1005)]
    q = (math.log(1.3) - math.log(1.005)) ** 2 / sum(variances)
    assert effect.q == pytest.approx(q, rel=1e-12)
    assert effect.p == pytest.approx(math.erfc(math.sqrt(q / 2)), rel=1e-9)
    assert effect.differs


def test_the_same_effect_everywhere_is_no_interaction() -> None:
    arms: dict[str, Arm] = {"blue": (5000, 500), "green": (5000, 600)}
    [effect] = metrics_by_value(samples(chrome=arms, safari=arms, firefox=arms))[0].interactions
    assert (effect.q, effect.p, effect.differs) == (pytest.approx(0, abs=1e-9), pytest.approx(1), False)


def test_a_value_with_few_conversions_is_collecting_in_the_interaction_only() -> None:
    found = samples(chrome={"blue": (500, 50), "green": (500, 60)}, safari={"blue": (50, 3), "green": (50, 4)})
    [effect] = metrics_by_value(found)[0].interactions
    assert (effect.values, effect.p) == (("chrome",), None)
    assert [c.direction for cs in metrics_by_value(found)[0].comparisons.values() for c in cs] == ["open", "open"]


def test_more_values_widen_the_intervals_and_raise_p() -> None:
    arms: dict[str, Arm] = {"blue": (5000, 500), "green": (5000, 600)}
    one, two = (metrics_by_value(samples(**values))[0] for values in ({"chrome": arms}, {"chrome": arms, "edge": arms}))
    alone, together = one.comparisons["chrome"][0], two.comparisons["chrome"][0]
    assert alone.p < together.p
    assert together.lift_interval.high > alone.lift_interval.high


def test_false_alarms_of_the_interaction_are_rarer_than_stated() -> None:
    rng = random.Random(1)
    alarms = p_below = 0
    runs = 2000
    for _ in range(runs):
        values = {
            value: {variant: (600, sum(rng.random() < 0.1 for _ in range(600))) for variant in ("blue", "green")}
            for value in ("chrome", "safari")
        }
        effect = interaction(samples(**values), MetricName("click"), "green")
        alarms += effect.differs
        p_below += effect.p is not None and effect.p < 0.05
    assert alarms <= 8  # 0.1 % of 2,000 is 2; more than 8 has a chance of 0.02 %
    assert 0.035 < p_below / runs < 0.065


def visits(rng: random.Random, loss: float) -> SegmentSamples:
    """20,000 visitors; Safari is a quarter of them, and loses `loss` of green's impressions."""
    counts: Counter[tuple[str, str]] = Counter()
    for _ in range(20_000):
        browser = rng.choices(BROWSERS, (55, 25, 12, 8))[0]
        variant = rng.choice(("blue", "green"))
        if not (browser == "safari" and variant == "green" and rng.random() < loss):
            counts[browser, variant] += 1
    return samples(**{b: {v: (counts[b, v], 0) for v in ("blue", "green")} for b in BROWSERS})


def test_a_loss_in_one_browser_is_named_in_at_least_95_of_100_simulations() -> None:
    rng = random.Random(2)
    named = [split_by_value(visits(rng, 0.2)).off for _ in range(100)]
    assert sum(off == ("safari",) for off in named) >= 95


def test_a_split_that_is_right_names_no_browser() -> None:
    rng = random.Random(3)
    states = Counter(split_by_value(visits(rng, 0.0)).state for _ in range(100))
    assert states["alarm"] == 0
    assert states["ok"] >= 99


def test_the_sentence_names_the_browser_and_says_that_the_rest_is_right() -> None:
    found = split_by_value(
        samples(
            chrome={"blue": (10_000, 0), "green": (10_050, 0)},
            safari={"blue": (5000, 0), "green": (4000, 0)},
            firefox={"blue": (1000, 0), "green": (990, 0)},
        )
    )
    assert (found.state, found.off) == ("alarm", ("safari",))
    assert found.text == (
        "The split is off in browser safari: in safari 55.6 % of visitors saw blue in a 50/50 split; without it the "
        "split is right."
    )


def test_a_split_that_is_off_everywhere_names_every_value() -> None:
    arms: dict[str, Arm] = {"blue": (5000, 0), "green": (4000, 0)}
    assert split_by_value(samples(chrome=arms, edge=arms)).off == ("chrome", "edge")


def test_strata_that_explain_much_narrow_the_estimate_of_the_same_effect() -> None:
    found = samples(
        name="device",
        mobile={"blue": (10_000, 200), "green": (10_000, 220)},
        desktop={"blue": (10_000, 4000), "green": (10_000, 4400)},
    )
    [adjusted] = adjusted_comparisons(found)
    # By hand: 4,200 and 4,620 of 20,000; V = Σ ¼ p(1 - p)/9,999 against p(1 - p)/19,999 of all.
    assert adjusted.lift == pytest.approx(0.1, rel=1e-9)
    assert adjusted.difference == pytest.approx(0.021, rel=1e-9)
    within = sum(p * (1 - p) for p in (0.02, 0.022, 0.4, 0.44)) / 4 / 9999
    overall = sum(p * (1 - p) for p in (0.21, 0.231)) / 19_999
    assert adjusted.gain == pytest.approx(1 - within / overall, rel=1e-9)
    assert adjusted.gain > 0.2


def test_phases_with_another_split_do_not_bias_the_adjusted_estimate() -> None:
    experiment = EXPERIMENT.model_copy(update={"phases": (Phase(weights=(0.9, 0.1)), Phase(weights=(0.5, 0.5)))})
    totals: Tallies = {}
    tallies: Tallies = {}
    for phase, blue, green in ((0, (9000, 900), (1000, 100)), (1, (5000, 1500), (5000, 1500))):
        for variant, arm in (("blue", blue), ("green", green)):
            tallies[Cell("segment", "browser=chrome", phase, variant)] = a_tally(*arm)
            totals[Cell("total", "", phase, variant)] = a_tally(*arm)
    found = select_by(experiment, experiment.segments[0], totals, tallies)
    [adjusted] = adjusted_comparisons(found)
    assert adjusted.lift == pytest.approx(0, abs=1e-12)


def test_revenue_is_compared_by_value_in_minor_units() -> None:
    experiment = EXPERIMENT.model_copy(
        update={"goals": ("buy",), "goal_values": {"buy": GoalValue(unit="EUR", decimals=2, cap=50_000)}}
    )

    def spent(visitors: int, buyers: int, cents: int) -> Tally:
        tally = a_tally(visitors, 0, goals={"buy": buyers})
        tally.value_sum["buy"] = buyers * cents
        tally.value_squares["buy"] = buyers * cents * cents
        return tally

    found = samples(
        experiment,
        chrome={"blue": spent(5000, 500, 2000), "green": spent(5000, 500, 3000)},
        safari={"blue": spent(5000, 50, 2000), "green": spent(5000, 50, 2000)},
    )
    value = metrics_by_value(found)[-1]
    assert (str(value.metric), value.unit, value.decimals) == ("buy.value", "EUR", 2)
    assert value.comparisons["chrome"][0].lift == pytest.approx(0.5)
    assert value.comparisons["chrome"][0].direction == "higher"
    assert value.comparisons["safari"][0].direction == "collecting"
    assert value.arms["chrome"][0].estimate == pytest.approx(200)


def test_visitors_of_an_earlier_version_are_in_no_segment_and_said_so() -> None:
    found = samples(chrome={"blue": (100, 1), "green": (100, 1)})
    found.whole.arms[next(iter(found.whole.arms))].add(a_tally(7, 0))
    assert found.without == 7


def test_the_check_of_the_split_says_by_what_to_look_where_there_are_segments() -> None:
    tallies = totals(blue=(5000, 0), green=(4000, 0))
    texts = []
    for experiment in (an_experiment(), EXPERIMENT):
        checks = {c["name"]: c["text"] for c in report_on(tallies, experiment=experiment)["health"]["checks"]}
        texts.append(checks["srm"])
    assert texts[1] == f"{texts[0]} Look at it by browser and device: one may be the cause."

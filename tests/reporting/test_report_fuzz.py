"""Whatever the tallies say, the report is JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.analysis.checks.ledger import Ledger
from chalicelib.domain.manifest import Experiment, Phase, Variant
from chalicelib.reporting.report import Question, ReportContext, report, summary
from chalicelib.storage.tally import Cell, Tallies, Tally
from tests.support.tallied import NOW, as_json

COUNT = st.one_of(st.integers(0, 20), st.sampled_from([0, 1, 10**6, 10**8]), st.integers(-3, 10**5))
WEIGHT = st.sampled_from([0.0, 0.001, 0.1, 0.5, 1.0])
DAYS = ("2026-11-01", "2026-11-02", "2026-11-20")


@st.composite
def a_cell(draw: st.DrawFn, variants: int) -> tuple[Cell, Tally]:
    span = draw(st.sampled_from(["total", "day", "hour"]))
    when = {"total": "", "day": draw(st.sampled_from(DAYS)), "hour": "2026-11-20T13"}[span]
    plain = {name: draw(COUNT) for name in Tally.PLAIN}
    visitors = plain["visitors"]
    if draw(st.booleans()):  # most often what real tallies look like
        plain |= {"impressions": visitors * 2, "sx": visitors * 2, "sxx": visitors * 4}
    converted = draw(st.one_of(st.just(visitors), st.just(0), COUNT))
    tally = Tally(**plain, converted=Counter(click=converted), excluded=Counter(bot=draw(COUNT)))
    return Cell(span, when, draw(st.integers(0, 3)), f"v{draw(st.integers(0, variants))}"), tally


@st.composite
def a_question(draw: st.DrawFn) -> tuple[Experiment, Tallies]:
    variants = draw(st.integers(2, 10))
    weights = st.lists(WEIGHT, min_size=variants, max_size=variants).map(tuple)
    experiment = Experiment(
        key="fuzz",
        status=draw(st.sampled_from(["running", "paused", "stopped"])),
        variants=tuple(Variant(key=f"v{i}") for i in range(variants)),
        phases=tuple(Phase(weights=w) for w in draw(st.lists(weights, min_size=1, max_size=3))),
        seed="fuzz",
        assignment=draw(st.sampled_from(["hash", "client"])),
        minimum_detectable_effect=draw(st.sampled_from([None, 0.01, 0.5])),
    )
    return experiment, dict(draw(st.lists(a_cell(variants), max_size=12)))


@settings(max_examples=150)
@given(a_question(), st.sampled_from(["none", "day", "hour"]), st.sampled_from([None, date(2026, 11, 2)]))
def test_whatever_was_counted_the_report_is_json(
    question: tuple[Experiment, Tallies], series: Any, start: date | None
) -> None:
    experiment, tallies = question
    entries = Ledger(received=1, accepted=1, counted=1, excluded=0, refused={"capped": 2})
    asked = Question(series=series, start=start)
    answer = as_json(report(experiment, tallies, asked, ReportContext(NOW, entries=entries, refused={"capped": 2})))
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


@settings(max_examples=50)
@given(a_question())
def test_whatever_was_counted_the_summary_is_json(question: tuple[Experiment, Tallies]) -> None:
    answer = as_json(summary(*question, ReportContext(NOW)))
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


@settings(max_examples=100)
@given(a_question())
def test_probabilities_and_rates_stay_between_0_and_1(question: tuple[Experiment, Tallies]) -> None:
    answer = as_json(report(*question, Question(), ReportContext(NOW)))
    found = [row[name] for row in answer["variants"] for name in ("rate", "p_best", "expected_loss")]
    found += [c["p"] for c in answer["comparisons"]] + [answer["health"]["srm"]["p"]]
    assert all(0 <= value <= 1 and not math.isnan(value) for value in found if value is not None)

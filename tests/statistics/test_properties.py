"""Properties between routines, for any counts; reference values are in test_reference_values.py."""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import pkgutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from random import Random
from types import FunctionType

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import chalicelib.statistics
from chalicelib.statistics import (
    Counts,
    Interval,
    effects,
    multiple_testing,
    power,
    rates,
    ratio,
    shrinkage,
    srm,
    stratified,
)
from chalicelib.statistics.numerics import dirichlet, normal
from chalicelib.statistics.sequential import conditional, lift_evidence

PREFIX = "chalicelib.statistics."
MODULES = [
    module.name.removeprefix(PREFIX)
    for module in pkgutil.walk_packages(chalicelib.statistics.__path__, PREFIX)
    if not module.ispkg
]
LARGE = st.one_of(st.integers(1, 50), st.integers(1, 10**5), st.sampled_from([10**6, 10**8]))


def koopman(a: Counts, b: Counts, alpha: float = 0.05) -> Interval:
    return effects.lift_interval(a, b, normal.critical(alpha))


def mee(a: Counts, b: Counts, alpha: float = 0.05) -> Interval:
    return effects.difference_interval(a, b, normal.critical(alpha))


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    visitors = draw(LARGE)
    return Counts(draw(st.one_of(st.just(0), st.just(visitors), st.integers(0, visitors))), visitors)


@example(Counts(0, 5), Counts(10**8, 10**8), 0.05)  # the score is nearly a step at 0
@given(counts(), counts(), st.sampled_from([0.05, 0.01]))
def test_the_confidence_sequence_excludes_nothing_exactly_when_p_is_below_alpha(
    a: Counts, b: Counts, alpha: float
) -> None:
    p = lift_evidence.evidence(a, b).p
    assume(abs(p - alpha) > 1e-9)
    low, high = lift_evidence.confidence_sequence(a, b, alpha)
    assert (low <= 0 <= high) == (p > alpha)


@given(counts(), counts(), st.sampled_from([0.05, 0.01]))
def test_every_fixed_interval_excludes_nothing_exactly_when_the_z_test_says_so(
    a: Counts, b: Counts, alpha: float
) -> None:
    assume(0 < a.converted + b.converted < a.visitors + b.visitors)
    p = rates.z_test(a, b).p
    assume(abs(p - alpha) > 1e-6)
    inside = [interval.low <= 0 <= interval.high for interval in (koopman(a, b, alpha), mee(a, b, alpha))]
    assert inside == [p > alpha] * 2


@given(counts(), counts())
def test_swapping_the_arms_turns_the_difference_round(a: Counts, b: Counts) -> None:
    there, back = mee(a, b), mee(b, a)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), rel=1e-9, abs=1e-15)


@given(counts(), counts())
def test_swapping_the_arms_inverts_the_ratio(a: Counts, b: Counts) -> None:
    assume(a.converted and b.converted)
    there, back = koopman(a, b), koopman(b, a)
    assert there.low == pytest.approx(-back.high / (1 + back.high), rel=1e-9, abs=1e-12)


@given(counts(), counts())
def test_the_interval_holds_the_estimate(a: Counts, b: Counts) -> None:
    estimate = effects.lift(a, b)
    assume(estimate is not None)
    low, high = lift_evidence.confidence_sequence(a, b)
    assert low <= estimate <= high  # type: ignore[operator]


@given(counts())
def test_wilson_stays_between_0_and_1_and_holds_the_rate(arm: Counts) -> None:
    low, high = rates.wilson(*arm)
    assert 0 <= low <= arm.converted / arm.visitors <= high <= 1


@given(counts(), counts())
def test_alike_arms_are_no_evidence(a: Counts, b: Counts) -> None:
    assert lift_evidence.evidence(a, a).p == 1
    assert math.isclose(lift_evidence.evidence(a, b).p, lift_evidence.evidence(b, a).p, rel_tol=1e-9)


@st.composite
def strata(draw: st.DrawFn) -> list[stratified.Stratum]:
    return [stratified.Stratum(draw(counts()), draw(counts())) for _ in range(draw(st.integers(1, 4)))]


@settings(deadline=None)
@example([stratified.Stratum(Counts(0, 5), Counts(10**8, 10**8))], 0.05, [1.0])
@example(
    [stratified.Stratum(Counts(1, 1), Counts(1, 1)), stratified.Stratum(Counts(0, 5), Counts(10**6, 10**6))],
    0.05,
    [1.0, 1.0],
)
@given(strata(), st.sampled_from([0.05, 0.01]), st.lists(st.floats(0.1, 10), min_size=4, max_size=4))
def test_over_several_phases_the_interval_excludes_nothing_exactly_when_p_is_below_alpha(
    pairs: list[stratified.Stratum], alpha: float, factors: list[float]
) -> None:
    weights = [
        f * stratified.harmonic_weight([a.visitors, b.visitors]) for f, (a, b) in zip(factors, pairs, strict=False)
    ]
    evidence = stratified.combine(pairs, weights=weights).evidence
    assume(abs(evidence.p - alpha) > 1e-6)
    low, high = stratified.lift_interval(pairs, weights, lift_evidence.critical(evidence.info, alpha))
    assert (low <= 0 <= high) == (evidence.p > alpha)


@given(counts(), counts())
def test_one_stratum_has_the_interval_of_the_plain_comparison(a: Counts, b: Counts) -> None:
    factor = math.sqrt((a.visitors + b.visitors - 1) / (a.visitors + b.visitors))
    plain, one = (
        effects.lift_interval(a, b, 3.0),
        stratified.lift_interval([stratified.Stratum(a, b)], [2.0], 3 * factor),
    )
    assert one == pytest.approx(plain, rel=1e-6, abs=1e-9)


@given(st.floats(0, 40), st.floats(1e-6, 1e8), st.sampled_from([0.05, 0.001]))
def test_the_critical_score_is_where_p_reaches_alpha(z: float, info: float, alpha: float) -> None:
    critical = lift_evidence.critical(info, alpha)
    assert lift_evidence.mixture(critical, info).p == pytest.approx(alpha, rel=1e-9)
    assert (lift_evidence.mixture(z, info).p <= alpha) == (z >= critical) or z == pytest.approx(critical)


@st.composite
def ratios(draw: st.DrawFn) -> list[shrinkage.LogRatio]:
    control = draw(counts())
    return [shrinkage.log_ratio(tuple(control), tuple(draw(counts()))) for _ in range(draw(st.integers(1, 4)))]


@settings(deadline=None, max_examples=60)
@given(ratios())
def test_one_variant_is_the_best(estimates: list[shrinkage.LogRatio]) -> None:
    answer = shrinkage.best(0.1, estimates)
    assert sum(variant.p_best for variant in answer) == pytest.approx(1, abs=1e-6)
    assert all(0 <= variant.p_best <= 1 and variant.expected_loss >= 0 for variant in answer)


@settings(deadline=None, max_examples=60)
@given(counts(), counts())
def test_of_two_variants_the_chance_to_be_best_is_the_chance_to_be_better(a: Counts, b: Counts) -> None:
    estimate = shrinkage.log_ratio(tuple(a), tuple(b))
    shrunk = shrinkage.shrink(estimate.mean, math.sqrt(estimate.variance))
    assert shrinkage.best(0.1, [estimate])[1].p_best == pytest.approx(shrunk.p_positive, abs=1e-6)
    assert shrunk.interval.low <= shrunk.lift <= shrunk.interval.high


@given(counts(), counts())
def test_the_shrunk_lift_has_the_sign_of_the_lift_and_is_smaller(a: Counts, b: Counts) -> None:
    measured, estimate = effects.lift(a, b), shrinkage.log_ratio(tuple(a), tuple(b))
    assume(measured is not None)
    shrunk = shrinkage.shrink(estimate.mean, math.sqrt(estimate.variance)).lift
    if measured == 0:
        assert abs(shrunk) < 1e-12
    else:
        assert 0 <= shrunk / measured <= 1 + 1e-9  # type: ignore[operator]


@pytest.mark.parametrize(("of", "lowest"), [(max, False), (min, True)])
def test_the_chance_to_be_best_is_that_of_a_simulation(of: Callable[..., int], lowest: bool) -> None:
    """Four independent normals, drawn 200,000 times: each share within 5 standard errors, 0.006."""
    rng, normals = Random(3), [(0.0, 0.02), (0.03, 0.05), (0.01, 0.01), (-0.02, 0.1)]
    wins = Counter(of(range(4), key=[rng.gauss(mean, sd) for mean, sd in normals].__getitem__) for _ in range(200_000))
    integral = [chance for chance, _ in shrinkage._best_of(normals, lowest)]
    assert integral == pytest.approx([wins[i] / 200_000 for i in range(4)], abs=0.006)


# To 40 digits with mpmath, by bisection on the definition.
FAR_OUT = [
    (mee, (0, 2), (100, 10**8), (-0.657618772493385, 1.21614243961704e-6)),
    (mee, (99_999_999, 10**8), (99_999_990, 10**8), (-1.75205622470205e-7, -3.13882669574233e-8)),
    (mee, (0, 1), (10**6, 10**8), (-0.783450686003067, 0.0100195202272752)),
    (koopman, (99_999_999, 10**8), (99_999_990, 10**8), (-1.75205623891397e-7, -3.13882682626745e-8)),
    (koopman, (10**8, 10**8), (99_999_999, 10**8), (-5.66493404114364e-8, 2.84145880148683e-8)),
]


@pytest.mark.parametrize(("interval", "a", "b", "expected"), FAR_OUT)
def test_intervals_keep_their_digits_where_rates_are_nearly_0_or_1(
    interval: Callable[[Counts, Counts], Interval],
    a: tuple[int, int],
    b: tuple[int, int],
    expected: tuple[float, float],
) -> None:
    assert interval(Counts(*a), Counts(*b)) == pytest.approx(expected, rel=1e-9, abs=0)


def test_the_evidence_of_a_few_labels_is_exact() -> None:
    # To 40 digits with mpmath.
    assert dirichlet.ln_evidence([3, 1], [99, 1], 10) == pytest.approx(-0.259764325994277, rel=1e-12)


def test_one_stratum_is_the_plain_comparison_but_for_the_variance_factor() -> None:
    pair = stratified.Stratum(Counts(1311, 25_000), Counts(1381, 25_000))
    assert stratified.combine([pair]).evidence.z == pytest.approx(rates.pooled_z(*pair) * math.sqrt(49_999 / 50_000))


def test_strata_without_a_pair_say_nothing() -> None:
    empty = stratified.Stratum(Counts(5, 10), Counts(0, 0))
    assert stratified.combine([empty]).evidence.p == 1
    assert stratified.lift_interval([], [], 1.96) == (-1, math.inf)
    assert stratified.combine([stratified.Stratum(Counts(0, 1), Counts(0, 0))]).evidence.info == 0
    assert stratified.heterogeneity([empty]) == (0, 0, 1, 0, None, None, None)
    pair = stratified.Stratum(Counts(5, 10), Counts(6, 10))
    assert stratified.heterogeneity([pair, empty]).df == 0


def test_an_arm_without_weight_is_proof_once_it_is_seen_and_nothing_before() -> None:
    assert srm.split_test([10, 10, 0], [1, 1, 0]) == srm.split_test([10, 10], [1, 1])
    assert (srm.split_test([10, 10, 1], [1, 1, 0]).p, srm.split_evidence([([10, 10, 1], [1, 1, 0])]).p) == (0, 0)


def test_converters_add_up_over_phases() -> None:
    one, two = conditional.Converters(20, 30, 0.5, 0.5), conditional.Converters(5, 40, 0.2, 0.8)
    sums = [conditional.exact_evidence(phases, [0.1]).ln_e for phases in ([one], [two], [one, two])]
    assert sums[2] == pytest.approx(sums[0] + sums[1])


def test_a_ratio_without_impressions_says_nothing() -> None:
    nothing = ratio.Sums(0, 0, 0, 0, 0, 0)
    assert ratio.ratio(nothing) == (None, 0, None, None, None)
    assert ratio.ratio_test(nothing, nothing) is None


@st.composite
def sums(draw: st.DrawFn) -> ratio.Sums:
    visitors = draw(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), min_size=1, max_size=30))
    n, sx, sy = len(visitors), sum(x for x, _ in visitors), sum(y for _, y in visitors)
    squares = (sum(x * x for x, _ in visitors), sum(y * y for _, y in visitors), sum(x * y for x, y in visitors))
    return ratio.Sums(n, sx, sy, *squares)


@given(sums())
def test_a_ratio_is_within_its_interval_which_has_a_width(values: ratio.Sums) -> None:
    answer = ratio.ratio(values)
    assume(answer.interval is not None)
    low, high = answer.interval  # type: ignore[misc]
    assert low <= answer.ctr <= high  # type: ignore[operator]
    assert low < high


def test_an_arm_without_clicks_does_not_win_or_lose_by_its_missing_variance() -> None:
    """20 of 1,000 against 0 of 111: p = 6e-6 with the arms' own variances; Fisher's exact test says 0.25."""
    test = ratio.ratio_test(ratio.Sums(1000, 1000, 20, 1000, 20, 20), ratio.Sums(111, 111, 0, 111, 0, 0))
    assert test is not None
    assert 0.13 < test.p < 0.14


def test_a_lift_that_no_rate_can_have_cannot_be_detected() -> None:
    assert power.anytime_detectable_lift(0.9, 10) is None
    assert power.anytime_detectable_lift(1.0, 10) is None


@settings(deadline=None)
@given(st.floats(0.001, 0.5), st.floats(0.01, 0.9), st.floats(0.1, 10))
def test_sample_size_and_detectable_lift_are_inverse(rate: float, effect: float, split: float) -> None:
    n = power.anytime_sample_size(rate, effect, ratio=split)
    assert power.anytime_detectable_lift(rate, n, ratio=split) == pytest.approx(effect, rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_adjusted_p_values_never_shrink_and_holm_is_the_stricter(p_values: list[float]) -> None:
    holm, bh = multiple_testing.holm(p_values), multiple_testing.benjamini_hochberg(p_values)
    assert all(p <= b * (1 + 1e-12) and b <= h * (1 + 1e-12) for p, b, h in zip(p_values, bh, holm, strict=True))


@given(st.floats(-300, -1e-6))
def test_the_normal_quantile_inverts_the_tail(ln_p: float) -> None:
    assert math.log(normal.cdf(normal.quantile(math.exp(ln_p)))) == pytest.approx(ln_p, rel=1e-9, abs=1e-12)


def test_nothing_heavy_is_imported() -> None:
    """A cold start pays for every import: `statistics` alone brings fractions, decimal and random, 13 ms."""
    names = ", ".join(f"chalicelib.statistics.{name}" for name in MODULES)
    heavy = {"statistics", "fractions", "decimal", "random", "numpy", "dataclasses"}
    code = f"import sys; import {names}; print(*sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def _public() -> list[tuple[str, FunctionType]]:
    found = []
    for name in MODULES:
        module = importlib.import_module(f"chalicelib.statistics.{name}")
        for key, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_"):
                found.append((f"{name}.{key}", value))
    return found


@pytest.mark.parametrize(("name", "function"), _public(), ids=[name for name, _ in _public()])
def test_every_routine_has_an_example_that_runs(name: str, function: FunctionType) -> None:
    assert ">>>" in (function.__doc__ or "")


@pytest.mark.parametrize("name", MODULES)
def test_the_routines_use_the_standard_library_alone(name: str) -> None:
    source = inspect.getsource(importlib.import_module(f"chalicelib.statistics.{name}"))
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    absolute = {
        (alias.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
        for node in imports
        if isinstance(node, ast.Import) or node.level == 0
        for alias in node.names
    }
    ours = {"chalicelib"}  # chalicelib.statistics alone: the architecture test holds it to that
    assert absolute <= ours | {"__future__", "math", "typing", "collections", "functools"}

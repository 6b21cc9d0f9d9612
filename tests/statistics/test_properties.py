"""What must hold between routines, for any counts; reference values are in test_statistics_fixtures.py."""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from types import FunctionType

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chalicelib.statistics
from chalicelib.statistics import (
    Counts,
    Interval,
    bandit,
    effects,
    multiple_testing,
    power,
    rates,
    ratio,
    srm,
    stratified,
)
from chalicelib.statistics.bayesian import decision
from chalicelib.statistics.numerics import dirichlet, normal
from chalicelib.statistics.sequential import conditional, lift_evidence

PREFIX = "chalicelib.statistics."
MODULES = [
    module.name.removeprefix(PREFIX)
    for module in pkgutil.walk_packages(chalicelib.statistics.__path__, PREFIX)
    if not module.ispkg
]
LARGE = st.one_of(st.integers(1, 50), st.integers(1, 10**5), st.sampled_from([10**6, 10**8]))


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    visitors = draw(LARGE)
    return Counts(draw(st.one_of(st.just(0), st.just(visitors), st.integers(0, visitors))), visitors)


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
    inside = [
        interval.low <= 0 <= interval.high for interval in (effects.koopman(a, b, alpha), effects.mee(a, b, alpha))
    ]
    assert inside == [p > alpha] * 2


@given(counts(), counts())
def test_swapping_the_arms_turns_the_difference_round(a: Counts, b: Counts) -> None:
    there, back = effects.mee(a, b), effects.mee(b, a)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), rel=1e-9, abs=1e-15)


@given(counts(), counts())
def test_swapping_the_arms_inverts_the_ratio(a: Counts, b: Counts) -> None:
    assume(a.converted and b.converted)
    there, back = effects.koopman(a, b), effects.koopman(b, a)
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


@settings(max_examples=30)
@given(st.lists(counts(), min_size=2, max_size=5))
def test_one_variant_is_the_best_and_the_best_loses_least(arms: list[Counts]) -> None:
    found = decision.best(decision.grid(arms))
    assert sum(variant.p_best for variant in found) == pytest.approx(1, abs=1e-9)
    # E max − E θᵢ for each: losses differ by exactly what the means differ.
    levels = [one.expected_loss + decision.mean(arm) for one, arm in zip(found, arms, strict=True)]
    assert levels == pytest.approx([levels[0]] * len(levels), abs=1e-9)


@settings(max_examples=30)
@given(counts(), counts())
def test_the_credible_lift_and_the_chance_to_be_better_agree(a: Counts, b: Counts) -> None:
    grid = decision.grid([a, b])
    found = decision.credible_lift(grid, 0, 1)
    assert found.low <= found.median <= found.high
    assert found.p_better == pytest.approx(decision.best(grid)[1].p_best, abs=1e-8)


# To 40 digits with mpmath, by bisection on the definition.
FAR_OUT = [
    (effects.mee, (0, 2), (100, 10**8), (-0.657618772493385, 1.21614243961704e-6)),
    (effects.mee, (99_999_999, 10**8), (99_999_990, 10**8), (-1.75205622470205e-7, -3.13882669574233e-8)),
    (effects.mee, (0, 1), (10**6, 10**8), (-0.783450686003067, 0.0100195202272752)),
    (effects.koopman, (99_999_999, 10**8), (99_999_990, 10**8), (-1.75205623891397e-7, -3.13882682626745e-8)),
    (effects.koopman, (10**8, 10**8), (99_999_999, 10**8), (-5.66493404114364e-8, 2.84145880148683e-8)),
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


def test_the_chance_to_be_better_has_a_closed_form_for_small_counts() -> None:
    """P(b > a) = Σ_{i<α_b} B(α_a + i, β_a + β_b) / ((β_b + i) B(1 + i, β_b) B(α_a, β_a)). Miller (2014)."""
    (alpha_a, beta_a), (alpha_b, beta_b) = (3.0, 8.0), (6, 5.0)

    def ln_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    expected = sum(
        math.exp(ln_beta(alpha_a + i, beta_a + beta_b) - ln_beta(1 + i, beta_b) - ln_beta(alpha_a, beta_a))
        / (beta_b + i)
        for i in range(alpha_b)
    )
    found = decision.best(decision.grid([(2, 9), (5, 9)], prior=(1.0, 1.0)))
    assert found[1].p_best == pytest.approx(expected, abs=1e-12)


def test_a_prior_too_thin_to_represent_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 0\.06"):
        decision.grid([(0, 5)], prior=(0.01, 0.5))


def test_one_stratum_is_the_plain_comparison_but_for_the_variance_factor() -> None:
    pair = stratified.Stratum(Counts(1311, 25_000), Counts(1381, 25_000))
    assert stratified.combine([pair]).evidence.z == pytest.approx(rates.pooled_z(*pair) * math.sqrt(49_999 / 50_000))


def test_strata_without_a_pair_say_nothing() -> None:
    empty = stratified.Stratum(Counts(5, 10), Counts(0, 0))
    assert stratified.combine([empty]).evidence.p == 1
    assert stratified.lift_interval(stratified.combine([empty]), 1.96) == (-1, math.inf)
    assert stratified.combine([stratified.Stratum(Counts(0, 1), Counts(0, 0))]).evidence.info == 0
    assert stratified.heterogeneity([empty]) == (0, 0, 1, 0, None, None, None)
    pair = stratified.Stratum(Counts(5, 10), Counts(6, 10))
    assert stratified.heterogeneity([pair, empty]).df == 0


def test_an_arm_without_weight_is_proof_once_it_is_seen_and_nothing_before() -> None:
    assert srm.split_test([10, 10, 0], [1, 1, 0]) == srm.split_test([10, 10], [1, 1])
    assert (srm.split_test([10, 10, 1], [1, 1, 0]).p, srm.split_evidence([([10, 10, 1], [1, 1, 0])]).p) == (0, 0)


def test_clickers_add_up_over_phases() -> None:
    one, two = conditional.Clickers(20, 30, 0.5, 0.5), conditional.Clickers(5, 40, 0.2, 0.8)
    sums = [conditional.exact_evidence(phases).ln_e for phases in ([one], [two], [one, two])]
    assert sums[2] == pytest.approx(sums[0] + sums[1])


def test_a_ratio_without_impressions_says_nothing() -> None:
    nothing = ratio.ratio(ratio.Sums(0, 0, 0, 0, 0, 0))
    assert nothing == (None, 0, None, None, None)
    assert ratio.ratio_test(nothing, nothing) is None


def test_more_clicks_than_impressions_have_no_interval() -> None:
    assert ratio.ratio(ratio.Sums(10, 10, 14, 12, 30, 15)).interval is None


def test_a_lift_that_no_rate_can_have_cannot_be_detected() -> None:
    assert (power.detectable_lift(0.9, 10), power.anytime_detectable_lift(0.9, 10)) == (None, None)
    assert (power.detectable_lift(0.0, 10), power.anytime_detectable_lift(1.0, 10)) == (None, None)


@given(st.floats(0.001, 0.5), st.floats(0.01, 0.9), st.floats(0.1, 10))
def test_sample_size_and_detectable_lift_are_inverse(rate: float, effect: float, split: float) -> None:
    n, m = power.sample_size(rate, effect, ratio=split), power.anytime_sample_size(rate, effect, ratio=split)
    assert power.detectable_lift(rate, n, ratio=split) == pytest.approx(effect, rel=1e-6)
    assert power.anytime_detectable_lift(rate, m, ratio=split) == pytest.approx(effect, rel=1e-6)


def test_power_is_alpha_without_an_effect() -> None:
    assert power.power(0.05, 0.0, 10_000) == pytest.approx(0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_adjusted_p_values_never_shrink_and_holm_is_the_stricter(p_values: list[float]) -> None:
    holm, bh = multiple_testing.holm(p_values), multiple_testing.benjamini_hochberg(p_values)
    assert all(p <= b * (1 + 1e-12) and b <= h * (1 + 1e-12) for p, b, h in zip(p_values, bh, holm, strict=True))


def test_bandit_weights_add_up_to_1_also_when_one_variant_is_certain() -> None:
    for p_best in ([0.2, 0.3, 0.5], [0.0, 0.0, 1.0]):
        assert (sum(bandit.thompson(p_best)), sum(bandit.top_two(p_best))) == pytest.approx((1, 1))
    assert bandit.top_two([0.0, 0.0, 1.0], floor=0.0) == [0.25, 0.25, 0.5]


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
    assert absolute <= ours | {"__future__", "math", "typing", "collections", "functools", "operator", "bisect"}

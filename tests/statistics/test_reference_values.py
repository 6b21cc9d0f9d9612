"""Every case of every reference file, at the file's own tolerance.

STATISTICS_FIXTURES may point to another folder with other cases of the same kinds. A file without a reader fails.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abacus.paths import PROJECT
from chalicelib.statistics import (
    Counts,
    effects,
    multiple_testing,
    power,
    rates,
    ratio,
    shrinkage,
    srm,
    stratified,
)
from chalicelib.statistics.numerics import chi2, normal
from chalicelib.statistics.post_stratified import StratumPair, post_stratified
from chalicelib.statistics.sequential import conditional, guardrails, lift_evidence, means
from chalicelib.statistics.sequential.means import ValueSums
from chalicelib.statistics.standardisation import standardised

FOLDER = Path(os.environ.get("STATISTICS_FIXTURES") or PROJECT / "tests" / "fixtures" / "statistics")
# Routines that the product does not have: another method decides there.
LEFT_OUT = {
    "miettinen_nurminen_diff",
    "newcombe_diff",
    "mover_lift",
    "walter_lift",
    "growthbook_sequential",
    "ratio_hash_shards",
    "beta_posterior",
    "bayes_pbest",
    "bayes_lift_ci",
    "bandit_weights",
}
# Values of a fixed-horizon plan that the product does not compute.
UNUSED = {"power_at_ceil", "mde_at_ceil", "uncapped_lift", "capped", "share_of_amount_cut", "z_margin"}
UNUSED |= {"ln_e_safe", "ln_e_harmed"}  # their p is compared
Values = dict[str, Any]


def arms(case: Values) -> tuple[Counts, Counts]:
    return Counts(case["xa"], case["na"]), Counts(case["xb"], case["nb"])


def ends(interval: Any) -> Values:
    return {"lo": interval.low, "hi": interval.high}


def lift_ends(interval: Any) -> Values:
    return {"lift_lo": interval.low, "lift_hi": interval.high}


def anytime_score_mixture(case: Values) -> Values:
    (a, b), taus = arms(case), [case["tau"]]
    evidence = lift_evidence.evidence(a, b, taus)
    critical = lift_evidence.critical(evidence.info, case["alpha"], taus)
    interval = lift_evidence.confidence_sequence(a, b, case["alpha"], taus)
    return evidence._asdict() | {"crit_z": critical if math.isfinite(critical) else None} | lift_ends(interval)


def exact_converters(case: Values) -> Values:
    phases = case.get("phases") or [case]
    converters = [conditional.Converters(p["xa"], p["xb"], p["wa"], p["wb"]) for p in phases]
    return conditional.exact_evidence(converters, [case["tau"]])._asdict()


def sequential_split(case: Values) -> Values:
    phases = case.get("phases") or [case]
    splits = [(p["visitors"], p["weights"]) for p in phases]
    return srm.split_evidence(splits, case["concentration"])._asdict()


def strata(case: Values) -> Values:
    pairs = [stratified.Stratum(*arms(s)) for s in case["strata"]]
    both, spread = stratified.combine(pairs, [0.1]), stratified.heterogeneity(pairs)
    pooled = effects.lift(*(Counts(*map(sum, zip(*arm, strict=True))) for arm in zip(*pairs, strict=True)))
    # The interval of Greenland & Robins; the product's comes from the score, so that it agrees with p.
    reach = normal.critical(0.05) * both.se if both.se is not None else math.inf
    return {
        "lift_lo": math.expm1(math.log(both.ratio) - reach) if both.ratio and both.se is not None else -1.0,
        "lift_hi": math.expm1(math.log(both.ratio) + reach) if both.ratio and both.se is not None else math.inf,
        "rr": both.ratio,
        "log_rr": math.log(both.ratio) if both.ratio else None,
        "se": both.se,
        "z": both.evidence.z,
        "p": normal.two_sided(both.evidence.z),
        "info": both.evidence.info,
        "ln_e": both.evidence.ln_e,
        "p_anytime": both.evidence.p,
        "crit_z": lift_evidence.critical(both.evidence.info, taus=[0.1]),
        "q": spread.q,
        "q_df": spread.df,
        "q_p": spread.p,
        "i2": spread.i2,
        "trend_slope": spread.trend,
        "trend_z": spread.trend_z,
        "trend_p": spread.trend_p,
        "pooled_rr": None if pooled is None else pooled + 1,
    }


def standardised_rates(case: Values) -> Values:
    phases = [[Counts(v["x"], v["n"]) for v in phase] for phase in case["phases"]]
    weights = [stratified.harmonic_weight([v.visitors for v in phase]) for phase in phases]
    rates_ = [standardised([phase[i] for phase in phases], weights) for i in range(len(phases[0]))]
    lifts = [r.rate / rates_[0].rate - 1 if rates_[0].rate else None for r in rates_[1:]]
    return {"rates": [r.rate for r in rates_], "visitors": [r.visitors for r in rates_], "lifts": lifts}


def ctr(case: Values) -> Values:
    sums = {name: ratio.Sums(**case[name]) for name in "ab"}
    arm = {name: ratio.ratio(sums[name], case["alpha"]) for name in "ab"}
    # The file's test adds the arms' own variances; the product pools them (ctr_null_variance).
    se = math.sqrt(arm["a"].variance + arm["b"].variance)
    z = (arm["b"].ctr - arm["a"].ctr) / se if se else 0.0
    answer: Values = {"z": z, "p": normal.two_sided(z)}
    for name, a in arm.items():
        answer[name] = {"ctr": a.ctr, "var": a.variance, "deff": a.deff, "n_eff": a.n_eff}
        answer[name] |= ends(a.interval) if a.interval else {}
    return answer


def ctr_null(case: Values) -> Values:
    a, b = (ratio.Sums(**case[name]) for name in "ab")
    test = ratio.ratio_test(a, b, [case["tau"]])
    assert test is not None
    return {
        "q0": (a.sy + b.sy) / (a.sx + b.sx),
        "difference": test.difference,
        "var_null": test.se**2,
        "z_null": test.z,
        "p_fixed": test.p,
        "r": case["tau"] ** 2 * test.evidence.info,
        "ln_e": test.evidence.ln_e,
        "p_anytime": test.evidence.p,
    }


def several_goals(case: Values) -> Values:
    p = [math.exp(min(0.0, -x)) for x in case["ln_e"]]
    secondary = multiple_testing.gatekeeping(p[0], p[1:], case["alpha"])
    return {
        "p": p,
        "holm": multiple_testing.holm(p),
        "bh": multiple_testing.benjamini_hochberg(p),
        "e_bh_rejects": multiple_testing.e_bh(case["ln_e"], case["alpha"]),
        "bonferroni": [min(1.0, len(p) * x) for x in p],
        "gatekeeping": {
            "primary_p": p[0],
            "primary_rejected": secondary is not None,
            "secondary_holm": secondary or None,
        },
    }


def plan(case: Values) -> Values:
    terms = {"ratio": case["ratio"], "alpha": case["alpha"]}
    rate, effect, wanted = case["p"], case["lift"], case["power"]
    n = power.sample_size(rate, effect, power=wanted, **terms)
    other = rate * (1 + effect)
    log_odds = math.log(other / (1 - other)) - math.log(rate / (1 - rate))
    info = power.anytime_information(log_odds, alpha=case["alpha"], power=wanted, taus=[case["tau"]])
    # The file takes the variance of z for 1; the product's plan does not (power.anytime_sample_size).
    mean = (rate + case["ratio"] * other) / (1 + case["ratio"])
    visitors = info / (mean * (1 - mean) * case["ratio"] / (1 + case["ratio"]))
    return {
        "n_control": n,
        "n_control_ceil": math.ceil(n),
        "anytime_info": info,
        "anytime_n_control": visitors,
    }


def shrunk(case: Values) -> Values:
    answer = shrinkage.shrink(case["log_rr"], case["se"], [case["tau"]], case["alpha"])
    return answer._asdict() | ends(answer.interval)


def sums(arm: Values) -> means.ValueSums:
    return means.ValueSums(arm["n"], arm["sx"], arm["sxx"])


def mean_lift(case: Values, a: Values, b: Values) -> Values:
    ratio = means.log_ratio(sums(a), sums(b))
    assert ratio is not None
    evidence = means.evidence(ratio, [case["tau"]])
    sequence = means.confidence_sequence(ratio, case["alpha"], [case["tau"]])
    return {
        "lift": means.interval(ratio, 0.0).low,
        "log_ratio": ratio.value,
        "se": math.sqrt(ratio.variance),
        "z": evidence.z,
        "r": case["tau"] ** 2 / ratio.variance,
        "crit_z": lift_evidence.critical(evidence.info, case["alpha"], [case["tau"]]),
        "ln_e": evidence.ln_e,
        "p_anytime": evidence.p,
    } | lift_ends(sequence)


def capped(values: list[int], cap: int) -> Values:
    cut = [min(value, cap) for value in values]
    return {"n": len(values), "sx": sum(cut), "sxx": sum(v * v for v in cut)}


def winsorised(case: Values) -> Values:
    a, b = (capped(case[arm], case["cap"]) for arm in "ab")
    lifts = mean_lift(case, a, b)
    return lifts | {"a": a, "b": b}


def post_stratified_difference(case: Values) -> Values:
    strata = [StratumPair(sums(stratum["a"]), sums(stratum["b"])) for stratum in case["strata"]]
    found = post_stratified(strata)
    together = StratumPair(
        *(ValueSums(*(sum(column) for column in zip(*arms, strict=True))) for arms in zip(*strata, strict=True))
    )
    a, b = map(means.estimate, together)
    assert found is not None
    assert a is not None
    assert b is not None
    plain = means.difference(a, b)
    evidence = lift_evidence.mixture(found.difference / found.se, found.se**-2, [case["tau_abs"]])
    bar = lift_evidence.critical(evidence.info, case["alpha"], [case["tau_abs"]])
    return {
        "difference": found.difference,
        "se": found.se,
        "z": evidence.z,
        "crit_z": bar,
        "ln_e": evidence.ln_e,
        "p_anytime": evidence.p,
        "lo": found.difference - bar * found.se,
        "hi": found.difference + bar * found.se,
        "control_mean_standardised": found.control_mean,
        "unadjusted_difference": plain.value,
        "unadjusted_se": plain.se,
        "variance_ratio": found.variance_ratio,
    }


def mean_difference(case: Values) -> Values:
    a, b = means.estimate(sums(case["a"])), means.estimate(sums(case["b"]))
    assert a is not None
    assert b is not None
    found = means.difference(a, b)
    evidence = lift_evidence.mixture(found.value / found.se, found.se**-2, [case["tau_abs"]])
    bar = lift_evidence.critical(evidence.info, case["alpha"], [case["tau_abs"]])
    return {
        "difference": found.value,
        "se": found.se,
        "z": evidence.z,
        "r": (case["tau_abs"] / found.se) ** 2,
        "crit_z": bar,
        "ln_e": evidence.ln_e,
        "p_anytime": evidence.p,
        "lo": found.value - bar * found.se,
        "hi": found.value + bar * found.se,
    }


def non_inferiority(case: Values) -> Values:
    is_mean = case["kind"] == "mean"
    ratio = means.log_ratio(sums(case["a"]), sums(case["b"])) if is_mean else guardrails.rate_log_ratio(*arms(case))
    assert ratio is not None
    test = guardrails.guardrail_test(ratio, case["margin"], alpha=case["alpha"], taus=[case["tau"]])
    return {
        "p_safe": test.p_ok,
        "p_harmed": test.p_broken,
        "lower_bound": test.bounds.low,
        "upper_bound": test.bounds.high,
        "r": case["tau"] ** 2 / ratio.variance,
        "crit_one_sided": guardrails.one_sided_critical(1 / ratio.variance, case["alpha"], [case["tau"]]),
        "decision": {"ok": "safe", "broken": "harmed", "open": "open"}[test.state],
    }


READERS: dict[str, Callable[[Values], Values]] = {
    "wilson": lambda c: ends(rates.wilson(c["x"], c["n"], c["alpha"])),
    "ztest_pooled": lambda c: rates.z_test(*arms(c))._asdict(),
    "koopman_lift": lambda c: (
        {"lift": effects.lift(*arms(c))} | ends(effects.lift_interval(*arms(c), normal.critical(c["alpha"])))
    ),
    "score_diff": lambda c: (
        {"diff": c["xb"] / c["nb"] - c["xa"] / c["na"]}
        | ends(effects.difference_interval(*arms(c), normal.critical(c["alpha"])))
    ),
    "gtest": lambda c: multiple_testing.g_test([Counts(v["x"], v["n"]) for v in c["variants"]])._asdict(),
    "chi2_sf": lambda c: {
        "sf": chi2.survival(c["x"], c["df"]),
        "ln_sf": chi2.ln_survival(c["x"], c["df"]),
    },
    "anytime_mean_lift": lambda c: mean_lift(c, c["a"], c["b"]),
    "anytime_mean_difference": mean_difference,
    "winsorised_mean_lift": winsorised,
    "post_stratified": post_stratified_difference,
    "guardrail_noninferiority": non_inferiority,
    "anytime_score_mixture": anytime_score_mixture,
    "anytime_exact_clickers": exact_converters,
    "srm_chi2": lambda c: srm.split_test(c["visitors"], c["weights"])._asdict(),
    "srm_sequential": sequential_split,
    "multiple_testing": lambda c: {
        "holm": multiple_testing.holm(c["p"]),
        "bh": multiple_testing.benjamini_hochberg(c["p"]),
    },
    "goals_multiplicity": several_goals,
    "ratio_delta": ctr,
    "ctr_null_variance": ctr_null,
    "standardised_rates": standardised_rates,
    "stratified": strata,
    "power": plan,
    "shrinkage": shrunk,
}


def cases() -> list[Any]:
    parameters = []
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem in LEFT_OUT:
            continue
        for number, case in enumerate(json.loads(path.read_text())["cases"]):
            parameters.append(pytest.param(path.stem, case, id=f"{path.stem}-{number}-{case['name']}"))
    return parameters


def differences(got: Any, expected: Any, tolerance: Values, where: str = "") -> list[str]:
    """What differs, as readable lines; expected may be a number, "inf", None, or a list or object of them."""
    if isinstance(expected, dict):
        return [d for k, v in expected.items() for d in differences(got[k], v, tolerance, f"{where}.{k}")]
    if isinstance(expected, list):
        assert len(got) == len(expected)
        pairs = enumerate(zip(got, expected, strict=True))
        return [d for i, (g, e) in pairs for d in differences(g, e, tolerance, f"{where}[{i}]")]
    if expected is None or got is None or isinstance(expected, bool):
        return [] if got is expected else [f"{where}: {got} is not {expected}"]
    if isinstance(expected, str) and not expected.endswith("inf"):
        return [] if got == expected else [f"{where}: {got!r} is not {expected!r}"]
    expected = float(expected)
    close = got == expected or math.isclose(got, expected, rel_tol=tolerance["rel"], abs_tol=tolerance["abs"])
    return [] if close else [f"{where}: {got!r} is not {expected!r}"]


def without_unused(values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    return {key: without_unused(value) for key, value in values.items() if key not in UNUSED}


@pytest.mark.parametrize(("statistic", "case"), cases())
def test_a_routine_gives_the_reference_value(statistic: str, case: Values) -> None:
    expected = without_unused(case["expected"])
    assert differences(READERS[statistic](case["input"]), expected, case["tol"]) == []


def test_every_reference_file_is_read() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} <= READERS.keys() | LEFT_OUT


def test_the_reference_folder_is_not_empty() -> None:
    assert list(FOLDER.glob("*.json"))

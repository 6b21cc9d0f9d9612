"""Every case of every reference file, at the file's own tolerance.

STATISTICS_FIXTURES may point to another folder with other cases of the same kinds. A file that nobody reads fails.
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
from chalicelib.statistics.numerics import chi2, normal
from chalicelib.statistics.sequential import conditional, lift_evidence

FOLDER = Path(os.environ.get("STATISTICS_FIXTURES") or PROJECT / "tests" / "fixtures" / "statistics")
LEFT_OUT = {
    "miettinen_nurminen_diff",
    "newcombe_diff",
    "mover_lift",
    "walter_lift",
    "growthbook_sequential",
    "ratio_hash_shards",
}
Values = dict[str, Any]


def arms(case: Values) -> tuple[Counts, Counts]:
    return Counts(case["xa"], case["na"]), Counts(case["xb"], case["nb"])


def ends(interval: Any) -> Values:
    return {"lo": interval.low, "hi": interval.high}


def lift_ends(interval: Any) -> Values:
    return {"lift_lo": interval.low, "lift_hi": interval.high}


def anytime_score_mixture(case: Values) -> Values:
    a, b = arms(case)
    found = lift_evidence.evidence(a, b, case["tau"])
    bar = lift_evidence.critical(found.info, case["alpha"], case["tau"])
    interval = lift_evidence.confidence_sequence(a, b, case["alpha"], case["tau"])
    return found._asdict() | {"crit_z": bar if math.isfinite(bar) else None} | lift_ends(interval)


def exact_clickers(case: Values) -> Values:
    phases = case.get("phases") or [case]
    found = [conditional.Clickers(p["xa"], p["xb"], p["wa"], p["wb"]) for p in phases]
    return conditional.exact_evidence(found, case["tau"])._asdict()


def sequential_split(case: Values) -> Values:
    phases = case.get("phases") or [case]
    splits = [(p["visitors"], p["weights"]) for p in phases]
    return srm.split_evidence(splits, case["concentration"])._asdict()


def strata(case: Values) -> Values:
    found = [stratified.Stratum(*arms(s)) for s in case["strata"]]
    both, spread = stratified.combine(found), stratified.heterogeneity(found)
    interval = stratified.lift_interval(both, normal.critical(0.05))
    pooled = effects.lift(*(Counts(*map(sum, zip(*arm, strict=True))) for arm in zip(*found, strict=True)))
    return {
        "rr": both.ratio,
        "log_rr": math.log(both.ratio) if both.ratio else None,
        "se": both.se,
        "z": both.evidence.z,
        "p": normal.two_sided(both.evidence.z),
        "info": both.evidence.info,
        "ln_e": both.evidence.ln_e,
        "p_anytime": both.evidence.p,
        "crit_z": lift_evidence.critical(both.evidence.info),
        "q": spread.q,
        "q_df": spread.df,
        "q_p": spread.p,
        "i2": spread.i2,
        "trend_slope": spread.trend,
        "trend_z": spread.trend_z,
        "trend_p": spread.trend_p,
        "pooled_rr": None if pooled is None else pooled + 1,
    } | lift_ends(interval)


def ctr(case: Values) -> Values:
    found = {name: ratio.ratio(ratio.Sums(**case[name]), case["alpha"]) for name in "ab"}
    test = ratio.ratio_test(found["a"], found["b"])
    assert test is not None
    answer: Values = {"z": test.z, "p": test.p}
    for name, arm in found.items():
        answer[name] = {"ctr": arm.ctr, "var": arm.variance, "deff": arm.deff, "n_eff": arm.n_eff}
        answer[name] |= ends(arm.interval) if arm.interval else {}
    return answer


def plan(case: Values) -> Values:
    terms = {"ratio": case["ratio"], "alpha": case["alpha"]}
    rate, effect, wanted = case["p"], case["lift"], case["power"]
    n = power.sample_size(rate, effect, power=wanted, **terms)
    full = math.ceil(n)
    other = rate * (1 + effect)
    log_odds = math.log(other / (1 - other)) - math.log(rate / (1 - rate))
    tau = case["tau"]
    return {
        "n_control": n,
        "n_control_ceil": full,
        "power_at_ceil": power.power(rate, effect, full, **terms),
        "mde_at_ceil": power.detectable_lift(rate, full, power=wanted, **terms),
        "anytime_info": power.anytime_information(log_odds, alpha=case["alpha"], power=wanted, tau=tau),
        "anytime_n_control": power.anytime_sample_size(rate, effect, power=wanted, tau=tau, **terms),
    }


def shrunk(case: Values) -> Values:
    found = effects.shrink(case["log_rr"], case["se"], case["tau"], case["alpha"])
    return found._asdict() | ends(found.interval)


def consistent(statistic: str, case: Values) -> Values:
    """The case without the values that contradict its file's header.

    One reference has lost some of its strata: it lists two and expects the degrees of freedom of five. What
    depends on their number cannot follow from what is listed; the rest of the case still can.
    """
    expected: Values = case["expected"]
    if statistic == "stratified" and expected["q_df"] != len(case["input"]["strata"]) - 1:
        return {k: v for k, v in expected.items() if k not in {"q_df", "q_p"} and "trend" not in k}
    return expected


def posterior(case: Values) -> Values:
    arm, prior = (case["x"], case["n"]), tuple(case["prior"])
    grid = decision.grid([arm], prior)
    return {"mean": decision.mean(arm, prior), "quantiles": decision.rate_quantiles(grid, 0, case["q"])}


def best(case: Values) -> Values:
    grid = decision.grid([(v["x"], v["n"]) for v in case["variants"]], tuple(case.get("prior", (0.5, 0.5))))
    found = decision.best(grid)
    return {"p_best": [f.p_best for f in found], "expected_loss": [f.expected_loss for f in found]}


def credible(case: Values) -> Values:
    grid = decision.grid([(c.converted, c.visitors) for c in arms(case)], tuple(case["prior"]))
    found = decision.credible_lift(grid, 0, 1)
    return {"lo": found.low, "median": found.median, "hi": found.high, "p_b_gt_a": found.p_better}


READERS: dict[str, Callable[[Values], Values]] = {
    "wilson": lambda c: ends(rates.wilson(c["x"], c["n"], c["alpha"])),
    "ztest_pooled": lambda c: rates.z_test(*arms(c))._asdict(),
    "koopman_lift": lambda c: {"lift": effects.lift(*arms(c))} | ends(effects.koopman(*arms(c), c["alpha"])),
    "score_diff": lambda c: {"diff": c["xb"] / c["nb"] - c["xa"] / c["na"]} | ends(effects.mee(*arms(c), c["alpha"])),
    "gtest": lambda c: multiple_testing.g_test([Counts(v["x"], v["n"]) for v in c["variants"]])._asdict(),
    "chi2_sf": lambda c: {
        "sf": chi2.survival(c["x"], c["df"]),
        "ln_sf": chi2.ln_survival(c["x"], c["df"]),
    },
    "anytime_score_mixture": anytime_score_mixture,
    "anytime_exact_clickers": exact_clickers,
    "srm_chi2": lambda c: srm.split_test(c["visitors"], c["weights"])._asdict(),
    "srm_sequential": sequential_split,
    "multiple_testing": lambda c: {
        "holm": multiple_testing.holm(c["p"]),
        "bh": multiple_testing.benjamini_hochberg(c["p"]),
    },
    "ratio_delta": ctr,
    "stratified": strata,
    "power": plan,
    "shrinkage": shrunk,
    "beta_posterior": posterior,
    "bayes_pbest": best,
    "bayes_lift_ci": credible,
    "bandit_weights": lambda c: {
        "thompson": bandit.thompson(c["p_best"], c["floor"]),
        "top_two": bandit.top_two(c["p_best"], c["floor"]),
    },
}


def cases() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem in LEFT_OUT:
            continue
        for number, case in enumerate(json.loads(path.read_text())["cases"]):
            found.append(pytest.param(path.stem, case, id=f"{path.stem}-{number}-{case['name']}"))
    return found


def differences(got: Any, expected: Any, tolerance: Values, where: str = "") -> list[str]:
    """What differs, as readable lines; expected may be a number, "inf", None, or a list or object of them."""
    if isinstance(expected, dict):
        return [d for k, v in expected.items() for d in differences(got[k], v, tolerance, f"{where}.{k}")]
    if isinstance(expected, list):
        assert len(got) == len(expected)
        pairs = enumerate(zip(got, expected, strict=True))
        return [d for i, (g, e) in pairs for d in differences(g, e, tolerance, f"{where}[{i}]")]
    if expected is None or got is None:
        return [] if got is expected else [f"{where}: {got} is not {expected}"]
    expected = float(expected)
    close = got == expected or math.isclose(got, expected, rel_tol=tolerance["rel"], abs_tol=tolerance["abs"])
    return [] if close else [f"{where}: {got!r} is not {expected!r}"]


@pytest.mark.parametrize(("statistic", "case"), cases())
def test_a_routine_gives_the_reference_value(statistic: str, case: Values) -> None:
    found = READERS[statistic](case["input"])
    assert differences(found, consistent(statistic, case), case["tol"]) == []


def test_every_reference_file_is_read() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} <= READERS.keys() | LEFT_OUT


def test_the_reference_folder_is_not_empty() -> None:
    assert list(FOLDER.glob("*.json"))

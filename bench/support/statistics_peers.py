"""Runs in the peers' own environment (see statistics.py): what gbstats and statsmodels have of the same analysis."""

# mypy: ignore-errors
from __future__ import annotations

import json
import sys
import time
import warnings
from statistics import median


def timed(analysis, rounds):
    analysis()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        analysis()
        times.append(time.process_time() - start)
    return 1000 * median(times)


def with_gbstats(question):
    from gbstats.bayesian.tests import EffectBayesianABTest
    from gbstats.frequentist.tests import SequentialTwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic, RatioStatistic, SampleMeanStatistic
    from gbstats.utils import check_srm

    n, seen = question["visitors"], question["impressions"]
    rates = [ProportionStatistic(n=n, sum=x) for x in question["converted"]]
    ctrs = [
        RatioStatistic(
            n=n,
            m_statistic=SampleMeanStatistic(n=n, sum=x, sum_squares=x),
            d_statistic=SampleMeanStatistic(n=n, sum=seen, sum_squares=4 * n),
            m_d_sum_of_products=2 * x,
        )
        for x in question["converted"]
    ]

    def analysis():
        check_srm([n] * len(rates), [1.0] * len(rates))
        for arms in (rates, ctrs):
            for arm in arms[1:]:
                SequentialTwoSidedTTest(arms[0], arm).compute_result()
                EffectBayesianABTest(arms[0], arm).compute_result()

    return analysis


def with_statsmodels(question):
    from scipy.stats import chi2_contingency, chisquare
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import (
        confint_proportions_2indep,
        proportion_confint,
        proportions_ztest,
    )

    n, converted = question["visitors"], question["converted"]

    def analysis():
        for x in converted:
            proportion_confint(x, n, method="wilson")
        p_values = []
        for x in converted[1:]:
            p_values.append(proportions_ztest([x, converted[0]], [n, n])[1])
            confint_proportions_2indep(x, n, converted[0], n, compare="ratio", method="score", correction=False)
            confint_proportions_2indep(x, n, converted[0], n, compare="diff", method="score", correction=False)
        multipletests(p_values, method="holm")
        multipletests(p_values, method="fdr_bh")
        chi2_contingency([converted, [n - x for x in converted]], lambda_="log-likelihood", correction=False)
        chisquare([n] * len(converted))

    return analysis


def main():
    warnings.simplefilter("ignore")
    name, question = sys.argv[1], json.loads(sys.argv[2])
    start = time.process_time()
    analysis = {"gbstats": with_gbstats, "statsmodels": with_statsmodels}[name](question)
    loading = 1000 * (time.process_time() - start)
    print(json.dumps({"ms": timed(analysis, question["rounds"]), "import_ms": loading}))


main()

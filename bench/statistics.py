"""The whole analysis of 5 variants with 1,000,000 visitors each: with goals, means, guardrails and by segment, as
ratios to clicks alone; and beside gbstats and statsmodels. In one run.

Measures processor time, so that other work on the machine does not count. The peers go into an environment of their
own under build/: ABacus needs neither. Each peer computes the parts of our report that it offers; the table names the
parts it leaves out, which is in its favour.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.support.rounds import medians
from chalicelib.analysis.segments.samples import select_by
from chalicelib.domain.manifest import Experiment, GoalValue, Guardrail, Phase, Segment, Variant
from chalicelib.domain.segments import VALUES
from chalicelib.reporting.report import Question, ReportContext, report
from chalicelib.reporting.segments.report import segment_report
from chalicelib.storage.tally import Cell, Tallies, Tally

PEERS = ("gbstats==0.8.0", "statsmodels==0.15.0")
HERE = Path(__file__).parent
FOLDER = HERE.parent / "build" / "bench-statistics" / "venv"
VISITORS, CONVERTED = 1_000_000, (200_000, 200_500, 201_000, 199_700, 202_000)
IMPRESSIONS = 2 * VISITORS
ROUNDS, REPEATS = 9, 5


def a_tally(visitors: int, converted: int) -> Tally:
    """Every visitor saw the variant twice, and clicked once or not at all; some reach the other goals."""
    n, x, seen = visitors, converted, 2 * visitors
    tally = Tally(impressions=seen, clicks=x, visitors=n, received=seen + x, events=seen + x)
    tally.sx, tally.sy, tally.sxx, tally.syy, tally.sxy = seen, x, 4 * n, x, 2 * x
    tally.converted = Counter({"click": x, "signup": x // 3, "error": x // 20, "purchase": x // 5})
    tally.value_sum, tally.value_squares = Counter(purchase=x // 5 * 4000), Counter(purchase=x // 5 * 4000**2 * 3)
    return tally


def tallies() -> Tallies:
    """The totals of each variant."""
    return {Cell("total", "", 0, f"v{number}"): a_tally(VISITORS, x) for number, x in enumerate(CONVERTED)}


def by_device() -> Tallies:
    """The same, half of the visitors on phones and the other half on desktops and tablets."""
    return {
        Cell("segment", f"device={device}", 0, f"v{number}"): a_tally(VISITORS // part, x // part)
        for number, x in enumerate(CONVERTED)
        for device, part in (("mobile", 2), ("desktop", 4), ("tablet", 4))
    }


def five(**more: Any) -> Experiment:
    """Five variants with an even split."""
    variants = tuple(Variant(key=f"v{i}") for i in range(len(CONVERTED)))
    return Experiment(
        key="five", status="running", variants=variants, phases=(Phase(weights=(0.2,) * 5),), seed="five", **more
    )


def parts() -> dict[str, float]:
    """ms of each kind of report, in turns; the first is the floor of the others."""
    given, context = tallies(), ReportContext(1_795_219_200_000, date(2026, 11, 1))
    goals: dict[str, Any] = {"goals": ("signup", "error", "purchase"), "lower_is_better": ("error",)}
    value = {"goal_values": {"purchase": GoalValue(unit="EUR", decimals=2, cap=50_000)}}
    held = {"guardrails": (Guardrail(metric="error", margin=0.05), Guardrail(metric="purchase.value", margin=0.1))}
    device = Segment(name="device", values=VALUES["device"])
    segmented = select_by(five(**goals | value, segments=(device,)), device, given, by_device())
    experiments = {
        "clicks alone (the floor)": five(),
        "and three goals": five(**goals),
        "one of them with values": five(**goals | value),
        "and two guardrails": five(**goals | value | held),
        "primary metric a mean": five(**goals | value, primary="purchase.value"),
    }
    works: dict[str, Callable[[], object]] = {
        name: partial(report, experiment, given, Question(series="none"), context)
        for name, experiment in experiments.items()
    }
    works["?by=device, three values"] = lambda: segment_report(segmented, {}, now_ms=context.now_ms)
    return {name: 1000 * taken.cpu for name, taken in medians(works, ROUNDS * REPEATS).items()}


def importing() -> float:
    """ms to import the report in a new process."""
    code = "import time; t = time.process_time(); import chalicelib.reporting.report; print(time.process_time() - t)"
    loaded = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    return 1000 * median(loaded)


def peers() -> dict[str, dict[str, float]]:
    """{"gbstats": {"ms", "import_ms"}, …}, measured by support/statistics_peers.py in its own environment."""
    python = FOLDER / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    question = {"visitors": VISITORS, "converted": CONVERTED, "impressions": IMPRESSIONS, "rounds": ROUNDS}
    found = {}
    for name in ("gbstats", "statsmodels"):
        # -P: this folder off the path, or this very file would be the standard library's `statistics`.
        command = [str(python), "-P", str(HERE / "support" / "statistics_peers.py"), name, json.dumps(question)]
        found[name] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return found


LACKS = {
    "ABacus": "everything in the report",
    "gbstats": "split by χ², sequential test and Bayesian lift of rate and CTR for each pair; no P(best), no Holm",
    "statsmodels": "Wilson, z-test, score interval, Holm, G-test, split by χ²; nothing sequential, no Bayes, no CTR",
}


def main() -> None:
    """Prints one row for each report, and one for each peer."""
    print(f"5 variants × {VISITORS:,} visitors; median processor time")
    ours = parts()
    floor = next(iter(ours.values()))
    for name, took in ours.items():
        print(f"  {name:28} {took:8.1f} ms {took / floor:7.2f} times")
    print()
    rows = {"ABacus": (floor, importing())} | {n: (found["ms"], found["import_ms"]) for n, found in peers().items()}
    print(f"{'clicks alone':12} {'analysis':>11} {'import':>10}  what it covers")
    for name, (took, loading) in rows.items():
        print(f"{name:12} {took:8.1f} ms {loading:7.0f} ms  {LACKS[name]}")

"""The whole analysis of 5 variants with 1,000,000 visitors each, beside gbstats and statsmodels, in one run.

Measures processor time, so that other work on the machine does not count. The peers go into an environment of their
own under build/: ABacus needs neither. Each peer computes the parts of our report that it offers; the table names the
parts it leaves out, which is in its favour.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from collections import Counter
from datetime import date
from pathlib import Path
from statistics import median

from chalicelib.domain.manifest import Experiment, Phase, Variant
from chalicelib.reporting.report import Question, ReportContext, report
from chalicelib.storage.tally import Cell, Tallies, Tally

PEERS = ("gbstats==0.8.0", "statsmodels==0.15.0")
HERE = Path(__file__).parent
FOLDER = HERE.parent / "build" / "bench-statistics" / "venv"
VISITORS, CONVERTED = 1_000_000, (200_000, 200_500, 201_000, 199_700, 202_000)
IMPRESSIONS = 2 * VISITORS
ROUNDS, REPEATS = 9, 5


def tallies() -> Tallies:
    """Every visitor saw the variant twice, and clicked once or not at all."""
    found: Tallies = {}
    for number, x in enumerate(CONVERTED):
        n, seen = VISITORS, IMPRESSIONS
        tally = Tally(impressions=seen, clicks=x, visitors=n, received=seen + x, events=seen + x)
        tally.sx, tally.sy, tally.sxx, tally.syy, tally.sxy = seen, x, 4 * n, x, 2 * x
        tally.converted = Counter(click=x)
        found[Cell("total", "", 0, f"v{number}")] = tally
    return found


def ours() -> tuple[float, float]:
    """Median ms of a report, and ms to import it in a new process."""
    variants = tuple(Variant(key=f"v{i}") for i in range(len(CONVERTED)))
    phases = (Phase(weights=(0.2,) * 5),)
    experiment = Experiment(key="five", status="running", variants=variants, phases=phases, seed="five")
    given, context = tallies(), ReportContext(1_795_219_200_000, date(2026, 11, 1))
    times = []
    for _ in range(ROUNDS * REPEATS):
        start = time.process_time()
        report(experiment, given, Question(series="none"), context)
        times.append(time.process_time() - start)
    code = "import time; t = time.process_time(); import chalicelib.reporting.report; print(time.process_time() - t)"
    loaded = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    return 1000 * median(times), 1000 * median(loaded)


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
    """Prints one row for each."""
    rows = {"ABacus": ours()} | {name: (found["ms"], found["import_ms"]) for name, found in peers().items()}
    print(f"5 variants × {VISITORS:,} visitors; median processor time, one after the other")
    print(f"{'':12} {'analysis':>11} {'import':>10}  what it covers")
    for name, (took, loading) in rows.items():
        print(f"{name:12} {took:8.1f} ms {loading:7.0f} ms  {LACKS[name]}")

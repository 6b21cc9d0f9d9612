"""GET /stats/{experiment}?by=… in the terminal: a table for each metric, the split, the adjusted estimate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from abacus.results.table import as_interval, as_percent, table
from chalicelib.analysis.wording import count

Json = Mapping[str, Any]


def segment_lines(answer: Json) -> Iterator[str]:
    """Every metric by the values of one segment."""
    visitors = count(answer["visitors"], "visitor")
    yield f"{answer['experiment']} by {answer['by']}: {visitors}, primary {answer['primary']}"
    if answer["without_segment"]:
        yield f"{answer['without_segment']:,} more visitors have no {answer['by']}: an earlier version counted them."
    yield answer["warning"]
    for metric in answer["metrics"]:
        yield ""
        yield f"{metric['metric']}, primary" if metric["primary"] else metric["metric"]
        yield from table(
            [answer["by"], "variant", "visitors", "reached it", "value", "lift", "95 % interval", "p"],
            [row for value in metric["values"] for row in _rows(metric, value)],
            left_aligned=(0, 1),
        )
        yield from (_interaction(interaction, answer["by"]) for interaction in metric["interactions"])
    yield ""
    split = answer["split"]
    yield f"{split['state']:8} {split['text']}"
    yield from _adjusted(answer)


def _rows(metric: Json, value: Json) -> Iterator[list[str]]:
    comparisons = {c["variant"]: c for c in value["comparisons"]}
    for place, arm in enumerate(value["variants"]):
        c = comparisons.get(arm["variant"], {})
        p = c.get("p")
        yield [
            "" if place else value["value"],
            arm["variant"],
            f"{arm['visitors']:,}",
            f"{arm['converted']:,}",
            _estimate(metric, arm["estimate"]),
            as_percent(c.get("lift"), sign=True),
            as_interval(c.get("lift_interval"), sign=True),
            f"{p:.3g}" if p is not None else c.get("direction", ""),
        ]


def _estimate(metric: Json, estimate: float | None) -> str:
    if metric["kind"] == "rate" or estimate is None:
        return as_percent(estimate)
    return f"{estimate:,.{metric['decimals'] + 2}f} {metric['unit'] or ''}".rstrip()


def _interaction(interaction: Json, by: str) -> str:
    if interaction["p"] is None:
        return f"{interaction['variant']}: too few visitors to say whether its effect differs by {by}."
    word = "differs" if interaction["differs"] else "is not shown to differ"
    evidence = f"p {interaction['p']:.3g} for one look, I² {interaction['i2']:.0%}"
    return f"{interaction['variant']}: its effect {word} by {by} ({evidence})."


def _adjusted(answer: Json) -> Iterator[str]:
    for c in answer["adjusted"]:
        if c["lift"] is not None:
            interval = as_interval(c["lift_interval"], sign=True)
            gain = f"{abs(c['gain'] or 0):.1%} {'less' if (c['gain'] or 0) >= 0 else 'more'} variance"
            lift = as_percent(c["lift"], sign=True)
            yield f"Adjusted for {answer['by']}, {c['variant']}: {lift} ({interval}); {gain}."

"""Each stretch with unchanged weights: its split, its days, and what came of it in each variant."""

from __future__ import annotations

from typing import Any

from chalicelib.analysis.sample import Arm, Sample
from chalicelib.storage.tally import Tally


def phases(sample: Sample) -> list[dict[str, Any]]:
    """One for each phase of the manifest. first, last: UTC days on which visitors first came in it, where days are
    at hand; numbers are this phase's alone."""
    keys = sample.experiment.variant_keys
    answer = []
    for number, phase in enumerate(sample.experiment.phases):
        days = sorted(day for day, arms in sample.days.items() if any(arm.phase == number for arm in arms))
        tallies = {key: sample.arms.get(Arm(number, key)) or Tally() for key in keys}
        answer.append(
            {
                "phase": number,
                "weights": dict(zip(keys, phase.weights, strict=True)),
                "coverage": phase.coverage,
                "seen": number in sample.phases,
                "first": days[0] if days else None,
                "last": days[-1] if days else None,
                "variants": [
                    {"variant": key, "visitors": (c := sample.counted(tally)).visitors, "converted": c.converted}
                    | {"rate": c.converted / c.visitors if c.visitors > 0 else None}
                    for key, tally in tallies.items()
                ],
            }
        )
    return answer

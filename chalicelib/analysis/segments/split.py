"""Where the split is off: the visitors of each value against the configured weights.

A loss in one browser hides among all visitors. By itself it is large, and without that browser the split is right.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.analysis.checks.check import ALARM, State
from chalicelib.analysis.checks.sample_ratio import PROOF, Imbalance, measure
from chalicelib.analysis.sample import Arm, Arms
from chalicelib.analysis.segments.samples import SegmentSamples
from chalicelib.analysis.wording import listed, sentence
from chalicelib.storage.tally import Tally

BALANCED = 0.01  # p of the other values' split, from which on they need no explanation of their own


@dataclass(frozen=True)
class SegmentSplit:
    """off: the values whose split is off. alarm: proven at every look; warning: likely, at this look."""

    state: State
    text: str
    off: tuple[str, ...]
    by_value: dict[str, Imbalance]


def split_by_value(samples: SegmentSamples) -> SegmentSplit:
    """Which values' visitors did not come in the configured proportions. α is shared by all values."""
    whole = measure(samples.whole)
    by_value = {value: measure(sample) for value, sample in samples.by_value.items()}
    proven = tuple(v for v, split in by_value.items() if split.evidence.p * len(by_value) <= 1 / PROOF)
    if proven:
        return SegmentSplit("alarm", _text(samples, proven, by_value), proven, by_value)
    suspect = max(by_value, key=lambda value: by_value[value].chi2 - by_value[value].df, default=None)
    if suspect is not None and whole.p < ALARM and by_value[suspect].p < ALARM and _explains(samples, (suspect,)):
        text = f"{_text(samples, (suspect,), by_value)} Not proven: look again tomorrow."
        return SegmentSplit("warning", text, (suspect,), by_value)
    name = samples.name
    if whole.proven:
        text = f"The split is off, but no value of {name} alone explains it. Look at another segment."
        return SegmentSplit("warning", text, (), by_value)
    text = f"In every value of {name} visitors came in the configured proportions."
    return SegmentSplit("ok", text, (), by_value)


def _text(samples: SegmentSamples, off: tuple[str, ...], by_value: dict[str, Imbalance]) -> str:
    name = samples.name
    facts = listed([f"in {value} {by_value[value].description()}" for value in off])
    if len(off) < len(by_value) and _explains(samples, off):
        rest = f"without {'it' if len(off) == 1 else 'them'} the split is right"
        return sentence(f"the split is off in {name} {listed(list(off))}: {facts}; {rest}.")
    return sentence(f"the split is off in {name} {listed(list(off))}: {facts}.")


def _explains(samples: SegmentSamples, off: tuple[str, ...]) -> bool:
    """Whether the split is right without the visitors of these values."""
    arms: Arms = {}
    for value, sample in samples.by_value.items():
        if value not in off:
            for arm, tally in sample.arms.items():
                arms.setdefault(Arm(*arm), Tally()).add(tally)
    return measure(samples.whole, arms).p > BALANCED

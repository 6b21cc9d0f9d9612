"""Data checks: can the numbers be trusted? Each has a name, a state (ok, warning, alarm), a sentence and its
figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.analysis.checks import sample_ratio
from chalicelib.analysis.checks.arrivals import arrivals
from chalicelib.analysis.checks.check import ALARM, POINT, Check, State, worst
from chalicelib.analysis.checks.imbalance_cause import explain
from chalicelib.analysis.checks.ledger import Ledger, conservation, refusals
from chalicelib.analysis.checks.validity import novelty, simpson, twyman
from chalicelib.analysis.comparison import Comparison
from chalicelib.analysis.sample import Sample, possible
from chalicelib.analysis.wording import count, listed, percent, sentence
from chalicelib.statistics import Counts, rates


@dataclass(frozen=True)
class Health:
    """All checks, in the order in which to read them. `split` is the one on the sample ratio."""

    checks: tuple[Check, ...]
    split: Check

    @property
    def state(self) -> State:
        """The worst state of any check."""
        return worst(self.checks)


def assess(
    sample: Sample, comparisons: Sequence[Comparison], *, entries: Ledger | None, refused: Mapping[str, int]
) -> Health:
    """Run every check. `entries`: the ledger, where the caller has read it; `refused`: events by outcome."""
    split = sample_ratio_check(sample)
    checks = (
        impossible(sample),
        split,
        several_variants(sample),
        duplicates(sample),
        without_impression(sample),
        before_impression(sample),
        bots(sample),
        simpson(comparisons),
        novelty(sample),
        twyman(sample, comparisons),
        refusals(sample, refused, entries),
        conservation(entries),
        *arrivals(sample, refused),
    )
    return Health(checks, split)


def impossible(sample: Sample) -> Check:
    """Counts that no sequence of events can explain."""
    wrong = []
    for (phase, variant), tally in sorted(sample.arms.items()):
        where = f"{variant} (phase {phase})"
        counts = sample.counted(tally)
        if not possible(counts):
            wrong.append(f"{where}: {counts.converted} of {counts.visitors} visitors converted")
        negative = [name for name, value in tally.numbers().items() if value < 0]
        if negative:
            wrong.append(f"{where}: {listed(negative)} below zero")
        if tally.visitors == 0 and tally.clicks > 0:
            wrong.append(f"{where}: {count(tally.clicks, 'click')} but no visitor")
        if tally.visitors > tally.impressions:
            wrong.append(f"{where}: {tally.visitors} visitors but {count(tally.impressions, 'impression')}")
    figures = {"found": wrong}
    if not wrong:
        return Check("impossible-counts", "ok", "No impossible counts.", figures)
    text = f"Impossible counts: {'; '.join(wrong[:3])}. Rebuild the tallies: `abacus rebuild`."
    return Check("impossible-counts", "alarm", text, figures)


def sample_ratio_check(sample: Sample) -> Check:
    """Sample ratio mismatch, by phase, with the likely cause."""
    if sample.experiment.assignment == "client":
        text = "The sender draws the variants and a visitor counts in each one seen: the split is not checked."
        return Check("srm", "ok", text, {"p": None, "p_anytime": None})
    imbalance = sample_ratio.measure(sample)
    state: State = "alarm" if imbalance.proven else "warning" if imbalance.p < ALARM else "ok"
    figures = imbalance.figures()
    if state == "ok":
        return Check("srm", state, "Visitors came in the configured proportions.", figures)
    text = f"{explain(sample, imbalance)}."
    if state == "warning":
        text += " Chance does this at one look in 1,000, and you look often: not proven. Look again tomorrow."
    if sample.experiment.segments:
        text += (
            f" Look at it by {listed([segment.name for segment in sample.experiment.segments])}: one may be the cause."
        )
    return Check("srm", state, sentence(text), figures)


def several_variants(sample: Sample) -> Check:
    """Visitors seen in several variants: counted in the first, unless the sender assigns."""
    if sample.experiment.assignment == "client":
        text = (
            "The sender assigns the variants, so one visitor can count in several of them: "
            "rates are right, comparisons only roughly."
        )
        return Check("multiple-variants", "warning", text, {"by_variant": {}, "share": None})
    return _flagged(sample, "multiple-variants", "seen in several variants; each counts in the first", "A cached page?")


def without_impression(sample: Sample) -> Check:
    """Visitors who clicked or converted although no impression of theirs was recorded; they are left out."""
    return _excluded(
        sample, "no-impression", "clicked without an impression", "Is the impression sent too late, or blocked?"
    )


def before_impression(sample: Sample) -> Check:
    """Visitors whose clicks or goals came before their first impression; those events do not count."""
    return _flagged(
        sample,
        "before-impression",
        "had a click or goal before the first impression, which does not count",
        "Is the impression sent too late?",
    )


# Which they are is stored nowhere: a row has no user agent.
_HINT_OF_BOTS = (
    "Automated browsers count as bots: do your own tests visit these pages? Your server's log has the user agents."
)


def bots(sample: Sample) -> Check:
    """Visitors who were left out because their user agent names a bot."""
    return _excluded(sample, "bot", "left out as bots", _HINT_OF_BOTS, usual=0.1)


def _excluded(sample: Sample, reason: str, what: str, hint: str, usual: float = 0.01) -> Check:
    affected = {variant: max(0, tally.excluded[reason]) for variant, tally in sample.totals.items()}
    seen = {variant: tally.visitors + affected[variant] for variant, tally in sample.totals.items()}
    return _shares(reason, affected, seen, what, hint, usual)


def _flagged(sample: Sample, flag: str, what: str, hint: str, usual: float = 0.01) -> Check:
    affected = {variant: max(0, tally.flagged[flag]) for variant, tally in sample.totals.items()}
    seen = {variant: tally.visitors for variant, tally in sample.totals.items()}
    return _shares(flag, affected, seen, what, hint, usual)


def _shares(
    reason: str, affected: Mapping[str, int], seen: Mapping[str, int], what: str, hint: str, usual: float
) -> Check:
    """Few: ok. More than usual: warning. Unequal shares in the variants: alarm, since they can cause a difference."""
    total, visitors = sum(affected.values()), sum(max(0, n) for n in seen.values())
    share = total / visitors if visitors else 0.0
    shares = {v: affected[v] / seen[v] if seen[v] > 0 else None for v in seen}
    p, gap = _unlike({v: Counts(affected[v], seen[v]) for v in seen})
    figures = {"visitors": total, "share": share, "by_variant": dict(affected), "share_by_variant": shares, "p": p}
    text = f"{count(total, 'visitor')} ({percent(share)}) {what}"
    if p is not None and p < ALARM and gap > POINT:
        spread = listed([f"{percent(s)} of {v}" for v, s in shares.items() if s is not None])
        return Check(reason, "alarm", sentence(f"{text}, unevenly: {spread}. {hint}"), figures)
    if share > usual:
        return Check(reason, "warning", sentence(f"{text}. {hint}"), figures)
    return Check(reason, "ok", sentence(f"{text}."), figures)


def duplicates(sample: Sample) -> Check:
    """Repeats are counted once; but when one variant repeats more, its page behaves differently."""
    received = {variant: tally.received for variant, tally in sample.totals.items()}
    repeats = {variant: max(0, tally.received - tally.events) for variant, tally in sample.totals.items()}
    shares = {v: repeats[v] / received[v] if received[v] > 0 else None for v in received}
    p, gap = _unlike({v: Counts(repeats[v], received[v]) for v in received})
    total, everything = sum(repeats.values()), sum(max(0, n) for n in received.values())
    figures = {"repeated": total, "received": everything, "share_by_variant": shares, "p": p}
    text = f"{count(total, 'event')} came more than once ({percent(total / everything if everything else 0)})"
    if p is not None and p < ALARM and gap > POINT:
        spread = listed([f"{percent(s)} in {v}" for v, s in shares.items() if s is not None])
        return Check("duplicates", "alarm", sentence(f"{text}, unevenly: {spread}; each was counted once."), figures)
    return Check("duplicates", "ok", sentence(f"{text}; each was counted once."), figures)


def _unlike(shares: Mapping[str, Counts]) -> tuple[float | None, float]:
    """Smallest p over pairs with the first variant, times their number, and the largest gap between shares."""
    usable = [c for c in shares.values() if c.visitors > 0 and possible(c)]
    if len(usable) < 2:
        return None, 0.0
    p = min(rates.z_test(usable[0], other).p for other in usable[1:]) * (len(usable) - 1)
    observed = [c.converted / c.visitors for c in usable]
    return min(1.0, p), max(observed) - min(observed)

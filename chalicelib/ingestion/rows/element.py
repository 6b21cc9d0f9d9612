"""An accepted event as the element that its row will hold, and how long such an element can be."""

from __future__ import annotations

from chalicelib.domain.clock import SECOND_MS
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment
from chalicelib.storage import event_encoding
from chalicelib.storage.event_encoding import ID_LENGTH, NO_AMOUNT, Amount, Marks

TIME_LENGTH = 14  # digits of the latest time that an event can have
MARKS_LENGTH = 6  # a separator and five marks
AMOUNT_LENGTH = 31  # a separator, a value and a limit
LONGEST = 2 + 64 + 64 + 4 + TIME_LENGTH + ID_LENGTH + 4 + MARKS_LENGTH + AMOUNT_LENGTH  # bytes; of any experiment


def element_of(event: Event, experiment: Experiment, marks: Marks) -> str:
    """`event`, which `experiment` accepts, as its row holds it."""
    client = experiment.assignment == "client"
    amount = _amount(event, experiment)
    return event_encoding.write(event, phase=experiment.current_phase, client=client, marks=marks, amount=amount)


def _amount(event: Event, experiment: Experiment) -> Amount:
    if event.type == "impression" and experiment.conversion_window_ms is not None:
        return Amount(limit=experiment.conversion_window_ms // SECOND_MS)
    if event.value is None or event.goal is None:
        return NO_AMOUNT
    declared = experiment.goal_values[event.goal]
    return Amount(int(event.value.scaleb(declared.decimals)), declared.cap)


def longest_element(experiment: Experiment) -> int:
    """Bytes of the longest event that `experiment` accepts, as `event_encoding` writes it."""
    kind = max((len(f"g:{goal}") for goal in experiment.goals), default=1)
    variant = max(len(key) for key in experiment.variant_keys)
    phase = len(str(experiment.current_phase))
    amount = AMOUNT_LENGTH if experiment.goal_values or experiment.conversion_window_ms else 0
    return kind + variant + phase + TIME_LENGTH + ID_LENGTH + 4 + MARKS_LENGTH + amount

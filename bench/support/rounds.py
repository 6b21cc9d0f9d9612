"""Timing things beside each other: in alternating rounds, so that whatever else the machine does hits them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Hashable, Mapping
from statistics import median
from typing import NamedTuple, TypeVar

Name = TypeVar("Name", bound=Hashable)


class Taken(NamedTuple):
    """Seconds. `cpu` is this process's alone: it says what our code costs, whatever it has to wait for."""

    wall: float
    cpu: float


def timed(work: Callable[[], object]) -> Taken:
    """How long one run of `work` takes."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


def medians(works: Mapping[Name, Callable[[], object]], rounds: int) -> dict[Name, Taken]:
    """The medians of each of `works`, run in turn `rounds` times after one round that does not count."""
    runs: dict[Name, list[Taken]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            taken = timed(work)
            if number:
                runs[name].append(taken)
    return {name: Taken(median(t.wall for t in all_), median(t.cpu for t in all_)) for name, all_ in runs.items()}

"""A holdout: visitors who take part in no experiment, so that all experiments together can be measured.

The file says `holdout: 5 %`. Every experiment that begins then leaves out the first 5 % of the places in the namespace
`holdout`, for all clients alike. An experiment of that name compares these visitors with all others; its seed is the
namespace's name, so its places are the same.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.manifest import HOLDOUT, Experiment, GoalValue, Manifest, Phase, Variant

REST = "rest"  # the variant of those who may take part in experiments


def holdout_experiment(share: float, experiments: tuple[Experiment, ...]) -> Experiment:
    """The experiment that compares the holdout with all other visitors on the goals of `experiments`.

    `share`: of all visitors, 0 ... 1; 0 stops it. A goal whose values differ between experiments has none here."""
    running = [e for e in experiments if e.status == "running"]
    goals = sorted({goal for e in running for goal in e.goals})
    values: dict[str, GoalValue] = {}
    for goal in goals:
        declared = {e.goal_values.get(goal) for e in running if goal in e.goals}
        value = declared.pop() if len(declared) == 1 else None
        if value is not None:
            values[goal] = value
    return Experiment(
        key=HOLDOUT,
        description="Visitors who take part in no experiment, against all others.",
        status="running" if share else "stopped",
        variants=(Variant(key=HOLDOUT), Variant(key=REST)),
        phases=(Phase(weights=(share, 1 - share)),),
        seed=HOLDOUT,
        goals=tuple(goals),
        goal_values=values,
        lower_is_better=tuple(
            goal for goal in goals if all(goal in e.lower_is_better for e in running if goal in e.goals)
        ),
    )


def with_holdout(experiments: tuple[Experiment, ...], share: float) -> tuple[Experiment, ...]:
    """`experiments` without the holdout's visitors, and the experiment that measures it, in order of key."""
    kept_out = (e.model_copy(update={"holdout": share}) for e in experiments)
    return tuple(sorted([*kept_out, holdout_experiment(share, experiments)], key=lambda e: e.key))


def with_live_holdout(live: Manifest | None, wanted: Manifest) -> Manifest:
    """`wanted`, where experiments that have visitors keep the holdout they began with.

    A visitor must not leave an experiment because a holdout was declared later; those that begin now get the holdout
    that is live. A stopped holdout keeps its shares, by which its visitors were counted."""
    before = {e.key: e for e in live.experiments if e.status != "draft"} if live else {}
    measured = before.get(HOLDOUT)
    running = measured.phases[0].weights[0] if measured is not None and measured.status == "running" else None

    def with_its_holdout(experiment: Experiment) -> Experiment:
        known = before.get(experiment.key)
        if experiment.key == HOLDOUT:
            return _as_counted(experiment, known) if known else experiment
        if known is not None:
            return experiment.model_copy(update={"holdout": known.holdout})
        share = running if running is not None and experiment.holdout else experiment.holdout
        return experiment.model_copy(update={"holdout": share})

    return wanted.model_copy(update={"experiments": tuple(with_its_holdout(e) for e in wanted.experiments)})


def _as_counted(holdout: Experiment, known: Experiment) -> Experiment:
    """The holdout's experiment, where goals that visitors have reached keep the meaning they were counted with,
    whichever experiments run by now."""
    common = [goal for goal in holdout.goals if goal in known.goals]
    update: dict[str, Any] = {
        "goal_values": {goal: value for goal, value in holdout.goal_values.items() if goal not in common}
        | {goal: known.goal_values[goal] for goal in common if goal in known.goal_values},
        "lower_is_better": tuple(
            goal for goal in holdout.goals if goal in (known if goal in common else holdout).lower_is_better
        ),
    }
    if holdout.status == "stopped":
        update["phases"] = known.phases
    return holdout.model_copy(update=update)

"""What a browser may know of the manifest: no drafts, no descriptions, no hypotheses, no history of times.

docs/manifest.md describes the form; static/ consumes it. Fields that say nothing are left out, for the
snippet carries all of this in its first bytes.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.manifest import Experiment, Manifest, Phase


def public(manifest: Manifest) -> dict[str, Any]:
    """The manifest for browsers, ready for json.dumps. Times are epoch milliseconds."""
    shown = [_experiment(e) for e in manifest.experiments if _matters(e)]
    return {"client_key": manifest.client_key, "digest": manifest.digest, "experiments": shown}


def _matters(experiment: Experiment) -> bool:
    # A paused one stays, so that visitors keep the variant they have stored. A stopped one without a winner
    # is, to a browser, as if it never was.
    return experiment.status in ("running", "paused") or (
        experiment.status == "stopped" and experiment.winner is not None
    )


def _experiment(experiment: Experiment) -> dict[str, Any]:
    fields = experiment.model_dump(
        mode="json",
        exclude_defaults=True,
        include={
            "key",
            "seed",
            "status",
            "variants",
            "winner",
            "namespace",
            "condition",
            "redirect",
            "edge",
            "holdout",
            "goals",
            "assignment",
            "start",
            "end",
        },
    )
    if experiment.goal_values:
        fields["valued"] = [goal for goal in experiment.goals if goal in experiment.goal_values]
    from_page = [segment.name for segment in experiment.segments if segment.attribute or segment.name == "visitor"]
    if from_page:
        fields["segments"] = from_page
    fields["phases"] = [_phase(phase) for phase in experiment.phases]
    if experiment.urls is not None:
        fields["urls"] = experiment.urls.model_dump(mode="json")
    return fields


def _phase(phase: Phase) -> dict[str, Any]:
    return phase.model_dump(mode="json", exclude_none=True)

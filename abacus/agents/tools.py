"""What an assistant may do: read results, explain, plan, check, draft and validate; publish only where it is allowed.

Each public method is one tool; its docstring is what the assistant reads. Texts that people wrote come back as
{"untrusted_text": "..."}, so that they are not taken for instructions.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abacus.authoring.assign import decide
from abacus.authoring.load import load
from abacus.authoring.metrics.draft import DraftMetrics
from abacus.authoring.new import Draft, create
from abacus.authoring.plan import PlannedTraffic, planned
from abacus.authoring.status import find_experiment
from abacus.aws.target import address
from abacus.options import visitor_id
from abacus.page_check.command import check_page, site_of
from abacus.product_api import ProductApi
from abacus.publishing.publish import Author, Plan, plan, plan_and_write, refused_line
from abacus.publishing.remote import remote_of
from chalicelib.analysis.duration.planning import Baseline
from chalicelib.domain import clock
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.metrics import MetricName

UNTRUSTED = frozenset({"description", "hypothesis", "why", "by"})
REPORT = (
    *("experiment", "description", "hypothesis", "status", "goal", "primary", "as_of", "age", "variants"),
    *("comparisons", "metrics", "means", "guardrails", "plan", "live", "simulated", "segments", "segment", "by"),
)
Json = dict[str, Any]


class NotAllowed(AbacusError):
    """The server was started without the right to publish."""


def marked(value: Any, name: str = "") -> Any:
    """`value` with the texts of people marked as data, wherever they stand."""
    if isinstance(value, Mapping):
        return {key: marked(item, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [marked(item, name) for item in value]
    return {"untrusted_text": value} if name in UNTRUSTED and isinstance(value, str) and value else value


@dataclass(frozen=True)
class AgentTools:
    """The tools for one folder of experiments and one product. `stage`: None is the product that runs here."""

    manifest: Path
    stage: str | None
    home: Path
    read_key: str = ""
    allow_publish: bool = False

    def list_experiments(self) -> Json:
        """List the published experiments with status, visitors and verdict."""
        entries = self._api().experiments()
        fields = ("experiment", "description", "status", "goal", "visitors", "converted", "simulated")
        return {
            "experiments": [
                marked({name: entry.get(name) for name in fields}) | {"verdict": entry["verdict"]["headline"]}
                for entry in entries
            ]
        }

    def get_results(self, experiment: str, segment: str = "") -> Json:
        """Read an experiment's results: verdict, metrics, guardrails and data checks. With `segment`, such as device,
        the results by its values: exploratory, never a verdict."""
        report = self._api().experiment(experiment, by=segment)
        if segment:
            return {"results": marked(report)}
        checks = [{name: check[name] for name in ("name", "state", "text")} for check in report["health"]["checks"]]
        other_fields = {name: report[name] for name in REPORT if name in report}
        return marked({"verdict": report["verdict"], "checks": checks, **other_fields})  # type: ignore[no-any-return]

    def explain_assignment(self, visitor: str, experiment: str, url: str = "", attributes: Json | None = None) -> Json:
        """Explain, step by step, which variant a visitor gets in an experiment of the files. `visitor` is the id or the
        whole cookie; `attributes` are those that conditions test, such as {"country": "CH"}."""
        published = find_experiment(self.manifest, experiment)
        decision = decide(published, visitor_id(visitor), url, attributes or {}, clock.now_ms())
        return {"variant": decision.variant, "takes_part": decision.enrolled, "steps": list(decision.steps)}

    def plan_experiment(self, rate: float, lift: float, variants: int = 2, visitors_per_day: float = 0) -> Json:
        """Calculate how many visitors and days a test needs. `rate` and `lift` are fractions: 0.04 is a rate of 4 %,
        0.1 a relative lift of 10 %."""
        if not 2 <= variants <= 20:
            raise AbacusError(f"variants: {variants} is not a number from 2 to 20")
        if not 0 < rate < 1:
            raise AbacusError(f"rate: {rate} is not a fraction between 0 and 1, such as 0.04")
        traffic = PlannedTraffic(per_day=visitors_per_day or None, coverage=1.0, margin=0.01)
        return {"plan": planned(Baseline(rate), lift, [1 / variants] * variants, traffic)}

    def check_page(self, url: str, experiment: str = "") -> Json:
        """Fetch a page and say, in order, what is missing for the snippet and the running experiments. The findings may
        quote the page."""
        base_url = self._base_url()
        experiments = ProductApi(base_url).get("/manifest.json")["experiments"]
        findings = list(check_page(url, site_of(base_url), experiments, only=experiment or None))
        return {
            "missing": sum(finding.state == "missing" for finding in findings),
            "findings": [{"state": f.state, "finding": {"untrusted_text": f.text}} for f in findings],
        }

    def draft_experiment(
        self,
        key: str,
        variants: list[str],
        hypothesis: str = "",
        page: str = "",
        goal: str = "click",
        lift: float = 0.1,
    ) -> Json:
        """Draft an experiment's YAML file and validate it. Writes nothing. `variants`: keys, the control first; `page`:
        a url pattern such as /shop/*; `goal`: what decides; `lift`: the smallest relative change worth finding."""
        with tempfile.TemporaryDirectory() as folder:
            text = create(
                Draft(key, hypothesis, page, variants, DraftMetrics(MetricName(goal)), lift), Path(folder)
            ).read_text("utf-8")
        taken = self.manifest.is_dir() and load(self.manifest).experiment(key) is not None
        return {
            "file": f"{self.manifest}/{key}.yaml",
            "yaml": text,
            "valid": not taken,
            "problems": [f"{self.manifest} has an experiment {key} already: choose another key"] if taken else [],
        }

    def validate(self, yaml: str = "") -> Json:
        """Check all experiment files, or the text of one file given as `yaml`."""
        with tempfile.TemporaryDirectory() as folder:
            checked = self.manifest
            if yaml:
                checked = Path(folder)
                (checked / "draft.yaml").write_text(yaml, "utf-8")
            try:
                experiments = load(checked).experiments
            except AbacusError as error:
                problems = error.message.replace(f"{folder}/", "").splitlines()
                return {"valid": False, "problems": [{"untrusted_text": line} for line in problems]}
        return {"valid": True, "experiments": [{"key": e.key, "status": e.status} for e in experiments]}

    def publish(self, dry_run: bool = True, note: str = "") -> Json:
        """Show what publishing the files would change. With dry_run false, publish them, where the person who started
        this server allowed it; refused experiments stay as they are live."""
        if not dry_run and not self.allow_publish:
            raise NotAllowed("publishing is not allowed: start the server with `abacus mcp --allow-publish`")
        wanted, at = load(self.manifest), remote_of(self.stage, self.home)
        plans: list[Plan] = []
        if dry_run:
            plans.append(plan(wanted, at.s3, at.bucket, clock.now_ms()))
        else:
            plan_and_write(wanted, at, plans.append, author=Author(f"{at.person}, by an assistant", note))
        return {
            "published": not dry_run,
            "changes": [{"untrusted_text": str(change)} for change in plans[0].changes],
            "refused": refused_line(plans[0]) if plans[0].refusals else "",
        }

    def _base_url(self) -> str:
        return address(self.stage, self.home, os.environ).rstrip("/")

    def _api(self) -> ProductApi:
        return ProductApi(self._base_url(), self.read_key)

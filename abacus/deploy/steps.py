"""The steps that deploy a stage, in order; each may be repeated.

data ─→ api (functions) ─→ firewall ─→ edge (CloudFront) ─→ watch, budget ─→ publish ─→ smoke test
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from abacus.aws import cloudformation, names, retained, stack_state
from abacus.aws.account import Account
from abacus.deploy import chalice_deploy
from abacus.deploy.options import DeployOptions, Surroundings, api_kind
from abacus.deploy.package import upload, with_code
from abacus.deploy.plan import StackPlan, plan_stacks
from abacus.deploy.smoke import PublicUrl, Smoke
from abacus.installation.release import installed
from abacus.publishing import publish
from abacus.publishing.remote import Remote
from abacus.site import build
from chalicelib.domain.manifest import Manifest
from chalicelib.storage.dynamodb import DynamoStore

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# What CloudFormation says of a queue whose deletion is not over: SQS blocks its name, or still answers for it.
QUEUE_BEING_DELETED = ("QueueDeletedRecently", "wait 60 seconds", "NonExistentQueue", "QueueDoesNotExist")


@dataclass
class Deployment:
    """One run of `abacus deploy`.

    Attributes:
        report: takes each line of progress.
        outputs: part → the outputs of its stack, as far as this run has come."""

    account: Account
    options: DeployOptions
    surroundings: Surroundings
    manifest: Manifest
    report: Callable[[str], object]
    sleep: Callable[[float], None] = time.sleep
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, *, rotate: bool = False, make_site: publish.Build = build.build_site) -> None:
        """All steps. Raises AbacusError that names what failed and why; what was created before stays.

        Args:
            rotate: replace the secret that CloudFront sends to the API."""
        ssm, stage = self.account.client("ssm"), self.options.stage
        secrets = ensure_origin_secret(ssm, stage, rotate=rotate)
        plans = plan_stacks(self.options, self.surroundings, secrets)
        for plan in plans:
            self._apply(plan)
        if len(secrets) > 1:
            # CloudFront sends the new secret from everywhere now, so the API need not accept the old one any more.
            secrets = keep_newest_secret(ssm, stage, secrets)
            self._apply(
                next(plan for plan in plan_stacks(self.options, self.surroundings, secrets) if plan.part == "api")
            )
        for part in self.surroundings.stacks.keys() - {plan.part for plan in plans}:
            self.report(f"{part}: not wanted any more, deleted")
            client = self.account.cloudformation(part)
            cloudformation.remove(client, names.stack(stage, part), watch=cloudformation.Watch(poll=self.account.poll))
        published = self._publish(make_site)
        self._smoke_test(published.manifest)

    def _apply(self, plan: StackPlan) -> None:
        self.report(f"{plan.part}: {plan.description}")
        if plan.part == "api" and api_kind(self.options, self.surroundings) == "chalice":
            source = plan.path.parent.parent / "source"
            values = plan.values(self.outputs)
            self.outputs["api"] = chalice_deploy.deploy(self.options.stage, values, self.account, source)
            self.report("    done by chalice deploy")
            return
        began = time.monotonic()
        progress = _Progress(self.report)
        if plan.part == "data":
            self.outputs["data"] = self._waiting_for_queues(lambda: self._apply_data(plan, progress))
        else:
            self.outputs[plan.part] = self._apply_stack(plan, progress)
        self.report(f"    {f'done in {time.monotonic() - began:.0f} s' if progress.changed else 'as it was'}")

    def _apply_data(self, plan: StackPlan, progress: _Progress) -> dict[str, str]:
        """The data stack, created around the tables, queues and the bucket that an earlier one left."""
        client, name = self.account.cloudformation("data"), names.stack(self.options.stage, "data")
        stack = cloudformation.wait_until_idle(client, name, watch=cloudformation.Watch(progress, self.account.poll))
        if not stack_state.is_created(client, stack):
            if stack is not None:
                cloudformation.remove(
                    client, name, retain_undeletable=True, watch=cloudformation.Watch(progress, self.account.poll)
                )
            for resource in retained.adopt(self.options.stage, self.account, progress):
                self.report(f"    found and taken in: {resource}")
        return self._apply_stack(plan, progress)

    def _apply_stack(self, plan: StackPlan, progress: _Progress) -> dict[str, str]:
        return cloudformation.apply(
            self.account.cloudformation(plan.part),
            names.stack(self.options.stage, plan.part),
            self._template(plan),
            plan.values(self.outputs),
            tags={"app": "abacus", "stage": self.options.stage, **installed().tags()},
            watch=cloudformation.Watch(progress, self.account.poll),
        )

    def _waiting_for_queues(self, apply: Callable[[], dict[str, str]]) -> dict[str, str]:
        """`apply`, once more after a minute if a queue of that name was deleted a moment ago."""
        try:
            return apply()
        except cloudformation.StackFailed as error:
            if not any(words in str(error) for words in QUEUE_BEING_DELETED):
                raise
            self.report(f"    a queue is still being deleted; trying again in {retained.QUEUE_DELETION_S} s")
            self.sleep(retained.QUEUE_DELETION_S)
            return apply()

    def _template(self, plan: StackPlan) -> str:
        if plan.part != "api":
            return plan.template.text
        bucket = self.outputs["data"]["BucketName"]
        key = upload(self.account.client("s3"), bucket, plan.path.with_name("deployment.zip"))
        return with_code(plan.template.text, bucket, key)

    def _publish(self, make_site: publish.Build) -> publish.Plan:
        """As `abacus publish` does it: the edge function gets the manifest too, and the CDN's caches are emptied."""
        self.report("publish: the manifest and the site")
        edge, person = self.outputs["edge"], getpass.getuser()
        at = Remote(
            self.account.client("s3"),
            self.outputs["data"]["BucketName"],
            self.account.client("cloudfront"),
            edge["DistributionId"],
            person,
            edge.get("EdgeFunctionName", ""),
        )

        def shown(planned: publish.Plan) -> None:
            for change in planned.changes:
                self.report(f"    {change}")

        author = publish.Author(person, "abacus deploy")
        planned, paths = publish.plan_and_write(self.manifest, at, shown, author=author, build=make_site)
        self.report(f"    {len(paths)} files")
        return planned

    def _smoke_test(self, manifest: Manifest) -> None:
        self.report("smoke test: through the public address")
        data = self.outputs["data"]
        store = DynamoStore(self.account.client("dynamodb"), data["ParticipantsName"], data["TalliesName"])
        smoke = Smoke(self._site(), self._api(), store, manifest, self.options.read_key)
        for result in smoke.run():
            self.report(f"    {result.request}: {result.detail}")

    def _site(self) -> PublicUrl:
        # By CloudFront's own name: your own domain may not point there yet.
        domain = self.outputs["edge"]["Domain"]
        if self.surroundings.emulator:
            return PublicUrl(f"http://{self.surroundings.emulator}", {"Host": domain, "X-Forwarded-Proto": "https"})
        return PublicUrl(f"https://{domain}")

    def _api(self) -> PublicUrl:
        api = self.outputs["api"]
        if self.surroundings.emulator:
            return PublicUrl(f"http://{self.surroundings.emulator}/_aws/execute-api/{api['RestAPIId']}/api")
        if "RestDomain" in api:
            return PublicUrl(f"https://{api['RestDomain']}/api")
        return PublicUrl(self.outputs["edge"]["ApiUrl"])


class _Progress:
    """Reports each resource of a stack when it is done; `changed`: whether there was any event."""

    def __init__(self, report: Callable[[str], object]) -> None:
        self.changed = False
        self._report = report

    def __call__(self, event: Mapping[str, Any]) -> None:
        self.changed = True
        status = event["ResourceStatus"]
        if event["ResourceType"] != "AWS::CloudFormation::Stack" and not status.endswith("IN_PROGRESS"):
            self._report(f"    {status.lower().replace('_', ' ')}: {event['LogicalResourceId']}")


# ---------------------------------------------------------------- the secret that CloudFront sends to the API
#
# Created once, kept in SSM, replaced without a refused request. It is in SSM because two stacks need the same value and
# neither shows it; an interrupted deploy finds it there. During a rotation SSM holds `new,old`: the API accepts both
# until CloudFront sends the new one.


def origin_secrets(ssm: SSMClient, stage: str) -> list[str]:
    """The secrets of a stage, the newest first; none before its first deploy."""
    try:
        parameter = ssm.get_parameter(Name=names.origin_secrets(stage), WithDecryption=True)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        return []
    return parameter["Value"].split(",")


def ensure_origin_secret(ssm: SSMClient, stage: str, *, rotate: bool = False) -> list[str]:
    """The secrets that the API has to accept from now on, the newest first.

    Args:
        rotate: put a new secret before the deployed one. A rotation that was interrupted is resumed instead."""
    stored = origin_secrets(ssm, stage)
    if stored and (not rotate or len(stored) > 1):
        return stored
    secrets = [token_urlsafe(32), *stored]
    _write_secrets(ssm, stage, secrets)
    return secrets


def keep_newest_secret(ssm: SSMClient, stage: str, secrets: list[str]) -> list[str]:
    """Keep the newest secret only, once CloudFront sends it from everywhere."""
    _write_secrets(ssm, stage, secrets[:1])
    return secrets[:1]


def _write_secrets(ssm: SSMClient, stage: str, secrets: list[str]) -> None:
    name = names.origin_secrets(stage)
    ssm.put_parameter(Name=name, Value=",".join(secrets), Type="SecureString", Overwrite=True)

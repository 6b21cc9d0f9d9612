"""The steps that make a stage, in order; each may be repeated.

data ─→ api (functions) ─→ edge (CloudFront) ─→ watch, budget ─→ publish ─→ smoke test
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from abacus.aws import cloudformation, names, origin_secret, retained
from abacus.aws.account import Account
from abacus.deploy import chalice_deploy
from abacus.deploy.options import Around, Wishes, kind_of_api
from abacus.deploy.package import placed, upload
from abacus.deploy.plan import Stack, blueprint
from abacus.deploy.smoke import PublicUrl, Smoke
from abacus.publishing import publish
from abacus.site import build
from chalicelib.domain.manifest import Manifest
from chalicelib.storage.dynamodb import DynamoStore

Say = Callable[[str], None]


@dataclass
class Deployment:
    """One run. `outputs`: what each part's stack gave so far."""

    account: Account
    wishes: Wishes
    around: Around
    manifest: Manifest
    say: Say
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, *, rotate: bool = False, make_site: publish.Build = build.build_site) -> None:
        """All steps. Raises AbacusError that names what failed and why; what was made until then stays."""
        ssm = self.account.client("ssm")
        secrets = origin_secret.ensure(ssm, self.wishes.stage, rotate=rotate)
        parts = blueprint(self.wishes, self.around, secrets)
        for part in parts:
            self._make(part)
        if len(secrets) > 1:
            # CloudFront says the new one everywhere, so nobody needs the old one any more.
            secrets = origin_secret.settle(ssm, self.wishes.stage, secrets)
            again = blueprint(self.wishes, self.around, secrets)
            self._make(next(part for part in again if part.part == "api"))
        for name in self.around.present.keys() - {part.part for part in parts}:
            self.say(f"{name}: no longer wished, removed")
            whole = names.stack(self.wishes.stage, name)
            cloudformation.remove(self.account.cloudformation(name), whole, poll=self.account.poll)
        planned = self._publish(make_site)
        self._try(planned.manifest)

    def _make(self, part: Stack) -> None:
        name = names.stack(self.wishes.stage, part.part)
        self.say(f"{part.part}: {part.what}")
        if part.part == "api" and kind_of_api(self.wishes, self.around) == "chalice":
            client, source = self.account.client("lambda"), part.path.parent.parent / "source"
            self.outputs["api"] = chalice_deploy.deploy(self.wishes.stage, part.filled(self.outputs), client, source)
            self.say("    done by chalice deploy")
            return
        began = time.monotonic()
        moved = False

        def follow(event: Mapping[str, Any]) -> None:
            nonlocal moved
            moved = True
            status, what = event["ResourceStatus"], event["LogicalResourceId"]
            if event["ResourceType"] != "AWS::CloudFormation::Stack" and not status.endswith("IN_PROGRESS"):
                self.say(f"    {status.lower().replace('_', ' ')}: {what}")

        if part.part == "data" and "data" not in self.around.present:
            for thing in retained.adopt(self.wishes.stage, self.account, follow):
                self.say(f"    found and taken in: {thing}")
        self.outputs[part.part] = cloudformation.apply(
            self.account.cloudformation(part.part),
            name,
            self._template(part),
            part.filled(self.outputs),
            tags={"app": "abacus", "stage": self.wishes.stage},
            keep=True,
            follow=follow,
            poll=self.account.poll,
        )
        self.say(f"    {f'done in {time.monotonic() - began:.0f} s' if moved else 'as it was'}")

    def _template(self, part: Stack) -> str:
        if part.part != "api":
            return part.template.text
        bucket = self.outputs["data"]["BucketName"]
        key = upload(self.account.client("s3"), bucket, part.path.with_name("deployment.zip"))
        return placed(part.template.text, bucket, key)

    def _publish(self, make_site: publish.Build) -> publish.Plan:
        self.say("publish: the manifest and the site")
        s3, bucket, now = self.account.client("s3"), self.outputs["data"]["BucketName"], round(time.time() * 1000)
        planned = publish.plan(self.manifest, s3, bucket, now)
        for change in planned.changes:
            self.say(f"    {change}")
        paths = publish.write(planned, s3, bucket, now, build=make_site, by=getpass.getuser(), note="abacus deploy")
        self.account.client("cloudfront").create_invalidation(
            DistributionId=self.outputs["edge"]["DistributionId"],
            InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": f"deploy-{now}"},
        )
        self.say(f"    {len(paths)} files")
        return planned

    def _try(self, manifest: Manifest) -> None:
        self.say("smoke test: through the public address")
        data = self.outputs["data"]
        store = DynamoStore(self.account.client("dynamodb"), data["ParticipantsName"], data["TalliesName"])
        smoke = Smoke(self._site(), self._api(), store, manifest, self.wishes.read_key)
        for result in smoke.run():
            self.say(f"    {result.asked}: {result.found}")

    def _site(self) -> PublicUrl:
        # By CloudFront's own name: a domain of one's own may not lead there yet.
        domain = self.outputs["edge"]["Domain"]
        if self.around.emulator:
            return PublicUrl(f"http://{self.around.emulator}", {"Host": domain, "X-Forwarded-Proto": "https"})
        return PublicUrl(f"https://{domain}")

    def _api(self) -> PublicUrl:
        api = self.outputs["api"]
        if self.around.emulator:
            return PublicUrl(f"http://{self.around.emulator}/_aws/execute-api/{api['RestAPIId']}/api")
        if "RestDomain" in api:
            return PublicUrl(f"https://{api['RestDomain']}/api")
        return PublicUrl(self.outputs["edge"]["ApiUrl"])

"""docs/first-deploy.md: its policy allows what the commands do, and nothing that they do not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import botocore.handlers
import pytest

from abacus.aws import cloudformation
from abacus.aws.templates import read
from abacus.deploy.package import package, this_machine
from abacus.export.athena import LAKE  # which is deployed by hand
from abacus.local.emulated_stacks import emulator, environment
from abacus.paths import INFRA, PROJECT
from tests.deploy.permissions import Call, policy
from tests.deploy.test_deploy import STAGE, Account

PAGE = PROJECT / "docs" / "first-deploy.md"
CI_PAGE = PROJECT / "docs" / "ci.md"
MANAGED_POLICY = 6144  # characters without blanks that IAM takes


class Calls(NamedTuple):
    """life: of a stage's whole life: created, published, updated, failed, destroyed, found again, gone.
    preview: of `abacus publish --dry-run` alone. publishing: of `abacus publish` alone."""

    life: set[Call]
    preview: set[Call]
    publishing: set[Call]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    recorded: set[Call] = set()
    site = tmp_path_factory.mktemp("site")  # its edge function is published too
    (site / "abacus.yaml").write_text(f"manifest: {PROJECT / 'manifest'}\nsnippet: {{ edge: true }}\n")

    def record(model: Any, **_: Any) -> None:
        recorded.add((model.service_model.service_name, model.name))

    handlers = [*botocore.handlers.BUILTIN_HANDLERS, ("before-parameter-build", record)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(site)
        folder = tmp_path_factory.mktemp("built") / "package"
        package(STAGE, folder, target=this_machine())
        with emulator(tmp_path_factory.mktemp("account"), persist=False) as (_, endpoint):
            for name, value in environment(endpoint, {}).items():
                patch.setenv(name, value)
            patch.setattr(botocore.handlers, "BUILTIN_HANDLERS", handlers)
            # boto3's own session has the handlers of the time it was made; an earlier test may have made it.
            patch.setattr(boto3, "DEFAULT_SESSION", None)
            yield live(Account(endpoint, folder), tmp_path_factory.mktemp("broken"), recorded)


def live(account: Account, folder: Path, recorded: set[Call]) -> Calls:
    broken = Account(account.endpoint, folder)
    template = json.loads((account.packaged / "sam.json").read_text())
    template["Resources"]["Broken"] = {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {"x": 1}}}
    (folder / "sam.json").write_text(json.dumps(template))
    (folder / "deployment.zip").write_bytes((account.packaged / "deployment.zip").read_bytes())
    runs = [
        account.deploy("--waf"),
        account.deploy("--rotate-secret", "--no-waf"),
    ]
    before = set(recorded)
    # Other code for the edge function.
    Path("abacus.yaml").write_text(Path("abacus.yaml").read_text().replace("true", "true, edge_index_pages: true"))
    recorded.clear()
    runs.append(account.abacus("publish", "--stage", STAGE, "--dry-run"))
    preview = set(recorded)
    recorded.clear()
    runs.append(account.abacus("publish", "--stage", STAGE))
    publishing = set(recorded)
    recorded |= before
    runs.append(account.abacus("destroy", "--stage", STAGE, "--yes"))
    # By hand, so that the next deploy has to import what the stack left.
    cloudformation.remove(boto3.client("cloudformation"), f"abacus-{STAGE}-data", watch=cloudformation.Watch(poll=0))
    runs += [
        account.deploy(),
        broken.deploy(),
        account.abacus("destroy", "--stage", STAGE, "--with-data", "--yes"),
    ]
    assert [run.code for run in runs] == [0, 0, 0, 0, 0, 0, 1, 0], [run.said for run in runs]
    return Calls(recorded, preview, publishing)


def types(folder: Path = PROJECT) -> set[str]:
    return {r["Type"] for path in sorted(set(INFRA.glob("*.yaml")) - {LAKE}) for r in read(path).resources.values()} | {
        "AWS::Serverless::Function"
    }


@pytest.mark.ministack
def test_the_policy_of_the_page_is_what_the_commands_need(calls: Calls) -> None:
    expected = json.dumps(policy(calls.life, types()), indent=2)
    (shown,) = re.findall(r"```json\n(.*?)\n```", PAGE.read_text(), re.S)
    assert json.loads(shown) == json.loads(expected), f"docs/first-deploy.md needs this policy:\n{expected}"


@pytest.mark.ministack
def test_the_policies_for_a_ci_are_what_publish_needs(calls: Calls) -> None:
    # Not code/: a role that may write there could change what the next deploy runs.
    keys = (["manifest/*"], ["manifest/*", "site/*"])
    policies = [policy(made, keys=of) for made, of in zip((calls.preview, calls.publishing), keys, strict=True)]
    expected = [json.dumps(each, indent=2) for each in policies]
    _trust, *shown = re.findall(r"```json\n(.*?)\n```", CI_PAGE.read_text(), re.S)
    assert shown == expected, "docs/ci.md needs these policies:\n" + "\n".join(expected)


def test_the_policy_fits_into_a_managed_policy_of_iam() -> None:
    (shown,) = re.findall(r"```json\n(.*?)\n```", PAGE.read_text(), re.S)
    assert len(re.sub(r"\s", "", shown)) <= MANAGED_POLICY

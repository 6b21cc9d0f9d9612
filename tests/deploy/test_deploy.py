"""`abacus deploy` and `abacus destroy` against the emulator, from an empty account to an empty account.

The emulator checks every call of the functions against their roles: what their policies leave out fails here.
Its HTTP API speaks payload format 2.0 alone, so the way leads through the REST API; format 1.0 is in test_http_api.py.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from click.testing import CliRunner

from abacus.aws import cloudformation as stacks
from abacus.aws.templates import read
from abacus.cli import main
from abacus.deploy.package import package, this_machine
from abacus.deploy.smoke import PublicUrl
from abacus.local.emulated_stacks import emulator, environment
from abacus.operations.bill import price_line
from abacus.paths import INFRA, PROJECT
from abacus.site.snippet import Options
from tests.support import aws_cli
from tests.support.builders import a_visitor
from tests.support.product import until

pytestmark = pytest.mark.ministack

STAGE = "rehearsal"
READ_KEY = "hush-hush"


class CommandResult(NamedTuple):
    code: int
    output: str


class Account:
    """An empty account in an emulator of its own, and commands that work on it."""

    def __init__(self, endpoint: str, packaged: Path) -> None:
        self.endpoint = endpoint
        self.packaged = packaged

    def abacus(self, *arguments: str) -> CommandResult:
        before = dict(os.environ)  # which --stage adds to
        ran = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        os.environ.clear()
        os.environ.update(before)
        return CommandResult(ran.exit_code, ran.output)

    def deploy(self, *options: str) -> CommandResult:
        return self.abacus("deploy", "--stage", STAGE, "--package", str(self.packaged), *options)

    def outputs(self, part: str) -> dict[str, str]:
        return stacks.outputs(boto3.client("cloudformation"), f"abacus-{STAGE}-{part}")

    @property
    def site(self) -> PublicUrl:
        return PublicUrl(self.endpoint, {"Host": self.outputs("edge")["Domain"], "X-Forwarded-Proto": "https"})

    def green(self) -> tuple[int, int]:
        """Impressions and clicks of cta-color's green."""
        variants = self.site.ask("/stats/cta-color?series=none", X_Read_Key=READ_KEY).json()["variants"]
        return next((v["impressions"], v["clicks"]) for v in variants if v["variant"] == "green")

    def post(self, visitor: str, *kinds: str) -> tuple[int, Any]:
        at = round(time.time() * 1000)
        events = [
            {"id": f"{visitor}-{kind}", "type": kind, "experiment": "cta-color", "variant": "green", "at": at}
            for kind in kinds
        ]
        answer = self.site.ask("/events", {"visitor": visitor, "events": events})
        return answer.status, answer.json()

    def everything(self) -> dict[str, list[str]]:
        """Whatever there is in the account, by kind."""
        client: Any = boto3.client
        found = {
            "stacks": [s["StackName"] for s in client("cloudformation").describe_stacks()["Stacks"]],
            "tables": client("dynamodb").list_tables()["TableNames"],
            "queues": client("sqs").list_queues().get("QueueUrls", []),
            "buckets": [b["Name"] for b in client("s3").list_buckets()["Buckets"]],
            "functions": [f["FunctionName"] for f in client("lambda").list_functions()["Functions"]],
            "triggers": [m["UUID"] for m in client("lambda").list_event_source_mappings()["EventSourceMappings"]],
            "roles": [r["RoleName"] for r in client("iam").list_roles()["Roles"]],
            "logs": [g["logGroupName"] for g in client("logs").describe_log_groups()["logGroups"]],
            "rules": [r["Name"] for r in client("events").list_rules()["Rules"]],
            "parameters": [p["Name"] for p in client("ssm").describe_parameters()["Parameters"]],
            "apis": [a["id"] for a in client("apigateway").get_rest_apis()["items"]],
            "distributions": [
                d["Id"] for d in client("cloudfront").list_distributions()["DistributionList"].get("Items", [])
            ],
        }
        return {kind: names for kind, names in found.items() if names}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        folder = tmp_path_factory.mktemp("built") / "package"
        package(STAGE, folder, target=this_machine())
        with emulator(tmp_path_factory.mktemp("account"), persist=False, policies=True) as (_, endpoint):
            for name, value in environment(endpoint, {}).items():
                patch.setenv(name, value)
            yield Account(endpoint, folder)


@pytest.fixture(scope="module")
def first(account: Account) -> CommandResult:
    """What the first deploy of the account said."""
    assert account.everything() == {}
    return account.deploy("--read-key", READ_KEY, "--set", "RetentionDays=30")


def test_an_empty_account_becomes_a_working_tracker(account: Account, first: CommandResult) -> None:
    assert first.code == 0, first.output
    assert re.findall(r"^    ([A-Z]+ /\S+): ", first.output, re.M) == [
        "GET /manifest.json",
        "GET /ab.js",
        "GET /results/",
        "GET /stats",
        "POST /events",
    ]
    assert "    GET /stats past the CDN: refused\n" in first.output
    url = account.outputs("edge")["Url"]
    assert f'Script tag    <script src="{url}/ab.js"></script>\nResults       {url}/results/\n' in first.output
    assert (
        f"Price         $0.26 a month at rest, $3.60 more with visitors; {price_line()} (more: abacus cost)\n"
        in first.output
    )


def test_the_smoke_test_leaves_no_visitor_behind(account: Account, first: CommandResult) -> None:
    table = account.outputs("data")["ParticipantsName"]
    assert boto3.client("dynamodb").scan(TableName=table)["Count"] == 0


def test_a_dry_run_shows_every_file_that_is_uploaded(account: Account, first: CommandResult) -> None:
    shown = re.findall(r"^  ([^,\n]+)", account.deploy("--dry-run").output.partition("\nfiles in ")[2], re.M)
    patterns = [re.sub(r"\\{.*?\\}", "[0-9a-f]+", re.escape(name)) for name in shown]
    objects = boto3.client("s3").list_objects_v2(Bucket=account.outputs("data")["BucketName"])["Contents"]
    keys = [found["Key"] for found in objects]
    assert [sum(bool(re.fullmatch(pattern, key)) for pattern in patterns) for key in keys] == [1] * len(patterns)


def test_events_go_from_cloudfront_through_api_function_table_stream_and_fold_into_the_stats(
    account: Account, first: CommandResult
) -> None:
    visitor = a_visitor("green")
    assert account.post(visitor, "impression", "click")[1]["accepted"] == 2
    assert account.post(visitor, "impression", "click")[1]["repeated"] == 2
    until(lambda: account.green() == (1, 1))


def test_no_secret_is_told_anywhere(account: Account, first: CommandResult) -> None:
    name = f"/abacus-{STAGE}/origin-secrets"
    parameter = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (parameter["Type"], len(parameter["Value"])) == ("SecureString", 43)
    outputs = [first.output] + [
        json.dumps(stacks.describe(boto3.client("cloudformation"), f"abacus-{STAGE}-{part}"), default=str)
        for part in ("api", "edge")
    ]
    assert [secret in text for text in outputs for secret in (parameter["Value"], READ_KEY)] == [False] * 6


def test_a_function_may_do_nothing_that_its_policy_does_not_say(account: Account, first: CommandResult) -> None:
    iam = boto3.client("iam")
    (role,) = [r["RoleName"] for r in iam.list_roles()["Roles"] if "ApiHandlerRole" in r["RoleName"]]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    statements = [s for s in document["Statement"] if s["Sid"] != "WriteEvents"]
    iam.put_role_policy(
        RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document | {"Statement": statements})
    )
    refused = account.post(a_visitor("green", nth=9), "impression")[0]
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    assert refused == 500


def test_deploying_again_changes_nothing_and_keeps_what_is_not_said_again(
    account: Account, first: CommandResult
) -> None:
    again = account.deploy()
    assert (again.code, again.output.count("    as it was\n")) == (0, 3), again.output
    (api,) = [f for f in boto3.client("lambda").list_functions()["Functions"] if "APIHandler" in f["FunctionName"]]
    assert api["Environment"]["Variables"]["ABACUS_RETENTION_DAYS"] == "30"
    assert (account.site.ask("/stats").status, account.green()) == (401, (1, 1))


def test_the_origins_secret_is_changed_and_the_old_one_is_refused_afterwards(
    account: Account, first: CommandResult
) -> None:
    ssm, name = boto3.client("ssm"), f"/abacus-{STAGE}/origin-secrets"
    old = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    assert account.deploy("--rotate-secret").code == 0
    new = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    api = PublicUrl(f"{account.endpoint}/_aws/execute-api/{account.outputs('api')['RestAPIId']}/api")
    output = [api.ask("/stats", X_Origin_Secret=secret, X_Read_Key=READ_KEY).status for secret in (old, new)]
    assert output == [401, 200]


def test_a_deploy_gives_the_edge_function_the_manifest_where_the_site_uses_it(
    account: Account, first: CommandResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudfront, outputs = boto3.client("cloudfront"), account.outputs("edge")

    def live() -> bytes:
        return cloudfront.get_function(Name=outputs["EdgeFunctionName"], Stage="LIVE")["FunctionCode"].read()

    assert b"cta-color" not in live()  # as the stack made it
    for module in ("abacus.publishing.remote", "abacus.site.build"):
        monkeypatch.setattr(f"{module}.options", lambda: Options(edge=True))
    deployed = account.deploy()
    assert deployed.code == 0, deployed.output
    assert b"cta-color" in live()
    assert live() == account.site.ask("/edge.js").body


def with_a_broken_resource(template: str) -> str:
    """The template, and in it a queue whose dead letters go nowhere."""
    policy = {"deadLetterTargetArn": "nowhere", "maxReceiveCount": 0}
    parsed = read(INFRA / template)
    broken = {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": policy}}
    return json.dumps({"Parameters": parsed.parameters, "Resources": {**parsed.resources, "Broken": broken}})


def test_an_update_that_fails_says_why_and_is_rolled_back(account: Account, first: CommandResult) -> None:
    cloudformation, name = boto3.client("cloudformation"), f"abacus-{STAGE}-data"
    with pytest.raises(stacks.StackFailed, match=rf"stack {name}: Broken: .+"):
        stacks.apply(cloudformation, name, with_a_broken_resource("data.yaml"), {}, watch=stacks.Watch(poll=0))
    stack = stacks.describe(cloudformation, name)
    assert stack is not None
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert account.green() == (1, 1)


def test_a_first_creation_that_fails_leaves_nothing_in_the_way_of_the_second(
    account: Account, first: CommandResult
) -> None:
    cloudformation, name = boto3.client("cloudformation"), "abacus-half-data"
    parameters = {"Name": "abacus-half"}
    with pytest.raises(stacks.StackFailed, match=rf"stack {name}: Broken: .+"):
        stacks.apply(cloudformation, name, with_a_broken_resource("data.yaml"), parameters, watch=stacks.Watch(poll=0))
    made = stacks.apply(cloudformation, name, read(INFRA / "data.yaml").text, parameters, watch=stacks.Watch(poll=0))
    assert made["TalliesName"] == "abacus-half-tallies"
    assert account.abacus("destroy", "--stage", "half", "--with-data", "--yes").code == 0


def test_destroy_keeps_the_data_and_the_next_deploy_finds_it(account: Account, first: CommandResult) -> None:
    result = account.abacus("destroy", "--stage", STAGE, "--yes")
    assert (result.code, account.everything().keys()) == (0, {"stacks", "tables", "queues", "buckets"}), result.output
    assert account.deploy("--read-key", READ_KEY).code == 0
    assert account.green() == (1, 1)


def test_rows_are_restored_from_a_backup_as_the_handbook_says(account: Account, first: CommandResult) -> None:
    page = (PROJECT / "docs" / "operating.md").read_text().partition("## Restore from a backup")[2]
    steps = page.partition("```sh\n")[2].partition("```")[0].replace("abacus-prod", f"abacus-{STAGE}")
    before, accident, after = steps.partition("# 2.")
    for words in aws_cli.commands(before):
        backup = aws_cli.run(words)
    dynamodb, table = boto3.client("dynamodb"), account.outputs("data")["ParticipantsName"]
    for row in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={name: row[name] for name in ("visitor", "experiment")})
    assert account.abacus("rebuild", "cta-color", "--stage", STAGE).code == 1
    for words in aws_cli.commands((accident + after).replace("ARN-OF-THEN", backup["BackupDetails"]["BackupArn"])):
        aws_cli.run(words)
    dynamodb.delete_table(TableName=f"{table}-then")
    # Without a data stack, and with tables that are there.
    deployed = account.deploy()
    assert deployed.code == 0, deployed.output
    assert f"    found and taken in: {table}\n" in deployed.output
    assert account.abacus("rebuild", "cta-color", "--stage", STAGE).code == 0
    visitor = a_visitor("green", nth=1)
    assert account.post(visitor, "impression")[1]["accepted"] == 1
    until(lambda: account.green() == (2, 1))  # the fold hears of it through the new stream


def test_destroy_asks_before_it_deletes(account: Account, first: CommandResult) -> None:
    asked = account.abacus("destroy", "--stage", STAGE, "--with-data")
    assert asked.code == 1
    assert "  table abacus-rehearsal-participants with about 2 rows\n" in asked.output
    assert account.green() == (2, 1)


def test_destroy_with_data_leaves_nothing(account: Account, first: CommandResult) -> None:
    result = account.abacus("destroy", "--stage", STAGE, "--with-data", "--yes")
    assert (result.code, account.everything()) == (0, {}), result.output
    again = account.abacus("destroy", "--stage", STAGE, "--with-data", "--yes")
    assert "There is nothing of abacus-rehearsal" in again.output


def test_a_rehearsal_is_a_deploy_and_a_destroy_in_an_emulator_of_its_own(
    account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    before = account.everything()
    ran = account.abacus("rehearse", "--dry-run", f"--package={account.packaged}")
    output = capfd.readouterr().out.splitlines()  # of the two commands; of the rehearsal itself: ran.said
    assert ran.output == f"$ abacus deploy --stage {STAGE}\n\n$ abacus destroy --stage {STAGE}\n\n"
    assert output[-2:] == [
        "nothing was created: this was a dry run, for a stage that does not exist yet",
        "There is nothing of abacus-rehearsal in account 000000000000, us-east-1.",
    ]
    assert account.everything() == before

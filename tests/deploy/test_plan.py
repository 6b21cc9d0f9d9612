"""What a deploy is going to make, before anything is made: complete, secret where it must be, true to the templates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from abacus.aws import names
from abacus.aws.account import ExistingStack
from abacus.aws.templates import _Loader, read
from abacus.cli import main
from abacus.deploy.options import ApiKind, DeployOptions, InvalidOption, Surroundings, api_kind
from abacus.deploy.package import package
from abacus.deploy.plan import Output, Secret, StackPlan, plan_stacks
from abacus.export.athena import LAKE  # which is deployed by hand
from abacus.paths import INFRA, PROJECT

# What `chalice deploy` gives instead of a stack's outputs: abacus/deploy/chalice_deploy.py.
CHALICE_GIVES = {"APIHandlerName", "FoldName", "WriteSpilledName", "ReconcileName", "AlertName"} | {
    "RestAPIId",
    "RestAPIName",
    "RestDomain",
}


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package("prod", tmp_path_factory.mktemp("build") / "package")


@pytest.fixture
def found(packaged: Path) -> Surroundings:
    return Surroundings(packaged)


def everything(api: ApiKind) -> DeployOptions:
    return DeployOptions(
        "prod", api=api, firewall=True, email="a@b.c", domain="ab.example.com", certificate="arn", budget=5
    )


def outputs(path: Path) -> set[str]:
    parsed: dict[str, Any] = yaml.load(path.read_text(), _Loader)
    return set(parsed.get("Outputs", {}))


@pytest.mark.parametrize("api", ["http", "rest", "chalice"])
def test_every_parameter_is_declared_every_needed_one_is_given_and_every_output_exists(
    found: Surroundings, api: ApiKind
) -> None:
    made = plan_stacks(everything(api), found, ["secret"])
    earlier: dict[str, set[str]] = {}
    for part in made:
        declared = part.template.parameters
        assert part.parameters.keys() <= declared.keys(), part.part
        assert {name for name, said in declared.items() if "Default" not in said} <= part.parameters.keys(), part.part
        for given in part.parameters.values():
            if isinstance(given, Output):
                assert given.name in earlier[given.part], given
        earlier[part.part] = CHALICE_GIVES if (part.part, api) == ("api", "chalice") else outputs(part.path)
    assert list(earlier) == ["data", "api", "firewall", "edge", "watch", "budget"]


def test_what_a_template_keeps_secret_is_hidden_here_too(found: Surroundings) -> None:
    for part in plan_stacks(DeployOptions("prod", read_key="hush"), found, ["secret"]):
        secret = {name for name, said in part.template.parameters.items() if said.get("NoEcho")}
        assert {name for name, given in part.parameters.items() if isinstance(given, Secret)} == secret


def parts(wishes: DeployOptions, found: Surroundings) -> dict[str, StackPlan]:
    return {part.part: part for part in plan_stacks(wishes, found, ["new", "old"])}


def test_only_the_least_is_made_unless_more_is_wished(found: Surroundings) -> None:
    assert list(parts(DeployOptions("prod"), found)) == ["data", "api", "edge"]


def test_while_the_secret_is_changed_the_app_takes_both_and_cloudfront_says_the_new_one(found: Surroundings) -> None:
    made = parts(DeployOptions("prod"), found)
    said = (made["api"].parameters["OriginSecrets"], made["edge"].parameters["OriginSecret"])
    assert [given.value for given in said if isinstance(given, Secret)] == ["new,old", "new"]


def test_what_was_wished_once_is_kept_and_can_be_taken_back(packaged: Path) -> None:
    found = Surroundings(packaged, stacks={part: ExistingStack({}, True) for part in names.PARTS})
    assert list(parts(DeployOptions("prod"), found)) == ["data", "api", "firewall", "edge", "watch", "budget"]
    fewer = parts(DeployOptions("prod", firewall=False, email=""), found)
    assert list(fewer) == ["data", "api", "edge"]
    assert fewer["edge"].parameters["WebAclArn"] == ""


def test_the_api_stays_of_the_kind_it_is(packaged: Path) -> None:
    rest = Surroundings(packaged, stacks={"api": ExistingStack({"ApiKind": "rest"}, True)})
    assert [api_kind(DeployOptions("prod", api=wish), rest) for wish in (None, "rest", "http")] == [
        "rest",
        "rest",
        "http",
    ]
    assert api_kind(DeployOptions("prod"), Surroundings(packaged, by_chalice=True)) == "chalice"
    for wish, found in (("chalice", rest), ("http", Surroundings(packaged, by_chalice=True))):
        with pytest.raises(InvalidOption, match=r"Run abacus destroy first\."):
            api_kind(DeployOptions("prod", api=wish), found)  # type: ignore[arg-type]


def test_any_other_parameter_can_be_set_by_its_name_but_no_secret(found: Surroundings) -> None:
    made = parts(DeployOptions("prod", parameters={"LogDays": "7", "Spread": "4"}), found)
    assert (made["edge"].parameters["LogDays"], made["api"].parameters["Spread"]) == ("7", "4")
    for name in ("Sprad", "ReadKey", "OriginSecrets"):
        with pytest.raises(InvalidOption, match=rf"^--set {name}: no such parameter\. You can set: .*Burst, .+"):
            parts(DeployOptions("prod", parameters={name: "x"}), found)


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        (DeployOptions("prod", domain="ab.example.com"), "--domain needs --certificate"),
        (DeployOptions("prod", budget=5), "--budget needs --email"),
        (DeployOptions("prod", api="chalice", tracing=True), "--xray, .* only with --api http or rest"),
        (DeployOptions("prod", api="chalice", parameters={"Burst": "9"}), "only with --api http or rest"),
    ],
)
def test_half_a_wish_is_refused(found: Surroundings, wishes: DeployOptions, why: str) -> None:
    with pytest.raises(InvalidOption, match=why):
        plan_stacks(wishes, found, ["secret"])


def test_a_dry_run_shows_every_template_resource_parameter_and_file_without_an_account(
    packaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(PROJECT)
    wishes = ["--waf", "--email", "a@b.c", "--read-key", "hush", "--package", str(packaged.parent)]
    ran = CliRunner().invoke(main, ["deploy", "--stage", "prod", "--dry-run", *wishes], catch_exceptions=False)
    shown = set(re.findall(r"^  resource (\w+) \(", ran.output, re.M))
    templates = [read(path) for path in (*sorted(set(INFRA.glob("*.yaml")) - {LAKE}), packaged)]
    for template in templates:
        assert template.resources.keys() <= shown
        assert all(re.search(rf"^  parameter {name} = .", ran.output, re.M) for name in template.parameters)
    assert {"FoldDynamodbEventSource", "WriteSpilledSqsEventSource", "ReconcileEvent", "AlertEvent"} <= shown
    assert {"manifest.json", "ab.js", "results/index.html", "404.html"} <= set(
        re.findall(r"^  site/(\S+), ", ran.output, re.M)
    )
    assert re.search(r"^  code/[0-9a-f]{64}\.zip, [\d,]+ bytes$", ran.output, re.M)
    assert (ran.exit_code, "hush" in ran.output) == (0, False)


def test_the_other_end_knows_where_the_snippet_posts_and_where_its_cookie_lives(packaged: Path) -> None:
    made = parts(DeployOptions("prod"), Surroundings(packaged, events_path="/e2", cookie_domain="example.com"))
    assert made["edge"].parameters["EventsPath"] == "/e2"
    assert [made[name].parameters["CookieDomain"] for name in ("api", "edge")] == ["example.com"] * 2


def test_a_certificate_of_another_region_is_refused_in_the_dry_run(packaged: Path) -> None:
    arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1234"
    options = ["--domain", "ab.example.com", "--certificate", arn, "--package", str(packaged.parent)]
    result = CliRunner().invoke(main, ["deploy", "--stage", "prod", "--dry-run", *options])
    assert result.exit_code == 2
    assert f"'{arn}' is not the ARN of a certificate in us-east-1" in result.output

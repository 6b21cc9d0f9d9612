"""What a deploy is going to make, before anything is made: complete, secret where it must be, true to the templates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from abacus.aws.templates import _Loader, read
from abacus.cli import main
from abacus.deploy.options import ApiKind, Around, Wishes, WrongWish, kind_of_api
from abacus.deploy.package import package
from abacus.deploy.plan import Hidden, Output, Stack, blueprint
from abacus.paths import INFRA, PROJECT

# What `chalice deploy` gives instead of a stack's outputs: abacus/deploy/chalice_deploy.py.
CHALICE_GIVES = {"APIHandlerName", "FoldName", "WriteSpilledName", "ReconcileName"} | {
    "RestAPIId",
    "RestAPIName",
    "RestDomain",
}


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package("prod", tmp_path_factory.mktemp("build") / "package")


@pytest.fixture
def around(packaged: Path) -> Around:
    return Around(packaged)


def everything(api: ApiKind) -> Wishes:
    return Wishes("prod", api=api, firewall=True, email="a@b.c", domain="ab.example.com", certificate="arn", budget=5)


def outputs(path: Path) -> set[str]:
    parsed: dict[str, Any] = yaml.load(path.read_text(), _Loader)
    return set(parsed.get("Outputs", {}))


@pytest.mark.parametrize("api", ["http", "rest", "chalice"])
def test_every_parameter_is_declared_every_needed_one_is_given_and_every_output_exists(
    around: Around, api: ApiKind
) -> None:
    made = blueprint(everything(api), around, ["secret"])
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


def test_what_a_template_keeps_secret_is_hidden_here_too(around: Around) -> None:
    for part in blueprint(Wishes("prod", read_key="hush"), around, ["secret"]):
        secret = {name for name, said in part.template.parameters.items() if said.get("NoEcho")}
        assert {name for name, given in part.parameters.items() if isinstance(given, Hidden)} == secret


def parts(wishes: Wishes, around: Around) -> dict[str, Stack]:
    return {part.part: part for part in blueprint(wishes, around, ["new", "old"])}


def test_only_the_least_is_made_unless_more_is_wished(around: Around) -> None:
    assert list(parts(Wishes("prod"), around)) == ["data", "api", "edge"]


def test_while_the_secret_is_changed_the_app_takes_both_and_cloudfront_says_the_new_one(around: Around) -> None:
    made = parts(Wishes("prod"), around)
    said = (made["api"].parameters["OriginSecrets"], made["edge"].parameters["OriginSecret"])
    assert [given.value for given in said if isinstance(given, Hidden)] == ["new,old", "new"]


def test_what_was_wished_once_is_kept_and_can_be_taken_back(packaged: Path) -> None:
    around = Around(packaged, present={"data": {}, "api": {}, "firewall": {}, "edge": {}, "watch": {}, "budget": {}})
    assert list(parts(Wishes("prod"), around)) == ["data", "api", "firewall", "edge", "watch", "budget"]
    fewer = parts(Wishes("prod", firewall=False, email=""), around)
    assert list(fewer) == ["data", "api", "edge"]
    assert fewer["edge"].parameters["WebAclArn"] == ""


def test_the_api_stays_of_the_kind_it_is(packaged: Path) -> None:
    rest = Around(packaged, present={"api": {"ApiKind": "rest"}})
    assert [kind_of_api(Wishes("prod", api=wish), rest) for wish in (None, "rest", "http")] == ["rest", "rest", "http"]
    assert kind_of_api(Wishes("prod"), Around(packaged, by_chalice=True)) == "chalice"
    for wish, found in (("chalice", rest), ("http", Around(packaged, by_chalice=True))):
        with pytest.raises(WrongWish, match="abacus destroy comes first"):
            kind_of_api(Wishes("prod", api=wish), found)  # type: ignore[arg-type]


def test_any_other_parameter_can_be_set_by_its_name_but_no_secret(around: Around) -> None:
    made = parts(Wishes("prod", more={"LogDays": "7", "Spread": "4"}), around)
    assert (made["edge"].parameters["LogDays"], made["api"].parameters["Spread"]) == ("7", "4")
    for name in ("Sprad", "ReadKey", "OriginSecrets"):
        with pytest.raises(WrongWish, match=rf"^--set {name}: is no parameter that can be set; there are .*Burst, .+"):
            parts(Wishes("prod", more={name: "x"}), around)


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        (Wishes("prod", domain="ab.example.com"), "--domain needs --certificate"),
        (Wishes("prod", budget=5), "--budget needs --email"),
        (Wishes("prod", api="chalice", tracing=True), "--xray, .* only with --api http or rest"),
        (Wishes("prod", api="chalice", more={"Burst": "9"}), "only with --api http or rest"),
    ],
)
def test_half_a_wish_is_refused(around: Around, wishes: Wishes, why: str) -> None:
    with pytest.raises(WrongWish, match=why):
        blueprint(wishes, around, ["secret"])


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
    templates = [read(path) for path in (*sorted(INFRA.glob("*.yaml")), packaged)]
    for template in templates:
        assert template.resources.keys() <= shown
        assert all(re.search(rf"^  parameter {name} = .", ran.output, re.M) for name in template.parameters)
    assert {"FoldDynamodbEventSource", "WriteSpilledSqsEventSource", "ReconcileEvent"} <= shown
    assert {"manifest.json", "ab.js", "results/index.html", "404.html"} <= set(
        re.findall(r"^  site/(\S+), ", ran.output, re.M)
    )
    assert re.search(r"^  code/[0-9a-f]{64}\.zip, [\d,]+ bytes$", ran.output, re.M)
    assert (ran.exit_code, "hush" in ran.output) == (0, False)


def test_the_other_end_knows_where_the_snippet_posts_and_where_its_cookie_lives(packaged: Path) -> None:
    made = parts(Wishes("prod"), Around(packaged, events_path="/e2", cookie_domain="example.com"))
    assert made["edge"].parameters["EventsPath"] == "/e2"
    assert [made[name].parameters["CookieDomain"] for name in ("api", "edge")] == ["example.com"] * 2

"""abacus.yaml: found from every folder below, and clear about what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from abacus.cli import main
from abacus.deploy.command import _chosen
from abacus.options import home_option, manifest_option, region_option, stage_option
from abacus.project_file import InvalidProjectFile, project_file
from abacus.site.esbuild import BuildError
from abacus.site.snippet import options

FULL = """\
manifest: experiments
snippet: { consent: true, cookie_domain: example.com }
stages:
  prod: { region: eu-central-1, domain: ab.example.com, waf: true, budget: 20, set: { FoldWindowSeconds: "5" } }
  dev: {}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "abacus.yaml").write_text(FULL)
    (tmp_path / "shop" / "pages").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shop" / "pages")
    return tmp_path


@click.command()
@manifest_option
@stage_option
@region_option
@home_option
def show(manifest: Path, stage: str | None, region: str | None, home: Path) -> None:
    click.echo(f"{manifest} {stage} {region} {home}")


def shown(*arguments: str) -> str:
    return CliRunner().invoke(show, list(arguments), catch_exceptions=False).output.strip()


def test_a_command_in_a_subfolder_uses_the_folders_beside_abacus_yaml(site: Path) -> None:
    assert shown() == "../../experiments None None ../../.local"


def test_a_stage_brings_its_region_and_the_command_line_comes_first(site: Path) -> None:
    assert "prod eu-central-1" in shown("--stage", "prod")
    assert "prod us-west-2" in shown("--region", "us-west-2", "--stage", "prod")
    assert "prod us-west-2" in shown("--stage", "prod", "--region", "us-west-2")
    assert "dev None" in shown("--stage", "dev")


def test_without_abacus_yaml_everything_is_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown("--stage", "prod") == "manifest prod None .local"


def test_deploy_takes_from_the_stage_what_the_command_line_leaves_open(site: Path) -> None:
    given = {"stage": "prod", "domain": None, "firewall": False, "budget": None, "parameters": ("FoldWindowSeconds=9",)}
    chosen = _chosen(given)
    assert (chosen.domain, chosen.firewall, chosen.budget) == ("ab.example.com", False, 20)
    assert chosen.parameters == {"FoldWindowSeconds": "9"}
    assert _chosen({**given, "stage": "dev"}).domain is None


def test_the_snippet_has_the_options_of_abacus_yaml(site: Path) -> None:
    assert (options().consent, options().cookie_domain) == (True, "example.com")


def test_experiments_of_the_named_folder_are_validated(site: Path) -> None:
    (site / "experiments").mkdir()
    (site / "experiments" / "hero.yaml").write_text("key: hero\nstatus: draft\nvariants: [{key: a}, {key: b}]\n")
    ran = CliRunner().invoke(main, ["validate"], catch_exceptions=False)
    assert (ran.exit_code, "hero" in ran.output) == (0, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("manifest: [a]", "manifest: ['a']: input should be a valid string"),
        ("manifests: a", "unknown field manifests; the fields are manifest, snippet, stages"),
        ("stages: { prod: { zone: x } }", "unknown field stages.prod.zone; the fields are region, domain"),
        ("stages: { prod: { budget: 0 } }", "stages.prod.budget: 0: input should be greater than or equal to 1"),
        ("stages: { prod: { api: soap } }", "stages.prod.api: 'soap': input should be 'http', 'rest' or 'chalice'"),
        ("manifest: a\n  b: c", "line 2, column 4 is not valid YAML"),
        ("just words", "expected fields such as `manifest: manifest`, found 'just words'"),
        ("folder: x", "unknown field folder"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_the_rule(site: Path, text: str, message: str) -> None:
    (site / "abacus.yaml").write_text(text)
    with pytest.raises(InvalidProjectFile) as error:
        project_file()
    assert message in error.value.message
    ran = CliRunner().invoke(main, ["validate"])
    assert ran.exit_code == 1
    assert message in ran.output
    assert "Traceback" not in ran.output


def test_a_wrong_option_of_the_snippet_is_named(site: Path) -> None:
    (site / "abacus.yaml").write_text("snippet: { consents: true }")
    with pytest.raises(BuildError, match=r"abacus\.yaml: snippet: consents"):
        options()

"""A deploy asks before experiments of the demo go live for the first time."""

from __future__ import annotations

import boto3
import click
import pytest
from click.testing import CliRunner

from abacus.aws.account import Account
from abacus.deploy.command import _confirm_demo
from chalicelib.domain.manifest import Manifest
from tests.support.builders import a_manifest, an_experiment

pytestmark = pytest.mark.ministack


@pytest.fixture
def account(ministack: str) -> Account:
    session = boto3.Session("test", "test", region_name="us-east-1")
    return Account(session)


def asked(account: Account, manifest: Manifest, answer: str, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    command = click.Command("deploy", callback=lambda: _confirm_demo(account, "nowhere", manifest))
    result = CliRunner().invoke(command, input=answer)
    return result.output + (str(result.exception) if result.exception else "")


def test_the_demos_experiments_are_named_and_no_answer_deploys_nothing(
    account: Account, monkeypatch: pytest.MonkeyPatch, ministack: str
) -> None:
    manifest = a_manifest(an_experiment("hero"), an_experiment("mine"))
    output = asked(account, manifest, "n\n", monkeypatch, ministack)
    assert "Your files include experiments of the demo: hero.\nDeploy them too? [y/N]" in output
    assert "Nothing was deployed" in output
    assert "Nothing was deployed" not in asked(account, manifest, "y\n", monkeypatch, ministack)


def test_your_own_experiments_need_no_confirmation(
    account: Account, monkeypatch: pytest.MonkeyPatch, ministack: str
) -> None:
    assert asked(account, a_manifest(an_experiment("mine")), "", monkeypatch, ministack) == ""

"""The function that EventBridge calls every hour, on the emulator's tables and a real receiver."""

from __future__ import annotations

import json
import time

import pytest

import app
from abacus.local.emulated_stacks import LocalAws
from abacus.local.worker import schedule_event
from chalicelib.runtime.json_logging import CallFailed
from tests.alerting.test_webhook import Receiver, receiver
from tests.api.test_app import Api
from tests.support.builders import a_manifest, an_experiment

pytestmark = pytest.mark.ministack
__all__ = ["receiver"]  # the fixture


@pytest.fixture
def api(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Api:
    return Api(aws, monkeypatch)


def test_an_hourly_round_posts_the_end_of_an_experiment_and_fails_where_a_message_is_given_up(
    api: Api, receiver: Receiver
) -> None:
    api.configure(stage="local", alert_webhook=receiver.url)
    api.publish(a_manifest(an_experiment()))
    assert app.alert(schedule_event(time.time()), None)["Told"] == 0
    api.publish(a_manifest(an_experiment(status="stopped")))
    assert app.alert(schedule_event(time.time()), None)["Sent"] == 1
    assert app.alert(schedule_event(time.time()), None)["Sent"] == 0
    ((_, _, body),) = receiver.requests
    assert (json.loads(body)["kind"], json.loads(body)["experiment"]) == ("ended", "cta-color")
    api.publish(a_manifest(an_experiment(), an_experiment("hero")))
    app.alert(schedule_event(time.time()), None)
    receiver.status = 410
    api.publish(a_manifest(an_experiment(), an_experiment("hero", status="stopped")))
    with pytest.raises(CallFailed, match="alert: AlertsFailed"):
        app.alert(schedule_event(time.time()), None)


def test_a_test_of_the_alerts_answers_by_channel(api: Api, receiver: Receiver) -> None:
    api.configure(stage="local", alert_webhook=receiver.url)
    assert app.alert(schedule_event(time.time()) | {"detail": {"test": True}}, None) == {"webhook": "sent"}

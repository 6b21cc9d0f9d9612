"""The alerts of this process, from its settings."""

from __future__ import annotations

from chalicelib.alerting.alerts import Alerts
from chalicelib.alerting.channels import Channel, Email
from chalicelib.alerting.webhook import Webhook, WebhookAddress, webhook_in
from chalicelib.domain.clock import now_ms
from chalicelib.runtime.service import Service, version


def alerts(service: Service) -> Alerts:
    """The alerts with every channel that the settings name. Raises InvalidInput for a wrong setting."""
    settings = service.settings
    local = settings.stage == "local"
    channels: dict[str, Channel] = {}
    if settings.alert_topic:
        sns = service.client("sns")
        channels["e-mail"] = Email(sns, settings.alert_topic, stage=settings.stage, link=settings.results_url)
    if address := _address(service):
        channels["webhook"] = Webhook(address, link=settings.results_url, private=local)
    return Alerts(service.store, channels, version, now_ms)


def _address(service: Service) -> WebhookAddress | None:
    """From an SSM parameter where one is named, else from the environment."""
    name = service.settings.alert_webhook_parameter
    if not name:
        return webhook_in(service.settings.alert_webhook, "ABACUS_ALERT_WEBHOOK")
    answer = service.client("ssm").get_parameter(Name=name, WithDecryption=True)
    return webhook_in(answer["Parameter"]["Value"], f"the SSM parameter {name}")

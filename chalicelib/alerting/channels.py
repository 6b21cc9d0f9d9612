"""The ways by which a message leaves: what each must do, and e-mail through an SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.alerting.messages import Message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class NotTaken(Exception):
    """The message was not taken, but may be at another try. `wait`: seconds that the receiver asks for."""

    def __init__(self, reason: str, wait: int | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class MessageRefused(Exception):
    """The message will never be taken."""


class Channel(Protocol):
    """One way to tell."""

    def send(self, message: Message, *, now_ms: int) -> None:
        """Hand `message` over, once. Raises NotTaken or MessageRefused."""


def text_of(message: Message, link: str, *, escape: bool = False) -> str:
    """The message for people, with the experiment's key and a link.

    Args:
        link: address of the results page; "" for none.
        escape: &, < and > as Slack wants them."""
    text = f"{message.experiment}: {message.text}" if message.experiment else message.text
    if message.over:
        text = f"{message.experiment}: no longer true ({message.kind}): {message.text}"
    if escape:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{text} {link}#/{message.experiment}" if link and message.experiment else text


class Email:
    """A channel that publishes to an SNS topic, which sends e-mail to its subscribers."""

    def __init__(self, client: SNSClient, topic: str, *, stage: str, link: str) -> None:
        self._client = client
        self._topic = topic
        self._stage = stage
        self._link = link

    def send(self, message: Message, *, now_ms: int) -> None:
        """Publish `message` once. Raises NotTaken."""
        subject = f"ABacus {self._stage}: {message.experiment} {message.kind}{' (over)' if message.over else ''}"
        try:
            self._client.publish(
                TopicArn=self._topic,
                Subject=subject[:100],  # SNS's limit
                Message=f"{text_of(message, self._link)}\n\nMessage {message.id}",
            )
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise NotTaken(f"SNS: {code}") from None

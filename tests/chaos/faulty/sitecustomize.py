"""Every Python process whose PYTHONPATH leads here loads this module when it starts. Then tables, stream and queue fail
now and then, as they do on AWS.

ABACUS_CHAOS_THROTTLED: share of the calls that are refused. ABACUS_CHAOS_LOST: share of the calls that are carried out,
but whose answer does not arrive.
"""

from __future__ import annotations

import os
import random
from typing import Any

CALLS = {
    "DynamoDB_20120810.BatchGetItem",
    "DynamoDB_20120810.DeleteItem",
    "DynamoDB_20120810.Query",
    "DynamoDB_20120810.Scan",
    "DynamoDB_20120810.TransactWriteItems",
    "DynamoDB_20120810.UpdateItem",
    "DynamoDBStreams_20120810.GetRecords",
    "AmazonSQS.SendMessage",
}


def install(throttled: float, lost: float) -> None:
    """Let a share of the calls of this process fail."""
    from botocore.exceptions import ReadTimeoutError
    from botocore.httpsession import URLLib3Session

    from tests.support.faults import THROTTLED

    send = URLLib3Session.send

    def faulty(self: URLLib3Session, request: Any) -> Any:
        target = request.headers.get("X-Amz-Target", b"")
        if (target.decode() if isinstance(target, bytes) else target) not in CALLS:
            return send(self, request)
        drawn = random.random()
        if drawn < throttled:
            return THROTTLED
        answer = send(self, request)
        if drawn > 1 - lost:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    URLLib3Session.send = faulty


if "ABACUS_CHAOS_THROTTLED" in os.environ:
    install(float(os.environ["ABACUS_CHAOS_THROTTLED"]), float(os.environ["ABACUS_CHAOS_LOST"]))

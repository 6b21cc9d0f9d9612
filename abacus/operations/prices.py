"""AWS list prices, us-east-1, without free tier, taxes or discounts. Read on 2026-11-21.

Each figure stands with the page that gives it. Beside those pages: the price list files of 2026-08-31, as quoted in
public, agree on DynamoDB, Lambda, S3 and CloudFront. Old pages still say $1.25 and $0.25 for DynamoDB on demand:
that was before 2024-11-01, when AWS halved it.
"""

from __future__ import annotations

from typing import NamedTuple

READ_ON = "2026-11-21"
REGION = "us-east-1"


class Price(NamedTuple):
    """A list price: so many dollars for `per` units. source: the page that gives it."""

    dollars: float
    per: float  # so many units
    unit: str
    source: str

    def of(self, units: float) -> float:
        """Dollars for `units`."""
        return self.dollars * units / self.per


MILLION = 1_000_000
DYNAMODB = "aws.amazon.com/dynamodb/pricing/on-demand"
LAMBDA = "aws.amazon.com/lambda/pricing"
API = "aws.amazon.com/api-gateway/pricing"
CDN = "aws.amazon.com/cloudfront/pricing"
WATCH = "aws.amazon.com/cloudwatch/pricing"
S3 = "aws.amazon.com/s3/pricing"
SQS = "aws.amazon.com/sqs/pricing"
WAF = "aws.amazon.com/waf/pricing"

WRITE_UNIT = Price(0.625, MILLION, "write request unit, 1 KB; twice in a transaction", DYNAMODB)
READ_UNIT = Price(0.125, MILLION, "read request unit, 4 KB strongly consistent", DYNAMODB)
STREAM_READ = Price(0.0, MILLION, "stream read by a Lambda trigger", DYNAMODB)
TABLE_STORAGE = Price(0.25, 1, "GB-month in a table; the first 25 GB are always free", DYNAMODB)
TABLE_BACKUP = Price(0.20, 1, "GB-month of point-in-time recovery", DYNAMODB)
LAMBDA_CALL = Price(0.20, MILLION, "invocation", LAMBDA)
LAMBDA_TIME = Price(13.3334, MILLION, "GB-second, arm64", LAMBDA)
HTTP_API_CALL = Price(1.00, MILLION, "request to an HTTP API, up to 512 KB", API)
CDN_REQUEST = Price(1.00, MILLION, "HTTPS request that is passed on (POST), from the United States", CDN)
CDN_OUT = Price(0.085, 1, "GB to visitors", CDN)
CDN_TO_ORIGIN = Price(0.020, 1, "GB to the origin", CDN)
LOG = Price(0.50, 1, "GB of logs taken in", WATCH)
S3_READ = Price(0.40, MILLION, "GET", S3)
QUEUE_CALL = Price(0.40, MILLION, "request to a standard queue, 64 KB; the first million a month is always free", SQS)
ALARM = Price(0.10, 1, "alarm-month; ten are always free", WATCH)
COMPOSITE_ALARM = Price(0.50, 1, "composite alarm-month", WATCH)
DASHBOARD = Price(3.00, 1, "dashboard-month; three are always free", WATCH)
METRIC = Price(0.30, 1, "custom metric-month, while it is sent; ten are always free", WATCH)
FIREWALL = Price(5.00, 1, "web ACL-month", WAF)
FIREWALL_RULE = Price(1.00, 1, "rule-month in it", WAF)

"""infra/*.yaml: valid by the judge that CloudFormation's own rules were written for, and true to the app."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from email.message import Message
from fnmatch import fnmatchcase
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from cfnlint.helpers import REGIONS

import app
from abacus.aws import cloudformation, names
from abacus.local.emulated_stacks import LocalAws, edge_stack
from abacus.local.proxy import API
from abacus.paths import INFRA

TEMPLATES = sorted(INFRA.glob("*.yaml"))


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, each read as a dictionary such as {"Ref": "Api"}."""


def _short(loader: Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {tag: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _short)


def resources(template: str, kind: str) -> list[dict[str, Any]]:
    parsed = yaml.load((INFRA / template).read_text(), Loader)
    return [r for r in parsed["Resources"].values() if r["Type"] == kind]


# Where a stage may be deployed: the regions that CloudFront's price classes serve, those of cfn-lint's list without
# China and GovCloud, which have a CloudFront and prices of their own.
OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-isoe", "eusc-")
HOME_REGIONS = [region for region in REGIONS if not region.startswith(OTHER_PARTITIONS)]
IGNORED = ["I4010"]  # asks for descriptions in the template's metadata; they are comments here


@pytest.mark.parametrize("name", ["data", "edge", "watch", "firewall", "budget", "lake"])
def test_cfn_lint_has_nothing_to_say_in_any_region(name: str) -> None:
    """With its experimental rules and hints too. Firewall and budget exist in us-east-1 only."""
    regions = [names.stack_region(name)] if names.stack_region(name) else HOME_REGIONS
    assert len(HOME_REGIONS) > 20
    linter = Path(sys.executable).with_name("cfn-lint")
    command = [linter, "-I", "-e", "-c", "I", "-i", *IGNORED, "-r", *regions, "--", INFRA / f"{name}.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_is_plain_enough_for_cloudformation(path: Path) -> None:
    text = path.read_text()
    assert len(text) < 51_200  # bytes that create_stack takes without a bucket
    assert "<<:" not in text  # aliases and merges are YAML that CloudFormation refuses


def test_every_table_and_queue_and_bucket_is_kept_when_the_stack_goes() -> None:
    kinds = ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket")
    kept = [(r["DeletionPolicy"], r["UpdateReplacePolicy"]) for kind in kinds for r in resources("data.yaml", kind)]
    assert kept == [("RetainExceptOnCreate", "Retain")] * 6


def test_cloudfront_may_read_the_site_and_nothing_else_of_the_bucket() -> None:
    (policy,) = resources("data.yaml", "AWS::S3::BucketPolicy")
    allowed = [s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [(s["Action"], s["Resource"]) for s in allowed] == [("s3:GetObject", {"Sub": "${Bucket.Arn}/site/*"})]


def test_every_route_of_the_app_is_a_route_of_the_http_api_by_the_same_name() -> None:
    keys = {r["Properties"]["RouteKey"] for r in resources("edge.yaml", "AWS::ApiGatewayV2::Route")}
    assert keys == {f"{method} {path}" for path, methods in app.app.routes.items() for method in methods}
    (call,) = resources("edge.yaml", "AWS::ApiGatewayV2::Integration")
    assert call["Properties"]["PayloadFormatVersion"] == "1.0"


def test_every_route_of_the_app_is_reached_through_the_distribution_and_through_the_local_front() -> None:
    (distribution,) = resources("edge.yaml", "AWS::CloudFront::Distribution")
    behaviours = [b for b in distribution["Properties"]["DistributionConfig"]["CacheBehaviors"] if "PathPattern" in b]
    patterns = [b["PathPattern"] for b in behaviours if b["TargetOriginId"] == "api"]
    for route in app.app.routes:
        path = re.sub(r"\{\w+\}", "cta-color", route)
        assert [p for p in patterns if fnmatchcase(path, p)], route
        assert API.match(path), route


def test_events_reach_the_api_with_the_visitors_country_whatever_they_are_called() -> None:
    parsed = yaml.load((INFRA / "edge.yaml").read_text(), Loader)["Resources"]
    policy = parsed["EventsCache"]["Properties"]["CachePolicyConfig"]
    headers = policy["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]["Headers"]
    assert (headers, policy["DefaultTTL"]) == (["CloudFront-Viewer-Country"], 0)
    text = (INFRA / "edge.yaml").read_text()
    behaviours = re.findall(
        r"PathPattern: (\S+(?: EventsPath)?)\n(?:.*\n){1,4}? +CachePolicyId: (.*?)(?: #.*)?\n", text
    )
    assert {path for path, cache in behaviours if cache == "!Ref EventsCache"} == {
        "/events",
        "/track",
        "!Ref EventsPath",
    }


def test_the_sum_of_alarms_leaves_none_out() -> None:
    parsed = yaml.load((INFRA / "watch.yaml").read_text(), Loader)["Resources"]
    alarms = {name for name, r in parsed.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    summed = [rule["Sub"] for rule in parsed["Sum"]["Properties"]["AlarmRule"]["Join"][1]]
    assert set(summed) == {f"ALARM(${{{name}}})" for name in alarms}


class Edge:
    """The edge stack in ministack, before an API that answers with what it was asked."""

    def __init__(self, aws: LocalAws, port: int) -> None:
        self.host, self.port = aws.endpoint.removeprefix("http://").split(":")
        self.domain = edge_stack(aws, port, "hush", "/e2")
        for path in ("index.html", "results/index.html", "404.html", "api/features/abacus"):
            aws.s3.put_object(Bucket=aws.names["BucketName"], Key=f"site/{path}", Body=path.encode())
        aws.s3.put_object(Bucket=aws.names["BucketName"], Key="manifest/live.json", Body=b"private")

    def ask(self, path: str, method: str = "GET", body: bytes = b"") -> tuple[int, bytes, Message]:
        connection = HTTPConnection(self.host, int(self.port))
        connection.request(method, path, body, {"Host": self.domain, "X-Forwarded-Proto": "https", "Cookie": "a=1"})
        with connection.getresponse() as response:
            answer = response.status, response.read(), response.headers
        connection.close()
        return answer


class Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = [self.path, self.headers["X-Origin-Secret"], self.headers["Cookie"], body.decode()]
        self.send_response(202)
        self.send_header("Set-Cookie", "b=2")
        self.end_headers()
        self.wfile.write(" ".join(said).encode())

    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()
        self.wfile.write(b'{"error": {}}')

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def edge(data: LocalAws) -> Iterator[Edge]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Edge(data, server.server_address[1])
    server.shutdown()
    server.server_close()


@pytest.mark.ministack
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, b"index.html"),
        ("/results/", 200, b"results/index.html"),
        ("/api/features/abacus", 200, b"api/features/abacus"),
        ("/nothing/", 404, b"404.html"),
        ("/../manifest/live.json", 404, b"404.html"),
        ("/stats/nothing", 404, b'{"error": {}}'),
    ],
)
def test_the_distribution_serves_the_site_and_leaves_the_apis_errors_alone(
    edge: Edge, path: str, status: int, body: bytes
) -> None:
    assert edge.ask(path)[:2] == (status, body)


@pytest.mark.ministack
def test_a_folder_without_its_slash_is_redirected_to_it(edge: Edge) -> None:
    status, _, headers = edge.ask("/results?experiment=hero")
    assert (status, headers["Location"]) == (301, "/results/?experiment=hero")


@pytest.mark.ministack
@pytest.mark.parametrize("path", ["/events", "/e2"])
def test_events_reach_the_api_by_either_name_with_cookie_and_the_origins_secret(edge: Edge, path: str) -> None:
    status, said, headers = edge.ask(path, "POST", b"hello")
    assert (status, said, headers["Set-Cookie"]) == (202, b"/events hush a=1 hello", "b=2")


@pytest.mark.ministack
def test_the_distribution_answers_a_preflight_of_openfeatures_web_provider_by_itself(edge: Edge) -> None:
    """What a browser needs to hear before it sends JSON with If-None-Match (Fetch standard, CORS protocol)."""
    status, body, headers = edge.ask("/ofrep/v1/evaluate/flags", "OPTIONS")
    assert (status, body, headers["Access-Control-Allow-Origin"]) == (204, b"", "*")
    assert headers["Access-Control-Allow-Methods"] == "POST"
    assert {"content-type", "if-none-match"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
    assert edge.ask("/ofrep/v1/evaluate/flags", "POST", b"{}")[0] == 202  # this goes to the API


@pytest.mark.ministack
def test_the_firewall_answers_too_many_requests_by_its_name(data: LocalAws) -> None:
    outputs = cloudformation.apply(
        data.cloudformation,
        "abacus-firewall",
        (INFRA / "firewall.yaml").read_text(),
        {},
        watch=cloudformation.Watch(poll=0),
    )
    assert outputs["WebAclArn"].startswith("arn:aws:wafv2:us-east-1:")
    (firewall,) = resources("firewall.yaml", "AWS::WAFv2::WebACL")
    (rule,) = firewall["Properties"]["Rules"]
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429  # a 403 would become the 404 page

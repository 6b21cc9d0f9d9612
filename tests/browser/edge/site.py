"""A site behind a CloudFront distribution of the emulator, with the edge function: Chromium → a front on the loopback
→ CloudFront → the site's own server, which renders what the header says and keeps the events it is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import ClientSession, web

from abacus.aws import cloudformation
from abacus.aws.edge_functions import replace_code
from abacus.local.emulated_stacks import LocalAws
from abacus.paths import PROJECT
from abacus.site.edge_function import edge_function
from abacus.site.public_manifest import public
from abacus.site.snippet import Options, scripts
from chalicelib.domain.manifest import Experiment, Manifest
from tests.browser.snippet.site import listening

PASS = b"function handler(event) { return event.response || event.request; }"
TAG = '<script src="/ab.js"></script>'
HEADERS = ("user-agent", "accept", "cookie", "content-type")


@dataclass
class EdgeSite:
    """`domain`: the distribution's; `origin`: where Chromium finds it. `asked`: path and x-abacus of each page that the
    server rendered. `events`: what the snippet reported, by id."""

    aws: LocalAws
    domain: str = ""
    origin: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)  # headers of requests to CloudFront

    def publish(self, *experiments: Experiment, **options: Any) -> None:
        """As `abacus publish` does: the snippet to the site, the function to CloudFront."""
        shown, site = public(Manifest(experiments=experiments)), Options(edge=True, **options)
        self.files = scripts(shown, site)
        replace_code(cast(Any, self.aws.client("cloudfront")), "edge-test", edge_function(shown, site))

    async def render(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            batch = json.loads(await request.text())
            self.events |= {event["id"]: event | {"visitor": batch["visitor"]} for event in batch["events"]}
            return web.json_response(
                {"accepted": len(batch["events"]), "repeated": 0, "queued": 0, "refused": []}, status=202
            )
        name = request.path.removeprefix("/")
        if name in self.files:
            return web.Response(body=self.files[name], content_type="text/javascript")
        if "." in name:
            return web.Response(status=404)
        shown = request.headers.get("x-abacus", "")
        self.asked.append((request.path, shown))
        variants = dict(pair.split("=") for pair in shown.split(",") if pair)
        hero = variants.get("hero", "plain")
        html = f"""<!doctype html><html lang=en><head><title>{request.path}</title>{TAG}</head>
            <body><h1 data-ab="hero landing" data-ab-set="hero:bold text=bold | hero:plain text=plain">{hero}</h1>
            <p>page {request.path}</p></body></html>"""
        return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "public, max-age=60"})

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        """What DNS and TLS would do: Chromium's request, to the distribution by its name."""
        headers = {n: v for n, v in request.headers.items() if n.lower() in HEADERS}
        headers |= {"Host": self.domain, "X-Forwarded-Proto": "https"} | self.extra
        async with ClientSession(auto_decompress=False) as session:
            url = self.aws.endpoint + request.raw_path
            body = await request.read() or None
            async with session.request(
                request.method, url, headers=headers, data=body, allow_redirects=False
            ) as answer:
                keep = ("Content-Type", "Cache-Control", "Server-Timing", "Location")
                response = web.Response(status=answer.status, body=await answer.read())
                for name in keep:
                    if name in answer.headers:
                        response.headers[name] = answer.headers[name]
                for cookie in answer.headers.getall("Set-Cookie", []):
                    response.headers.add("Set-Cookie", cookie)
                return response


def template(port: int) -> str:
    """The CloudFormation template of docs/edge.md, before a server on the loopback instead of one with TLS."""
    (found,) = re.findall(r"```yaml\n(AWSTemplateFormatVersion.*?)```", (PROJECT / "docs/edge.md").read_text(), re.S)
    return found.replace("OriginProtocolPolicy: https-only", f"OriginProtocolPolicy: http-only, HTTPPort: {port}")


@contextmanager
def edge_site(aws: LocalAws) -> Iterator[EdgeSite]:
    site = EdgeSite(aws)
    cloudfront = cast(Any, aws.client("cloudfront"))
    config = {"Comment": "test", "Runtime": "cloudfront-js-2.0"}
    made = cloudfront.create_function(Name="edge-test", FunctionConfig=config, FunctionCode=PASS)
    cloudfront.publish_function(Name="edge-test", IfMatch=made["ETag"])
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    with listening(site.render) as server, listening(site.pass_on) as site.origin:
        port = int(server.rpartition(":")[2])
        parameters = {"EdgeFunctionArn": arn, "SiteOrigin": "127.0.0.1"}
        outputs = cloudformation.apply(
            aws.cloudformation, "edge-test-site", template(port), parameters, watch=cloudformation.Watch(poll=0)
        )
        site.domain = outputs["Domain"]
        yield site

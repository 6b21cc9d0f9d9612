"""What a stage is made of: its stacks in the order in which they are made, each with template and parameters.

All of it is known before anything is made, so that it can be shown without an account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from abacus.aws import names
from abacus.aws.templates import Template, read
from abacus.deploy.options import ApiKind, Around, Wishes, WrongWish, kind_of_api
from abacus.deploy.package import key_of
from abacus.paths import INFRA
from abacus.site.build import Asset


class Output(NamedTuple):
    """An output of an earlier stack, and the words around it."""

    part: str
    name: str
    form: str = "{}"


class Hidden(NamedTuple):
    """A value that is never shown; what it is instead."""

    what: str
    value: str


Parameter = str | Output | Hidden


@dataclass(frozen=True)
class Stack:
    part: str
    what: str
    path: Path
    parameters: Mapping[str, Parameter]
    region: str = ""  # "": the stage's

    @property
    def template(self) -> Template:
        return read(self.path)

    @property
    def shown_path(self) -> Path:
        return self.path.relative_to(INFRA.parent) if self.path.is_relative_to(INFRA) else self.path

    def filled(self, outputs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """The parameters as CloudFormation takes them, given the outputs of each earlier part."""

        def value(given: Parameter) -> str:
            if isinstance(given, Output):
                return given.form.format(outputs[given.part][given.name])
            return given.value if isinstance(given, Hidden) else given

        return {name: value(given) for name, given in self.parameters.items()}


FIREWALL_REGION = "us-east-1"  # of any distribution's firewall
# Parameters of .chalice/package.json that nothing in `chalice deploy` answers to.
PACKAGED_ALONE = {"Tracing", "ReconcileSchedule", "RequestsPerSecond", "Burst"}


def blueprint(wishes: Wishes, around: Around, secrets: list[str]) -> list[Stack]:
    """Every stack of the stage. `secrets`: what CloudFront says to the API, the newest first. Raises WrongWish."""
    if wishes.domain and not (wishes.certificate or around.present.get("edge", {}).get("CertificateArn")):
        raise WrongWish("--domain needs --certificate: the ARN of a certificate for it in us-east-1")
    kind = kind_of_api(wishes, around)
    if kind == "chalice" and (wishes.tracing or PACKAGED_ALONE & wishes.more.keys()):
        raise WrongWish("--xray, --set ReconcileSchedule, RequestsPerSecond, Burst: only with --api http or rest")
    watched = wishes.email is not None or "watch" in around.present
    if wishes.budget is not None and not wishes.email and "budget" not in around.present:
        raise WrongWish("--budget needs --email: somebody has to be told")
    made = [_data(wishes), _api(wishes, around, kind, secrets)]
    if _walled(wishes, around):
        name = {"Name": names.prefix(wishes.stage)}
        made.append(Stack("firewall", "a limit per address", INFRA / "firewall.yaml", name, FIREWALL_REGION))
    made.append(_edge(wishes, around, kind, secrets[0]))
    if watched and wishes.email != "":
        made += [_watch(wishes, kind), _budget(wishes)]
    return _with_more(made, wishes.more)


def _walled(wishes: Wishes, around: Around) -> bool:
    return "firewall" in around.present if wishes.firewall is None else wishes.firewall


def _data(wishes: Wishes) -> Stack:
    name = {"Name": names.prefix(wishes.stage)}
    return Stack("data", "tables, queues, bucket", INFRA / "data.yaml", name)


def _api(wishes: Wishes, around: Around, kind: ApiKind, secrets: list[str]) -> Stack:
    of_data = ("ParticipantsStreamArn", "SpillQueueArn", "SpillQueueUrl", "FoldDeadLettersArn", "BucketName")
    parameters: dict[str, Parameter] = {name: Output("data", name) for name in of_data}
    parameters |= {
        "OriginSecrets": Hidden(f"kept in SSM as {names.origin_secrets(wishes.stage)}", ",".join(secrets)),
        "SenderKeysParameter": names.sender_keys(wishes.stage) if around.sender_keys else "",
        "CookieDomain": around.cookie_domain,
        "ApiKind": "http" if kind == "http" else "rest",
    }
    if wishes.read_key is not None:
        parameters["ReadKey"] = Hidden("as given" if wishes.read_key else "none", wishes.read_key)
    if wishes.tracing is not None:
        parameters["Tracing"] = "Active" if wishes.tracing else "PassThrough"
    return Stack("api", "functions, their roles and triggers", around.package, parameters)


def _edge(wishes: Wishes, around: Around, kind: ApiKind, secret: str) -> Stack:
    parameters: dict[str, Parameter] = {
        "BucketDomain": Output("data", "BucketDomain"),
        "OriginSecret": Hidden(f"kept in SSM as {names.origin_secrets(wishes.stage)}", secret),
        "EventsPath": around.events_path,
        "CookieDomain": around.cookie_domain,
        "WebAclArn": Output("firewall", "WebAclArn") if _walled(wishes, around) else "",
        **_way_to_the_api(around, kind),
    }
    if wishes.domain is not None:
        parameters["DomainName"] = wishes.domain
    if wishes.certificate is not None:
        parameters["CertificateArn"] = wishes.certificate
    what = "CloudFront and an HTTP API" if kind == "http" else "CloudFront before the REST API"
    return Stack("edge", what, INFRA / "edge.yaml", parameters)


def _way_to_the_api(around: Around, kind: ApiKind) -> dict[str, Parameter]:
    if around.emulator:
        host, _, port = around.emulator.partition(":")
        path = Output("api", "RestAPIId", "/_aws/execute-api/{}/api")
        origin: dict[str, Parameter] = {"ApiOriginDomain": host, "ApiOriginPort": port, "ApiOriginPath": path}
        return origin | {"ApiFunctionArn": "", "ApiOriginProtocol": "http-only"}
    if kind == "http":
        return {"ApiFunctionArn": Output("api", "APIHandlerArn"), "ApiOriginDomain": "", "ApiOriginPath": ""}
    return {"ApiFunctionArn": "", "ApiOriginDomain": Output("api", "RestDomain"), "ApiOriginPath": "/api"}


def _watch(wishes: Wishes, kind: ApiKind) -> Stack:
    functions = {"ApiName": "APIHandlerName", "FoldName": "FoldName", "WriteSpilledName": "WriteSpilledName"}
    functions["ReconcileName"] = "ReconcileName"
    of_data = ("ParticipantsName", "TalliesName", "SpillQueueName", "SpillDeadLettersName", "FoldDeadLettersName")
    parameters: dict[str, Parameter] = {
        "Name": names.prefix(wishes.stage),
        **{name: Output("api", output) for name, output in functions.items()},
        **{name: Output("data", name) for name in of_data},
        "ApiKind": "http" if kind == "http" else "rest",
        "ApiId": Output("edge", "ApiId") if kind == "http" else Output("api", "RestAPIName"),
    }
    if wishes.email:
        parameters["Email"] = wishes.email
    return Stack("watch", "alarms, a dashboard", INFRA / "watch.yaml", parameters)


def _budget(wishes: Wishes) -> Stack:
    parameters: dict[str, Parameter] = {"Name": names.prefix(wishes.stage)}
    if wishes.email:
        parameters["Email"] = wishes.email
    if wishes.budget is not None:
        parameters["DollarsPerMonth"] = str(wishes.budget)
    return Stack("budget", "a letter before the bill", INFRA / "budget.yaml", parameters)


def _with_more(made: list[Stack], more: Mapping[str, str]) -> list[Stack]:
    """Each of `more` goes to every template that declares it and gets no value for it from us; secrets have options."""
    free = {
        s.part: {name for name, said in s.template.parameters.items() if not said.get("NoEcho")} - s.parameters.keys()
        for s in made
    }
    unknown = more.keys() - set().union(*free.values())
    if unknown:
        known = ", ".join(sorted(set().union(*free.values())))
        raise WrongWish(f"--set {min(unknown)}: is no parameter that can be set; there are {known}")
    return [replace(s, parameters={**s.parameters, **{n: more[n] for n in more.keys() & free[s.part]}}) for s in made]


EMPTY = '""'
Say = Callable[[str], None]


def show(of: str, parts: list[Stack], files: Mapping[str, Asset], say: Say) -> None:
    """Tells `say` line by line. `files`: path below site/ → what will be served there."""
    for part in parts:
        where = f" in {part.region}" if part.region else ""
        say(f"stack {names.stack(of, part.part)}{where}: {part.what}")
        say(f"  template {part.shown_path}, {len(part.template.text):,} bytes")
        for name, declared in sorted(part.template.parameters.items()):
            given = part.parameters.get(name)
            say(f"  parameter {name} = {_default(declared) if given is None else _shown(of, given)}")
        for name, resource in part.template.resources.items():
            only = f", only if {resource['Condition']}" if "Condition" in resource else ""
            say(f"  resource {name} ({resource['Type']}{only})")
            for trigger, event in resource.get("Properties", {}).get("Events", {}).items():
                say(f"  resource {trigger} (trigger of {name}, {event['Type']})")
    code = next(part.path for part in parts if part.part == "api").with_name("deployment.zip").read_bytes()
    say(f"files in the bucket of {names.stack(of, 'data')}")
    say(f"  {key_of(code)}, {len(code):,} bytes")
    for key in ("manifest/live.json", "manifest/{its digest}.json", "manifest/history/{time}-{its digest}.json"):
        say(f"  {key}")
    for path, asset in sorted(files.items()):
        say(f"  site/{path}, {len(asset.body):,} bytes, {asset.content_type}, {asset.cache_control}")


def _shown(of: str, given: Parameter) -> str:
    if isinstance(given, Output):
        return given.form.format(f"output {given.name} of {names.stack(of, given.part)}")
    return f"(secret: {given.what})" if isinstance(given, Hidden) else given or EMPTY


def _default(declared: Mapping[str, object]) -> str:
    if declared.get("NoEcho"):
        return "(secret: none, or as it was)"
    return f"{declared.get('Default') or EMPTY} (the template's default, or as it was)"

"""The stacks of a stage in the order of their creation, each with its template and parameters.

All of it is known before anything is created, so that `--dry-run` can show it without an account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from abacus.aws import names
from abacus.aws.cloudformation import HIDDEN
from abacus.aws.templates import Template, read
from abacus.deploy.options import ApiKind, DeployOptions, InvalidOption, Surroundings, api_kind
from abacus.deploy.package import code_key
from abacus.paths import INFRA
from abacus.site.build import Asset


class Output(NamedTuple):
    """A parameter's value that is an output of an earlier stack; `form` puts text around it."""

    part: str
    name: str
    form: str = "{}"


class Secret(NamedTuple):
    """A parameter's value that is never shown, and the description that is shown instead."""

    description: str
    value: str


Parameter = str | Output | Secret


@dataclass(frozen=True)
class StackPlan:
    """One stack of a stage, as it is going to be."""

    part: str
    description: str
    path: Path
    parameters: Mapping[str, Parameter]

    @property
    def template(self) -> Template:
        """The template, read from its file."""
        return read(self.path)

    @property
    def shown_path(self) -> Path:
        """The template's path as a person reads it: relative to the project, if it is in it."""
        return self.path.relative_to(INFRA.parent) if self.path.is_relative_to(INFRA) else self.path

    def values(self, outputs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        """The parameters as CloudFormation takes them, given the outputs of each earlier part."""

        def value(parameter: Parameter) -> str:
            if isinstance(parameter, Output):
                return parameter.form.format(outputs[parameter.part][parameter.name])
            return parameter.value if isinstance(parameter, Secret) else parameter

        return {name: value(parameter) for name, parameter in self.parameters.items()}


# Parameters of .chalice/package.json for which `chalice deploy` has no setting.
PACKAGED_ONLY = {"AlertEmail", "Tracing", "ReconcileSchedule", "RequestsPerSecond", "Burst"}


def plan_stacks(options: DeployOptions, surroundings: Surroundings, secrets: list[str]) -> list[StackPlan]:
    """Every stack of the stage.

    Args:
        secrets: what CloudFront sends to the API, the newest first.

    Raises: InvalidOption."""
    kind = api_kind(options, surroundings)
    _check(options, surroundings, kind)
    firewall = "firewall" in surroundings.stacks if options.firewall is None else options.firewall
    watched = options.email != "" and (options.email is not None or "watch" in surroundings.stacks)
    prefix = {"Name": names.prefix(options.stage)}
    plans = [
        StackPlan("data", "tables, queues, bucket", INFRA / "data.yaml", prefix),
        _api(options, surroundings, kind, secrets),
    ]
    if firewall:
        plans.append(StackPlan("firewall", "a limit per address", INFRA / "firewall.yaml", prefix))
    plans.append(_edge(options, surroundings, kind, secrets[0], firewall))
    if watched:
        plans += [_watch(options, kind), _budget(options)]
    return _with_parameters(plans, options.parameters)


def _check(options: DeployOptions, surroundings: Surroundings, kind: ApiKind) -> None:
    if options.domain and not (options.certificate or surroundings.parameters("edge").get("CertificateArn")):
        raise InvalidOption("--domain needs --certificate: the ARN of a certificate for it in us-east-1")
    if kind == "chalice" and (options.tracing or PACKAGED_ONLY & options.parameters.keys()):
        raise InvalidOption(
            "--xray, --set AlertEmail, ReconcileSchedule, RequestsPerSecond, Burst: only with --api http or rest"
        )
    if options.budget is not None and not options.email and "budget" not in surroundings.stacks:
        raise InvalidOption("--budget needs --email: the address for the alert")
    unfinished = "api" in surroundings.stacks and not surroundings.stacks["api"].created and options.read_key is None
    if unfinished and surroundings.parameters("api").get("ReadKey") == HIDDEN:
        # Its stack is deleted and created again, and CloudFormation does not show the key that it was to have.
        raise InvalidOption(
            f"--read-key: the first deploy of {names.stack(options.stage, 'api')} failed, and AWS does not show its "
            'read key. Give it again: --read-key, or --read-key "" to leave the numbers open.'
        )


def _api(options: DeployOptions, surroundings: Surroundings, kind: ApiKind, secrets: list[str]) -> StackPlan:
    of_data = ("ParticipantsStreamArn", "SpillQueueArn", "SpillQueueUrl", "FoldDeadLettersArn", "BucketName")
    parameters: dict[str, Parameter] = {name: Output("data", name) for name in of_data}
    parameters |= {
        "OriginSecrets": Secret(f"kept in SSM as {names.origin_secrets(options.stage)}", ",".join(secrets)),
        "SenderKeysParameter": names.sender_keys(options.stage) if surroundings.sender_keys else "",
        "AlertWebhookParameter": names.alert_webhook(options.stage) if surroundings.alert_webhook else "",
        "CookieDomain": surroundings.cookie_domain,
        "ApiKind": "http" if kind == "http" else "rest",
    }
    if domain := options.domain if options.domain is not None else surroundings.parameters("edge").get("DomainName"):
        parameters["ResultsUrl"] = f"https://{domain}/results/"  # CloudFront's own name is not known yet
    if options.read_key is not None:
        parameters["ReadKey"] = Secret("as given" if options.read_key else "none", options.read_key)
    if options.tracing is not None:
        parameters["Tracing"] = "Active" if options.tracing else "PassThrough"
    return StackPlan("api", "functions, their roles and triggers", surroundings.package, parameters)


def _edge(options: DeployOptions, surroundings: Surroundings, kind: ApiKind, secret: str, firewall: bool) -> StackPlan:
    parameters: dict[str, Parameter] = {
        "BucketDomain": Output("data", "BucketDomain"),
        "OriginSecret": Secret(f"kept in SSM as {names.origin_secrets(options.stage)}", secret),
        "EventsPath": surroundings.events_path,
        "CookieDomain": surroundings.cookie_domain,
        "WebAclArn": Output("firewall", "WebAclArn") if firewall else "",
        **_origin(surroundings, kind),
    }
    if options.domain is not None:
        parameters["DomainName"] = options.domain
    if options.certificate is not None:
        parameters["CertificateArn"] = options.certificate
    description = "CloudFront and an HTTP API" if kind == "http" else "CloudFront before the REST API"
    return StackPlan("edge", description, INFRA / "edge.yaml", parameters)


def _origin(surroundings: Surroundings, kind: ApiKind) -> dict[str, Parameter]:
    """Where CloudFront finds the API."""
    if surroundings.emulator:
        host, _, port = surroundings.emulator.partition(":")
        path = Output("api", "RestAPIId", "/_aws/execute-api/{}/api")
        origin: dict[str, Parameter] = {"ApiOriginDomain": host, "ApiOriginPort": port, "ApiOriginPath": path}
        return origin | {"ApiFunctionArn": "", "ApiOriginProtocol": "http-only"}
    if kind == "http":
        return {"ApiFunctionArn": Output("api", "APIHandlerArn"), "ApiOriginDomain": "", "ApiOriginPath": ""}
    return {"ApiFunctionArn": "", "ApiOriginDomain": Output("api", "RestDomain"), "ApiOriginPath": "/api"}


def _watch(options: DeployOptions, kind: ApiKind) -> StackPlan:
    of_data = ("ParticipantsName", "TalliesName", "SpillQueueName", "SpillDeadLettersName", "FoldDeadLettersName")
    parameters: dict[str, Parameter] = {
        "Name": names.prefix(options.stage),
        "ApiName": Output("api", "APIHandlerName"),
        **{f"{name}Name": Output("api", f"{name}Name") for name in ("Fold", "WriteSpilled", "Reconcile", "Alert")},
        **{name: Output("data", name) for name in of_data},
        "ApiKind": "http" if kind == "http" else "rest",
        "ApiId": Output("edge", "ApiId") if kind == "http" else Output("api", "RestAPIName"),
    }
    if options.email:
        parameters["Email"] = options.email
    return StackPlan("watch", "alarms, a dashboard", INFRA / "watch.yaml", parameters)


def _budget(options: DeployOptions) -> StackPlan:
    parameters: dict[str, Parameter] = {"Name": names.prefix(options.stage)}
    if options.email:
        parameters["Email"] = options.email
    if options.budget is not None:
        parameters["DollarsPerMonth"] = str(options.budget)
    return StackPlan("budget", "an e-mail before the month becomes expensive", INFRA / "budget.yaml", parameters)


def _with_parameters(plans: list[StackPlan], given: Mapping[str, str]) -> list[StackPlan]:
    """Each given parameter goes to every template that declares it, unless an option or an output sets it there.
    Secrets have options of their own. Raises InvalidOption."""
    settable = {plan.part: _settable(plan) for plan in plans}
    known = set().union(*settable.values())
    unknown = given.keys() - known
    if unknown:
        raise InvalidOption(f"--set {min(unknown)}: no such parameter. You can set: {', '.join(sorted(known))}")
    return [
        replace(plan, parameters={**plan.parameters, **{n: given[n] for n in given.keys() & settable[plan.part]}})
        for plan in plans
    ]


def _settable(plan: StackPlan) -> set[str]:
    declared = {name for name, declaration in plan.template.parameters.items() if not declaration.get("NoEcho")}
    return declared - plan.parameters.keys()


# ---------------------------------------------------------------- shown by --dry-run

EMPTY = '""'
Print = Callable[[str], object]


def show(stage: str, plans: list[StackPlan], files: Mapping[str, Asset], write: Print) -> None:
    """Write the whole plan, line by line. `files`: path below site/ → what is served there."""
    for plan in plans:
        for line in _stack_lines(stage, plan):
            write(line)
    code = next(plan.path for plan in plans if plan.part == "api").with_name("deployment.zip").read_bytes()
    write(f"files in the bucket of {names.stack(stage, 'data')}")
    write(f"  {code_key(code)}, {len(code):,} bytes")
    for key in ("manifest/live.json", "manifest/{its digest}.json", "manifest/history/{time}-{its digest}.json"):
        write(f"  {key}")
    for path, asset in sorted(files.items()):
        write(f"  site/{path}, {len(asset.body):,} bytes, {asset.content_type}, {asset.cache_control}")


def _stack_lines(stage: str, plan: StackPlan) -> Iterator[str]:
    region = names.stack_region(plan.part)
    yield f"stack {names.stack(stage, plan.part)}{f' in {region}' if region else ''}: {plan.description}"
    yield f"  template {plan.shown_path}, {len(plan.template.text):,} bytes"
    for name, declaration in sorted(plan.template.parameters.items()):
        parameter = plan.parameters.get(name)
        yield f"  parameter {name} = {_default(declaration) if parameter is None else _shown(stage, parameter)}"
    for name, resource in plan.template.resources.items():
        condition = f", only if {resource['Condition']}" if "Condition" in resource else ""
        yield f"  resource {name} ({resource['Type']}{condition})"
        for trigger, event in resource.get("Properties", {}).get("Events", {}).items():
            yield f"  resource {trigger} (trigger of {name}, {event['Type']})"


def _shown(stage: str, parameter: Parameter) -> str:
    if isinstance(parameter, Output):
        return parameter.form.format(f"output {parameter.name} of {names.stack(stage, parameter.part)}")
    return f"(secret: {parameter.description})" if isinstance(parameter, Secret) else parameter or EMPTY


def _default(declaration: Mapping[str, Any]) -> str:
    if declaration.get("NoEcho"):
        return "(secret: none, or as deployed)"
    return f"{declaration.get('Default') or EMPTY} (the template's default, or as deployed)"

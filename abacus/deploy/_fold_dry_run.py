"""What a deploy would make, in full, without an account: every template, resource, parameter and file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from abacus.aws import names
from abacus.deploy._fold_parts import Hidden, Output, Parameter, Stack
from abacus.deploy._fold_upload import key_of
from abacus.site.build import Asset

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

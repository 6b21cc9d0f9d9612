"""A new process imports what the first event needs, and nothing besides. `python -m bench cold_start` measures it."""

from __future__ import annotations

import subprocess
import sys

from abacus.paths import PROJECT

FIRST_EVENT = """
from types import SimpleNamespace
from chalicelib.domain.manifest import Experiment, Manifest, Phase, Variant
from tests.support.memory_store import MemoryStore

def experiment():
    variants, phases = [{"key": "blue"}, {"key": "green"}], [{"weights": [0.5, 0.5]}]
    return {"key": "cta-color", "status": "running", "seed": "cta-color", "variants": variants, "phases": phases}

manifest = Manifest.model_validate_json(json.dumps({"experiments": [experiment()]}))
app.service.__dict__["store"] = MemoryStore()
app.service.__dict__["catalog"] = SimpleNamespace(current=lambda now_ms: manifest, refresh=lambda now_ms: manifest)
variant = manifest.experiments[0].assign("v1", 0)
event = {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": variant, "at": app.now_ms()}
names = {"content-type": "application/json", "user-agent": "Chrome/130.0", "host": "example.com"}
answer = app.app({
    "version": "1.0", "resource": "/events", "path": "/events", "httpMethod": "POST",
    "headers": names, "multiValueHeaders": {name: [value] for name, value in names.items()},
    "queryStringParameters": None, "multiValueQueryStringParameters": None, "pathParameters": None,
    "stageVariables": None, "isBase64Encoded": False, "requestContext": {
        "httpMethod": "POST", "resourcePath": "/events", "path": "/events", "identity": {"sourceIp": "192.0.2.7"}},
    "body": json.dumps({"visitor": "v1", "events": [event]}),
}, None)
assert answer["statusCode"] == 202, answer
"""
HEAVY = {"boto3", "chalice.deploy", "multiprocessing", "asyncio", "sqlite3"}


def in_a_new_process(code: str) -> str:
    """The last line that `code` prints after `import app`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys\nimport app\n{code}"],
        env={"PYTHONPATH": str(PROJECT), "PATH": "", "ABACUS_STAGE": "local"},
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    return done.stdout.splitlines()[-1]


PACKAGES = """
names = {name.split(".")[1] for name in sys.modules if name.startswith("chalicelib.")}
print(*sorted(names | (set(sys.modules) & %r)))
"""


def test_importing_the_app_imports_what_an_event_needs_and_no_more() -> None:
    assert in_a_new_process(PACKAGES % HEAVY) == "api domain ingestion runtime storage"


def test_the_first_event_imports_nothing_more() -> None:
    before = "before = set(sys.modules) | {'tests', 'tests.support', 'tests.support.memory_store'}"
    after = (
        "print(*sorted(name for name in set(sys.modules) - before if name.split('.')[0] in ('chalicelib', 'tests')))"
    )
    assert in_a_new_process(f"{before}\n{FIRST_EVENT}\nprint()\n{after}") == ""


def test_no_request_builds_a_model_that_another_one_builds_too() -> None:
    # Building is not safe in several threads, as in a local server; and each part would be built once more by itself.
    built = "\nmodels = {model for base in (Part, Model) for model in base.__subclasses__()} - {Part}"
    shown = "print(*sorted(m.__name__ for m in models if m.__pydantic_complete__ == issubclass(m, Part)))"
    code = f"from chalicelib.domain.manifest import Model, Part\n{FIRST_EVENT}{built}\nprint()\n{shown}"
    assert in_a_new_process(code) == ""

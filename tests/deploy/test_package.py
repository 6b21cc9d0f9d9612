"""What is built for Lambda: our code, the runtime's requirements, and nothing else; with roles that fit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from botocore.session import get_session
from chalice.deploy.packager import LambdaDeploymentPackager
from click.testing import CliRunner

from abacus.aws.templates import read
from abacus.cli import main
from abacus.deploy.package import LAMBDA, PackageFailed, package, prepare
from abacus.paths import INFRA, PROJECT
from chalicelib.runtime.settings import Settings

POLICIES = PROJECT / ".chalice" / "policies"
DIST_INFO = re.compile(r"(\w+)-([\d.]+)\.dist-info/METADATA$")
FUNCTIONS = ["alert", "api_handler", "fold", "reconcile", "write_spilled"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build") / "package"
    package("prod", folder)
    return folder


@pytest.fixture(scope="module")
def template(built: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((built / "sam.json").read_text())
    return parsed


def test_the_zip_holds_our_code_and_the_runtimes_requirements_and_nothing_else(built: Path) -> None:
    names = ZipFile(built / "deployment.zip").namelist()
    top = {name.partition("/")[0].partition("-")[0] for name in names}
    requirements = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
    assert {t.removesuffix(".py") for t in top} == {"app", "chalice", "chalicelib"} | requirements
    ours = {name for name in names if name.startswith(("app.py", "chalicelib/")) and not name.endswith("/")}
    code = {str(file.relative_to(PROJECT)) for file in (PROJECT / "chalicelib").rglob("*.py")}
    assert ours == code | {"app.py", "chalicelib/ingestion/crawlers.json"}
    assert {name for name in names if name.startswith("chalice/")} == {"chalice/__init__.py", "chalice/app.py"}


def test_what_is_required_is_the_version_that_was_tested(built: Path) -> None:
    names = ZipFile(built / "deployment.zip").namelist()
    shipped = {found[1].replace("_", "-") + "==" + found[2] for found in map(DIST_INFO.match, names) if found}
    tested = {line.partition(" ")[0] for line in (PROJECT / "requirements-test.lock").read_text().splitlines()}
    asked = {line for line in (PROJECT / "requirements.txt").read_text().splitlines() if not line.startswith("#")}
    assert shipped == asked
    assert asked <= tested


def test_the_zip_is_for_the_processor_and_python_of_the_functions_whatever_runs_here(
    built: Path, template: dict[str, Any]
) -> None:
    native = [name for name in ZipFile(built / "deployment.zip").namelist() if name.endswith(".so")]
    assert [name.rpartition(".cpython-")[2] for name in native] == ["314-aarch64-linux-gnu.so"]
    code = ZipFile(built / "deployment.zip").read(native[0])
    assert (code[:4], int.from_bytes(code[18:20], "little")) == (b"\x7fELF", 183)  # e_machine: 183 is AArch64
    functions = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    assert [(f["Runtime"], f["Architectures"]) for f in functions] == [("python3.14", ["arm64"])] * 5


# A newer Python that Lambda runs, and the requirement that has no arm64 wheel for it. When its pin changes, try again.
WITHOUT_WHEELS = {"python3.15": "pydantic-core==2.46.5"}


def test_the_functions_run_on_the_newest_python_that_lambda_chalice_and_our_wheels_support() -> None:
    of_lambda = set(get_session().get_service_model("lambda").shape_for("Runtime").enum)
    both = of_lambda & LambdaDeploymentPackager._RUNTIME_TO_ABI.keys()
    assert max(both - WITHOUT_WHEELS.keys(), key=lambda name: int(name.removeprefix("python3."))) == LAMBDA.runtime
    assert set(WITHOUT_WHEELS.values()) <= set((PROJECT / "requirements.txt").read_text().splitlines())


def test_cfn_lint_finds_no_error_in_the_template(built: Path) -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, built / "sam.json"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_template_is_small_enough_to_be_sent_without_a_bucket(built: Path) -> None:
    assert len((built / "sam.json").read_bytes()) + 200 < 51_200  # bytes; 200: where the code is


def test_the_streams_trigger_gives_up_and_filters_as_the_local_worker_does(template: dict[str, Any]) -> None:
    trigger = template["Resources"]["Fold"]["Properties"]["Events"]["FoldDynamodbEventSource"]["Properties"]
    pattern = json.loads(trigger["FilterCriteria"]["Filters"][0]["Pattern"])
    # Of a stream's record, Lambda filters on the key `dynamodb` only (Lambda developer guide, "DynamoDB filtering").
    assert pattern == {"dynamodb": {"NewImage": {"pending": {"SS": [{"exists": True}]}}}}
    assert trigger["BisectBatchOnFunctionError"] is True
    assert trigger["MaximumRetryAttempts"] == 3
    assert trigger["DestinationConfig"] == {"OnFailure": {"Destination": {"Ref": "FoldDeadLettersArn"}}}


def test_no_parameter_is_taken_that_the_app_refuses(template: dict[str, Any]) -> None:
    least = template["Parameters"]["RetentionDays"]["MinValue"]
    assert Settings.of({"ABACUS_RETENTION_DAYS": str(least)}).retention_days == least
    with pytest.raises(ValueError, match="ABACUS_RETENTION_DAYS"):
        Settings.of({"ABACUS_RETENTION_DAYS": str(least - 1)})


def test_either_api_is_limited_and_by_the_same_parameters(template: dict[str, Any]) -> None:
    (every,) = template["Resources"]["RestAPI"]["Properties"]["MethodSettings"]
    limits = {"ThrottlingRateLimit": {"Ref": "RequestsPerSecond"}, "ThrottlingBurstLimit": {"Ref": "Burst"}}
    assert every == {"HttpMethod": "*", "ResourcePath": "/*"} | limits
    edge = read(INFRA / "edge.yaml").parameters
    for name in ("RequestsPerSecond", "Burst"):
        assert template["Parameters"][name]["Default"] == edge[name]["Default"]


def test_every_function_has_the_handwritten_policy_of_its_own(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    for function, role in zip(FUNCTIONS, ("Alert", "ApiHandler", "Fold", "Reconcile", "WriteSpilled"), strict=True):
        (policy,) = resources[f"{role}Role"]["Properties"]["Policies"]
        assert policy["PolicyDocument"] == json.loads((POLICIES / "prod" / f"{function}.json").read_text())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_stages_differ_in_names_alone(function: str) -> None:
    dev, prod = ((POLICIES / stage / f"{function}.json").read_text() for stage in ("dev", "prod"))
    assert dev.replace("abacus-dev", "abacus-prod") == prod


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_policy_allows_every_action_or_every_resource(function: str) -> None:
    for statement in json.loads((POLICIES / "prod" / f"{function}.json").read_text())["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action]
        assert ":abacus-prod" in statement["Resource"].replace("/", ":")


def test_a_stage_of_any_name_is_prod_under_that_name(template: dict[str, Any], tmp_path: Path) -> None:
    made = package("staging", tmp_path / "package").read_text()
    assert json.loads(made.replace("staging", "prod")) == template
    assert not re.findall(r"\bprod\b", made)


def test_what_chalice_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(PackageFailed, match="chalice package --stage prod"):
        package("prod", tmp_path / "package", target=LAMBDA._replace(architecture="abacus"))


def test_a_folder_that_the_command_did_not_make_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "source" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("three years of work")
    with pytest.raises(PackageFailed, match="source exists and `abacus package` did not make it"):
        package("prod", tmp_path / "out")
    assert precious.read_text() == "three years of work"


def test_a_second_copy_deletes_only_what_the_first_one_wrote(tmp_path: Path) -> None:
    prepare(tmp_path / "source", "prod")
    notes = tmp_path / "source" / "chalicelib" / "notes.txt"
    notes.write_text("mine")
    (tmp_path / "source" / "app.py").write_text("changed")
    prepare(tmp_path / "source", "prod")
    assert notes.read_text() == "mine"
    assert (tmp_path / "source" / "app.py").read_bytes() == (PROJECT / "app.py").read_bytes()


def test_a_place_that_cannot_be_written_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["package", "--out", str(tmp_path / "file" / "out")])
    assert result.exit_code == 1
    assert "cannot be written: Not a directory. Choose another --out." in result.output

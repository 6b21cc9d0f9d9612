"""abacus.yaml: what a site's repository says once, for every command. `abacus init` writes it.

Every command finds it in its own folder or the nearest one above. Without one the defaults hold, as in a checkout of
ABacus itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from chalicelib.domain.errors import AbacusError

NAME = "abacus.yaml"


class InvalidProjectFile(AbacusError):
    """abacus.yaml cannot be used; the message names the field, its value and the rule."""


class StageDefaults(BaseModel):
    """What `abacus deploy --stage NAME` uses where an option is not given. Names and meanings are those of options."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    region: str | None = None
    domain: str | None = None
    certificate: str | None = None
    waf: bool | None = None
    email: str | None = None
    budget: int | None = Field(default=None, ge=1)
    api: Literal["http", "rest", "chalice"] | None = None
    xray: bool | None = None
    set: dict[str, str] = {}


class ProjectFile(BaseModel):
    """The content of abacus.yaml. `folder`: where it lies; "" for the current one. `snippet`: docs/install.md."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    manifest: str = "manifest"
    snippet: dict[str, Any] | None = None
    stages: dict[str, StageDefaults] = {}
    folder: str = Field(default="", exclude=True)

    @field_validator("stages", mode="before")
    @classmethod
    def _without_options(cls, stages: Any) -> Any:
        """A stage whose options are all comments (`prod:` and nothing more) has none."""
        return {name: options or {} for name, options in stages.items()} if isinstance(stages, dict) else stages

    def path(self, name: str | Path) -> Path:
        """A path that is relative to abacus.yaml, as this process reaches it."""
        return Path(self.folder) / name

    def stage(self, name: str | None) -> StageDefaults:
        """The defaults of a stage; none for a stage that abacus.yaml does not name."""
        return self.stages.get(name or "", StageDefaults())


def project_file() -> ProjectFile:
    """abacus.yaml of the current folder, or of the nearest above. Raises InvalidProjectFile."""
    folder = Path.cwd()
    project = next((each for each in (folder, *folder.parents) if (each / NAME).is_file()), None)
    if project is None:
        return ProjectFile()
    relative = os.path.relpath(project, folder)
    return read(project / NAME).model_copy(update={"folder": "" if relative == "." else relative})


def read(file: Path) -> ProjectFile:
    """Parse an abacus.yaml. Raises InvalidProjectFile."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        if not isinstance(content, dict):
            raise InvalidProjectFile(f"{file}: expected fields such as `manifest: manifest`, found {content!r}")
        if "folder" in content:
            raise InvalidProjectFile(f"{file}: unknown field folder; the fields are {_names(ProjectFile)}")
        return ProjectFile.model_validate(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidProjectFile(f"{file}:{where} is not valid YAML: {error.problem}") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise InvalidProjectFile(f"{file} is not text in UTF-8") from None
    except ValidationError as error:
        raise InvalidProjectFile(f"{file}: {_problem(error)}") from None


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        model = StageDefaults if first["loc"][0] == "stages" else ProjectFile
        return f"unknown field {field}; the fields are {_names(model)}"
    return f"{field}: {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _names(model: type[BaseModel]) -> str:
    return ", ".join(name for name in model.model_fields if name != "folder")

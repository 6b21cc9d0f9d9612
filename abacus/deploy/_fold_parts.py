"""One stack of a stage, as it is known before it is made: what it gets from an earlier one stands there by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from abacus.aws.templates import Template, read
from abacus.paths import INFRA


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

"""What a row loses on the way to another form, by name; and what has no form there at all."""

from collections.abc import Iterator

import msgspec

from tuneway.tuning.datasets.report import Finding

NAMES: dict[str, str] = {
    "weight": "an answer's weight",
    "name": "the name of a turn",
    "detail": "how closely an image is looked at",
    "strict": "that a function is strict",
    "parallel_tool_calls": "the switch for parallel calls",
    "system": "the system message",
    "tools": "functions that are declared but not called",
    "response_schema": "the schema of a function's response",
    "tool_config": "toolConfig",
    "generation_config": "generationConfig",
    "video_metadata": "which part of a video is meant",
    "scores": "scores other than 1 and 0",
    "columns": "columns or keys beside the rows",
}
"""Everything that may be lost if somebody says so."""


class Lost(msgspec.Struct, frozen=True, gc=False):
    """One thing that a row loses: its name among ``NAMES``, and where in the row it stands."""

    name: str
    path: str


Losses = Iterator[Lost]


class Inexpressible(ValueError):
    """The row cannot be written in the other form, whatever one is ready to lose."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def inexpressible(path: str, said: str) -> Inexpressible:
    """The row has no form there because of what stands at ``path``."""
    return Inexpressible(Finding("not_expressible", path, said))

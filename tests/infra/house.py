"""A checkout, or a copy of one, as its parts say it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import yaml

from tests.infra import hcl
from tests.infra.faults import Fault
from tuneway.local.manifest import Manifest


class House(msgspec.Struct, frozen=True):
    """A checkout, or a copy of one."""

    root: Path

    @property
    def infra(self) -> Path:
        """Its Terraform."""
        return self.root / "infra"

    @property
    def file(self) -> Path:
        """Its manifest."""
        return self.root / "functions/manifest.yaml"

    def manifest(self) -> Manifest:
        """What its manifest says."""
        return msgspec.convert(yaml.safe_load(self.file.read_bytes()), Manifest)

    def line(self, function: str, field: str) -> int:
        """Where the manifest says it."""
        start = hcl.line_of(self.file, rf"^  {function}:")
        end = hcl.line_of(self.file, r"^(  \w+:|\S)", after=start + 1)
        line = hcl.line_of(self.file, rf"^    {field}:", after=start)
        return line if line < end or end == start + 1 else start


Check = Callable[[House], Iterator[Fault]]

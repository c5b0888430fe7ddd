"""The schema is read from the provider's bindings as they are written."""

import runpy
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.infra.faults import ROOT

REFRESH = runpy.run_path(str(ROOT / "infra/schema/refresh.py"))
BINDINGS = """
class Shelf(_cdktf.TerraformResource, metaclass=jsii.JSIIMeta):
    @builtins.property
    def books(self) -> "ShelfBooksList": ...
    @builtins.property
    def name_input(self) -> typing.Optional[builtins.str]: ...
    @builtins.property
    def name(self) -> builtins.str: ...
    @builtins.property
    def etag(self) -> builtins.str: ...
    @builtins.property
    def seen(self) -> "ShelfSeenList": ...
    def reset_name(self) -> None: ...

class ShelfConfig(_cdktf.TerraformMetaArguments):
    def __init__(
        self,
        *,
        provisioners: typing.Optional[typing.Sequence[typing.Any]] = None,
        name: builtins.str,
        books: typing.Union[_cdktf.IResolvable, typing.Sequence[typing.Union["ShelfBooks", typing.Dict[builtins.str, typing.Any]]]],
        id: typing.Optional[builtins.str] = None,
        import_: typing.Optional[typing.Union[builtins.bool, _cdktf.IResolvable]] = None,
        labels: typing.Optional[typing.Mapping[builtins.str, builtins.str]] = None,
        width: typing.Optional[jsii.Number] = None,
        lamp: typing.Optional[typing.Union["ShelfLamp", typing.Dict[builtins.str, typing.Any]]] = None,
    ) -> None: ...

class ShelfBooks:
    def __init__(self, *, id: builtins.str, tags: typing.Optional[typing.Sequence[builtins.str]] = None) -> None: ...

class ShelfBooksOutputReference(_cdktf.ComplexObject):
    @builtins.property
    def uri(self) -> builtins.str: ...

class ShelfLamp:
    def __init__(self, *, watts: jsii.Number) -> None: ...

class ShelfSeenList(_cdktf.ComplexList): ...

class ShelfSeenOutputReference(_cdktf.ComplexObject):
    @builtins.property
    def when(self) -> builtins.str: ...
    @builtins.property
    def fqn(self) -> builtins.str: ...
"""  # noqa: E501  # the bindings' own lines


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "cdktf_cdktf_provider_google-16.12.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cdktf_cdktf_provider_google/shelf/__init__.py", BINDINGS)
        about = "# CDKTF prebuilt bindings for hashicorp/google provider version 6.50.0\n"
        archive.writestr("cdktf_cdktf_provider_google-16.12.1.dist-info/METADATA", about)
    return path


def _extracted(wheel: Path, *wanted: tuple[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = REFRESH["extracted"](wheel, set(wanted))
    return found


def test_attributes_blocks_and_what_is_made_up_are_told_apart(wheel: Path) -> None:
    shelf = _extracted(wheel, ("resource", "google_shelf"))["resource"]["google_shelf"]
    assert shelf["attributes"] == {
        "name": {"type": "string", "required": True},
        "import": {"type": "bool", "required": False},
        "labels": {"type": "map(string)", "required": False},
        "width": {"type": "number", "required": False},
    }
    assert {name: (block["required"], block["many"]) for name, block in shelf["blocks"].items()} == {
        "books": (True, True),
        "lamp": (False, False),
    }
    assert shelf["computed"] == {"etag": "string", "seen": {"when": "string"}}


def test_an_id_in_a_block_is_the_blocks_own(wheel: Path) -> None:
    books = _extracted(wheel, ("resource", "google_shelf"))["resource"]["google_shelf"]["blocks"]["books"]
    assert books["attributes"]["id"] == {"type": "string", "required": True}
    assert books["attributes"]["tags"]["type"] == "list(string)"
    assert books["computed"] == {"uri": "string"}


def test_the_version_is_the_providers_not_the_bindings(wheel: Path) -> None:
    found = _extracted(wheel)
    assert (found["version"], found["source"]) == ("6.50.0", "cdktf_cdktf_provider_google-16.12.1")


def test_a_resource_that_the_provider_does_not_have_is_an_error(wheel: Path) -> None:
    with pytest.raises(KeyError, match="table"):
        _extracted(wheel, ("resource", "google_table"))


def test_what_is_used_is_found_in_every_module() -> None:
    used: set[tuple[str, str]] = REFRESH["used"](ROOT / "infra")
    assert {
        ("resource", "google_pubsub_topic"),
        ("resource", "google_kms_key_ring"),
        ("data", "google_project"),
    } <= used

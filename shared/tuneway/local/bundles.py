"""Bundle a function for its platform: ``main.py``, the modules it can reach, and its own pins.

The runtime puts the bundle's folder at the end of ``sys.path``, so a package of our name among the dependencies would
win over the modules beside ``main.py``: such a dependency is refused.
"""

import ast
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tuneway.errors import BadInput, NotFound
from tuneway.local.manifest import FUNCTIONS, ROOT, load

PACKAGE = "tuneway"
SOURCE = ROOT / "shared"
NEVER_PACKAGED = ("tuneway.local", "tuneway.cli", "tuneway.api", "tuneway.litellm_provider")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date a zip can hold: equal content gives equal bytes
PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*==", re.MULTILINE)


def bundle_all(destination: Path) -> list[Path]:
    """Bundle every function of the manifest into ``destination``; the zips' paths."""
    return [bundle(name, destination) for name in load().functions]


def bundle(function: str, destination: Path) -> Path:
    """Write ``<destination>/<function>/`` and ``<function>.zip`` anew; the zip's path. Raises NotFound, BadInput."""
    main = FUNCTIONS / function / "main.py"
    if not main.is_file():
        raise NotFound(f"There is no function '{function}' in {FUNCTIONS.name}/.")
    pins = (ROOT / "requirements" / f"{function}.txt").read_text()
    _refuse_namesake(pins)
    folder = destination / function
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(main, folder / "main.py")
    (folder / "requirements.txt").write_text(pins)
    for source in sorted(reachable(main)):
        target = folder / source.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return _zipped(folder, destination / f"{function}.zip")


def reachable(main: Path) -> set[Path]:
    """The package's files that ``main`` reaches by imports, and the data files named like a reached module."""
    seen: set[Path] = set()
    waiting = [main]
    while waiting:
        path = waiting.pop()
        for found in _imported(path) - seen:
            seen.add(found)
            waiting.append(found)
    return seen | {data for path in seen for data in _data_beside(path)}


def _imported(path: Path) -> set[Path]:
    modules = {module for node in _run(ast.parse(path.read_text())) for module in _names(node)}
    for module in modules:
        if module.startswith(NEVER_PACKAGED):
            raise BadInput(f"{path.name} imports {module}, which is never packaged.")
    return {file for module in modules for file in _files(module)}


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that are run: what only type checkers read needs not be there."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=otherwise):
                waiting += otherwise
            case _:
                waiting += ast.iter_child_nodes(node)


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names if _ours(alias.name))
        case ast.ImportFrom(module=str(module), names=names) if _ours(module):
            yield module
            # ``from package import module`` names a module; any other name is no file and is passed over.
            yield from (f"{module}.{alias.name}" for alias in names)
        case _:
            return


def _ours(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


def _files(module: str) -> Iterator[Path]:
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        place = SOURCE.joinpath(*parts[:depth])
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                yield file


def _data_beside(path: Path) -> Iterator[Path]:
    return (other for other in path.parent.glob(f"{path.stem}.*") if other.suffix not in {".py", ".pyc"})


def _refuse_namesake(pins: str) -> None:
    if PACKAGE in {match["name"].lower() for match in PIN.finditer(pins)}:
        raise BadInput(f"A dependency named '{PACKAGE}' would hide the modules in the bundle. Remove it.")


def _zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(file for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return target

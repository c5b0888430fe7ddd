"""Data by value in a message: ``data:`` URLs, base64, and what a file's name says of its type."""

import binascii
import re

from tuneway.errors import BadInput

DATA_URL = re.compile(r"data:(?P<mime>[\w.+-]+/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,(?P<data>.*)", re.DOTALL)
# Types that are often written otherwise; hosts know them by their registered name alone.
_REGISTERED = {"image/jpg": "image/jpeg"}
_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "md": "text/markdown",
}


def base64_bytes(data: str, *, param: str) -> bytes:
    """What the text holds. Raises BadInput naming ``param``."""
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except (binascii.Error, ValueError) as exc:
        raise BadInput(f"The data is not valid base64: {exc}.", param=param, code="invalid_value") from exc


def registered(mime: str) -> str:
    """A type as it is registered, whatever its letters and spelling."""
    lower = mime.lower()
    return _REGISTERED.get(lower, lower)


def type_by_name(name: str, default: str) -> str:
    """The type that a file's name or address announces."""
    path = name.partition("?")[0].partition("#")[0]
    return _TYPES.get(path.rpartition(".")[2].lower(), default)

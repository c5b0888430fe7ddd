"""Files that nobody here reads, told by their first bytes: other encodings, other packings, spreadsheets."""

import re

from tuneway.tuning.datasets.report import Finding

# Text of ASCII letters in UTF-16 or UTF-32 has a zero beside each letter, which no file in UTF-8 begins with.
_WIDE = re.compile(rb"\xff\xfe|\xfe\xff|\0\0\xfe\xff|\0{1,3}[\x20-\x7e]\0|[\x20-\x7e]\0")
_WIDER = re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff|\0{3}[\x20-\x7e]|[\x20-\x7e]\0{3}")
_PACKED: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive, as an Excel file (.xlsx) is too"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file, such as .xls"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ\0", "packed with xz"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"ARROW1\0\0", "an Arrow (Feather) file"),
    (b"%PDF-", "a PDF"),
)


def stranger(start: bytes) -> Finding | None:
    """What the file is instead of one that can be read; None when nothing speaks against it."""
    if _WIDE.match(start):
        return Finding("not_utf8", "$", f"The file is {'UTF-32' if _WIDER.match(start) else 'UTF-16'}.")
    said = next((said for magic, said in _PACKED if start.startswith(magic)), None)
    return None if said is None else Finding("foreign_file", "$", f"The file is {said}.")

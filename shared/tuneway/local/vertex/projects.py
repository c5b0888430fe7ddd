"""Projects have a name and a number; here the number is made from the name."""

import zlib


def project_number(project: str) -> str:
    """Twelve digits, the same ones for the same project; a number stays what it is."""
    return project if project.isdecimal() else f"1{zlib.crc32(project.encode()):011d}"

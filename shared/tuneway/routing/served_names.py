"""What hosts call the models that people name without a version: ``codestral`` is ``codestral-2`` on Vertex AI.

One dated row a host, in ``served_names.json`` beside this file. A name that says its version is left as it is, and so
is one that no row knows. A route says which version it means by naming it.
"""

from collections.abc import Mapping
from importlib.resources import files

import msgspec


class _Names(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By the family's name; ``source`` says where the served names are written."""

    source: str
    names: Mapping[str, str]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hosts are publishers on Vertex AI (``mistralai``) and vendors (``mistral``)."""

    as_of: str
    hosts: Mapping[str, _Names]


_HOSTS = msgspec.json.decode(files("tuneway.routing").joinpath("served_names.json").read_bytes(), type=_Table).hosts
_ON_VERTEX = "mistralai"


def served_name(host: str, name: str) -> str:
    """The name under which ``host`` serves what a caller calls ``name``."""
    row = _HOSTS.get(host)
    return name if row is None else row.names.get(name, name)


def publisher_of(name: str) -> str | None:
    """Who publishes, on Vertex AI, a model that is named without anything else; None where nobody is known to.

    ``codestral``, ``codestral@2405`` and ``codestral-2`` are such names.
    """
    known = _HOSTS[_ON_VERTEX].names
    family = name.partition("@")[0]
    return _ON_VERTEX if family in known or name in known.values() else None

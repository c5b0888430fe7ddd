"""What OpenAI-compatible servers do their own way, as data: one row a server, in ``servers.json`` beside this file.

A target's ``profile`` names its row; without one the row follows from where the target is served. Adding a server is
adding a row.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from tuneway.prediction.profiles import Profile, profile_of, rows
from tuneway.routing.routes import Target

_FAMILIES = {"mistralai": "mistral", "ai21": "mistral"}
_BY_PROVIDER = {"azure": "azure", "openai": "openai", "vertex": "vertex"}


# How a server has a part that it knows under another form (``spoken.py``).
Form = Literal["document_url", "sound_text"]
# What an id of a tool call may look like.
Ids = Literal["any", "nine letters or digits"]


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server's ways; ``source`` says where they are written.

    - ``renamed``: fields it knows by another name; ``refused``: fields it would not see, or ignore
    - ``hints``: fields it does not take and that change no answer; ``neutral``: values it refuses but that ask for
      what it does anyway; ``efforts``: its nearest word for a ``reasoning_effort`` that it does not know
    - ``roles``: roles of messages it knows by another name; ``foreign``: their fields that it chokes on and that tell
      a model nothing
    - ``call_ids``: what it wants the ids of tool calls to look like
    - ``forms``: parts of messages that it has in another form; ``refused_parts``: those it does not have
    - ``usage``: whether a stream counts its tokens when ``asked`` to (``stream_options``), or ``always``; since which
      dated API it can be asked
    - ``completions``: whether ``/completions`` is ``passed`` on, is only for fill-in-the-middle, or is told as a chat
    - ``suffix``: whether the server fills in the middle itself, or has to be given the model's own template
    """

    source: str
    renamed: dict[str, str] = {}
    refused: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    neutral: dict[str, float] = {}
    efforts: dict[str, str] = {}
    roles: dict[str, str] = {}
    foreign: tuple[str, ...] = ()
    call_ids: Ids = "any"
    forms: dict[str, Form] = {}
    refused_parts: tuple[str, ...] = ()
    usage: Literal["asked", "always"] = "asked"
    usage_since: str = ""
    completions: Literal["passed", "fim", "chat"] = "passed"
    suffix: Literal["passed", "template"] = "passed"


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    as_of: str
    servers: dict[str, Server]


SERVERS = msgspec.json.decode(
    files("tuneway.prediction.dialects.openai").joinpath("servers.json").read_bytes(), type=_Table
).servers


@lru_cache(maxsize=1024)
def server_of(target: Target) -> Server:
    """The row of a target: its profile's, else its publisher's or provider's, else the plain one."""
    named = target.profile or _FAMILIES.get(_publisher(target)) or _BY_PROVIDER.get(target.provider, "plain")
    return SERVERS.get(named) or SERVERS[_BY_PROVIDER.get(target.provider, "plain")]


@lru_cache(maxsize=1024)
def family_of(target: Target) -> Profile:
    """What is known of the model itself; a ``profile`` that names only a server says nothing of it."""
    if target.profile in {row.name for row in rows()}:
        return profile_of(target)
    return profile_of(msgspec.structs.replace(target, profile=None))


def served_name(target: Target) -> str:
    """The model's name in the body: the target's own, or on Vertex AI the one its resource gives it.

    ``endpoints/openapi`` wants ``meta/llama-4-maas``, ``rawPredict`` the name without its version
    (``codestral`` for ``codestral@2405``), an endpoint of one's own whatever it serves ("").
    """
    if target.model or not (publisher := _publisher(target)):
        return target.model
    model = target.resource.rpartition("/")[2]
    return model.partition("@")[0] if publisher in _FAMILIES else f"{publisher}/{model}"


def counts_when_asked(server: Server, target: Target) -> bool:
    """Whether a stream is to be asked for its usage."""
    return server.usage == "asked" and (target.api_version or "9999") >= server.usage_since


def _publisher(target: Target) -> str:
    """``mistralai`` of ``…/publishers/mistralai/models/codestral@2405``; nothing for any other resource."""
    parts = target.resource.split("/")
    return parts[parts.index("publishers") + 1] if "publishers" in parts[:-1] else ""

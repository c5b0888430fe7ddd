"""What became of each value of a LiteLLM configuration: one line a value, with secrets out of sight."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import cast

import msgspec

REFERENCE = "os.environ/"
_SECRET_NAME = re.compile(r"key|secret|password|token|credential|salt|authorization|database_url|dsn", re.IGNORECASE)
_HARMLESS = re.compile(
    r".*(max|input|output|limit|per|cost|count|_name)_?(?:token|key)s?.*|.*tokens.*|.*credential_name"
)
_SECRET_VALUE = re.compile(
    r"sk-|AKIA|ASIA|AIza|ghp_|hf_|xox|ya29\.|-----BEGIN|eyJ|[a-z+]+://(?:[^/\s]*@|[^?#]*[?#])", re.IGNORECASE
)
_HIDDEN = "***"
_LONGEST = 200


class Fate(StrEnum):
    """What became of a value. Only what is refused stands in the way of the import."""

    TAKEN = "taken"  # it means here what it means there
    TRANSLATED = "translated"  # it is said here in another way, which ``became`` tells
    LEFT_OUT = "left_out"  # it changes no call, or is set elsewhere
    REFUSED = "refused"  # a mistake, or a promise that could not be kept


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value of the configuration, at ``path`` such as ``model_list[0].litellm_params.api_key``."""

    path: str
    value: object
    fate: Fate
    became: str = ""
    remedy: str = ""


class Notes:
    """Collects the lines of one reading, in the order in which they are written."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def took(self, path: str, value: object, *words: str) -> None:
        """The value is taken as it is; ``words`` are what became of it and, perhaps, what to do."""
        self._write(path, value, Fate.TAKEN, *words)

    def translated(self, path: str, value: object, *words: str) -> None:
        """The value is said in another way."""
        self._write(path, value, Fate.TRANSLATED, *words)

    def left(self, path: str, value: object, *words: str) -> None:
        """The value has no part in calls here."""
        self._write(path, value, Fate.LEFT_OUT, *words)

    def refused(self, path: str, value: object, *words: str) -> None:
        """The value cannot be taken; ``words`` are the fault and the remedy."""
        self._write(path, value, Fate.REFUSED, *words)

    def _write(self, path: str, value: object, fate: Fate, *words: str) -> None:
        became, remedy = (*words, "", "")[:2]
        self.lines.append(Line(path=path, value=shown(path, value), fate=fate, became=became, remedy=remedy))


def mapping(value: object) -> Mapping[str, object] | None:
    """The value, if it is a mapping; its keys as text."""
    if not isinstance(value, Mapping):
        return None
    return {str(name): one for name, one in cast("Mapping[object, object]", value).items()}


def below(value: object) -> Mapping[str, object] | None:
    """The value, if it is a mapping; an absent one is empty."""
    return mapping({} if value is None else value)


def sequence(value: object) -> list[object] | None:
    """The value, if it is a list."""
    return list(cast("list[object]", value)) if isinstance(value, list | tuple) else None


def shown(path: str, value: object) -> object:
    """The value as a report may show it: no key, password or credential, and nothing endless."""
    name = path.rpartition(".")[2]
    if (inside := mapping(value)) is not None:
        return {key: shown(f"{path}.{key}", one) for key, one in inside.items()}
    if (many := sequence(value)) is not None:
        return [shown(path, one) for one in many]
    if _is_hidden(name, value):
        return _HIDDEN
    return value[: _LONGEST - 1] + "…" if isinstance(value, str) and len(value) > _LONGEST else value


def _is_hidden(name: str, value: object) -> bool:
    if value is None or isinstance(value, bool) or (isinstance(value, str) and value.startswith(REFERENCE)):
        return False
    return _is_secret_name(name) or (isinstance(value, str) and _SECRET_VALUE.match(value) is not None)


def meant(name: str, known: Iterable[str]) -> str:
    """The remedy for a name that nobody knows: the one that was probably meant."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"Did you mean '{near[0]}'?" if near else "Take it out of the file."


def _is_secret_name(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS.fullmatch(name)

"""Safe mends of one row: each changes nothing that a model would learn, and says what it changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from tuneway.tuning.datasets.faults import nearest
from tuneway.tuning.datasets.report import excerpt

Json = dict[str, object]

_encode = msgspec.json.encode


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What was mended at ``path``; an empty ``after`` means that it was dropped. Secrets are masked."""

    rule: str
    path: str
    before: str
    after: str = ""


class _Words(msgspec.Struct, frozen=True):
    """How a form speaks of turns: its roles, other names for them, who instructs, and what a turn holds."""

    roles: tuple[str, ...]
    meant: Mapping[str, str]
    instructs: tuple[str, ...]
    silent: Callable[[Json], bool]


def mended(row: Json) -> tuple[Json, list[Change]]:
    """The row with what is safe to mend mended, and the changes; the row itself when there are none."""
    changes: list[Change] = []
    for place, words in _PLACES:
        row, made = _conversation(row, place, words)
        changes += made
    return row, changes


def _conversation(row: Json, place: Sequence[str], words: _Words) -> tuple[Json, list[Change]]:
    key, *deeper = place
    if deeper:
        inner = row.get(key)
        if not isinstance(inner, dict):
            return row, []
        changed, changes = _conversation(msgspec.convert(inner, Json), deeper, words)
        return ({**row, key: changed} if changes else row), _under(key, changes)
    try:
        turns = msgspec.convert(row.get(key), list[Json])
    except msgspec.ValidationError:
        return row, []
    kept, changes = _turns(turns, words)
    return ({**row, key: kept} if changes else row), _under(key, changes)


def _under(key: str, changes: Sequence[Change]) -> list[Change]:
    joint = "" if changes and changes[0].path.startswith("[") else "."
    return [msgspec.structs.replace(change, path=f"{key}{joint}{change.path}") for change in changes]


def _turns(turns: Sequence[Json], words: _Words) -> tuple[list[Json], list[Change]]:
    renamed = [_renamed(turn, words) for turn in turns]
    changes = [
        Change(rule=_rule(turn), path=f"[{place}].role", before=_shown(turn.get("role")), after=_shown(after["role"]))
        for place, (turn, after) in enumerate(zip(turns, renamed, strict=True))
        if after is not turn
    ]
    dropped = set(_dropped(renamed, words))
    changes += [
        Change(rule="empty_content", path=f"[{place}]", before=_shown(turns[place])) for place in sorted(dropped)
    ]
    return [turn for place, turn in enumerate(renamed) if place not in dropped], changes


def _rule(turn: Json) -> str:
    return "developer_role" if turn.get("role") == "developer" else "unknown_role"


def _renamed(turn: Json, words: _Words) -> Json:
    role = turn.get("role")
    if not isinstance(role, str) or role in words.roles:
        return turn
    plain = role.strip().lower()
    meant = words.meant.get(plain) or nearest(plain, words.roles)
    return {**turn, "role": meant} if meant else turn


def _dropped(turns: Sequence[Json], words: _Words) -> Iterator[int]:
    """Blank instructions anywhere, and blank turns at the end; never all of a row."""
    yield from (place for place, turn in enumerate(turns) if turn.get("role") in words.instructs and words.silent(turn))
    for place in range(len(turns) - 1, 0, -1):
        if not words.silent(turns[place]):
            return
        yield place


def _shown(value: object) -> str:
    return excerpt(value if isinstance(value, str) else _encode(value).decode())


def _silent_message(turn: Json) -> bool:
    """Nothing is said, nothing called, nothing refused."""
    if turn.keys() - {"role", "content", "name", "weight"}:
        return False
    return "content" in turn and _blank(turn["content"])


def _silent_content(turn: Json) -> bool:
    if turn.keys() - {"role", "parts"}:
        return False
    try:
        parts = msgspec.convert(turn.get("parts"), list[Json])
    except msgspec.ValidationError:
        return False
    return all(part.keys() == {"text"} and _blank(part["text"]) for part in parts)


def _blank(content: object) -> bool:
    return content is None or content == [] or (isinstance(content, str) and not content.strip())


_CHAT = _Words(
    roles=("system", "user", "assistant", "tool"),
    meant={
        "developer": "system",
        "human": "user",
        "gpt": "assistant",
        "bot": "assistant",
        "model": "assistant",
        "ai": "assistant",
    },
    instructs=("system",),
    silent=_silent_message,
)
_GEMINI = _Words(
    roles=("user", "model", "function"),
    meant={"human": "user", "assistant": "model", "bot": "model", "gpt": "model", "ai": "model"},
    instructs=(),
    silent=_silent_content,
)
_PLACES: tuple[tuple[tuple[str, ...], _Words], ...] = (
    (("messages",), _CHAT),
    (("input", "messages"), _CHAT),
    (("contents",), _GEMINI),
)

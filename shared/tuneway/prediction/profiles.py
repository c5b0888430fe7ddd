"""What a target's model takes and says, as data: dated rows with their sources, laid over each other.

The rows stand in ``profiles.json``. A row applies when its ``dialect`` and ``provider`` are the target's and one of its
``models`` (patterns) is the model's name; what it does not state, the rows before it do. Rows run from the general to
the particular, so the last word is the family's. A row without any of the three applies only where a route's
``profile`` names it, and a named row always comes last: that is how an alias whose served name says nothing (an Azure
deployment, a vLLM server, a tuned endpoint) gets its quirks.
"""

from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from tuneway.errors import BadInput
from tuneway.prediction.hub.request import Effort
from tuneway.routing.routes import Dialect, Provider, Target

# How ``reasoning_effort`` is told: not at all, in OpenAI's word, as Claude's adaptive thinking with an effort, as a
# number of tokens, or as Gemini's level.
Reasoning = Literal["none", "effort", "adaptive", "budget", "level"]
ThinkingOff = Literal["disabled", "between_tools", "omit", "impossible"]
ToolChoiceForm = Literal["auto", "none", "required", "named"]
LimitField = Literal["max_tokens", "max_completion_tokens"]
ReasoningField = Literal["reasoning_content", "reasoning"]
# The first version of Anthropic's API that refuses temperature, top_p and top_k, whatever the model.
UNSAMPLED_SINCE = "2026-10-21"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a target's model.

    ``several_choices`` says whether it gives more than one in a call; where not, it is called as often.
    ``default_max_tokens`` is sent where a host demands a limit and the caller set none; ``sampling`` whether
    temperature, top_p and top_k are taken at all; ``either_temperature_or_top_p`` that both at once are refused,
    ``top_k_path`` where Converse's additional fields hold top_k, ``cache_points`` whether it takes these.
    ``budgets`` and ``efforts`` say a ``reasoning_effort`` in the model's numbers and words, ``thinking_off`` how
    "none" is said. ``json_schema`` and ``strict_tools`` are there where the host keeps to a schema by itself.
    ``embeds_content`` says that an embedding model is called by ``embedContent``, not by ``predict``.
    ``signed_calls`` says that a call which comes back without its thought signature is refused.
    ``unsupported`` are request parameters to refuse by name. ``limit_field`` and ``reasoning_field`` are OpenAI-like
    hosts' names. ``anthropic_version`` and ``betas`` go where the provider puts them (a header, or the body).
    """

    name: str = ""
    several_choices: bool = True
    default_max_tokens: int | None = None
    max_output_tokens: int | None = None
    sampling: bool = True
    max_temperature: float = 2.0
    either_temperature_or_top_p: bool = False
    top_k_path: tuple[str, ...] = ("top_k",)
    cache_points: bool = False
    reasoning: Reasoning = "effort"
    budgets: Mapping[Effort, int] = {}
    efforts: Mapping[Effort, str] = {}
    thinking_off: ThinkingOff = "omit"
    limit_field: LimitField = "max_tokens"
    reasoning_field: ReasoningField = "reasoning_content"
    json_schema: bool = True
    strict_tools: bool = True
    tools: bool = True
    tool_choices: tuple[ToolChoiceForm, ...] = ("auto", "none", "required", "named")
    system: bool = True
    signed_calls: bool = False
    embeds_content: bool = False
    unsupported: tuple[str, ...] = ()
    anthropic_version: str = ""
    betas: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One family's particulars; ``verified`` is false where the source is hearsay or memory."""

    name: str
    source: str
    as_of: date
    verified: bool = False
    dialect: Dialect | None = None
    provider: Provider | None = None
    models: tuple[str, ...] = ()
    says: dict[str, object]

    @property
    def named_only(self) -> bool:
        """Whether it applies only where a route names it."""
        return self.dialect is None and self.provider is None and not self.models


@cache
def rows() -> tuple[Row, ...]:
    """The rows that come with this version of tuneway, from the general to the particular."""
    return msgspec.json.decode(files("tuneway.prediction").joinpath("profiles.json").read_bytes(), type=tuple[Row, ...])


@lru_cache(maxsize=1024)
def profile_of(target: Target) -> Profile:
    """The target's profile. Raises BadInput when the route names a profile that does not exist."""
    applying = [row for row in rows() if _applies(row, target)]
    if target.profile is not None:
        applying.append(_named(target.profile))
    says = {name: value for row in applying for name, value in row.says.items()}
    name = applying[-1].name if applying else ""
    return _dated(msgspec.convert({**says, "name": name}, Profile), target)


def model_name(target: Target) -> str:
    """The model's own name, as its host knows it: ``claude-sonnet-5-5@default``."""
    return target.model or target.resource.rpartition("/")[2]


def _applies(row: Row, target: Target) -> bool:
    if row.named_only or row.dialect not in (None, target.dialect) or row.provider not in (None, target.provider):
        return False
    name = model_name(target).lower()
    return not row.models or any(fnmatchcase(name, pattern) for pattern in row.models)


def _named(name: str) -> Row:
    for row in rows():
        if row.name == name:
            return row
    known = ", ".join(row.name for row in rows())
    raise BadInput(f"There is no profile '{name[:100]}'. Use one of: {known}.", param="profile", code="invalid_value")


def _dated(profile: Profile, target: Target) -> Profile:
    """A route's own ``api_version`` of Anthropic's API, and what that version takes."""
    if target.dialect != "anthropic":
        return profile
    version = target.api_version or profile.anthropic_version
    sampling = profile.sampling and version.removeprefix("vertex-").removeprefix("bedrock-") < UNSAMPLED_SINCE
    return msgspec.structs.replace(profile, anthropic_version=version, sampling=sampling)

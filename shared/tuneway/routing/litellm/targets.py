"""An entry's target: LiteLLM's parameters, said as an identifier and what it leaves open."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import msgspec

from tuneway.errors import BadInput
from tuneway.routing.identifiers import Alias, HostedModel, VertexIdentifier, parse
from tuneway.routing.litellm.entry import Entry
from tuneway.routing.litellm.parameters import DROPPED, IDENTITIES, PROVEN
from tuneway.routing.litellm.providers import PREFIXES, Prefix, split
from tuneway.routing.litellm.report import REFERENCE
from tuneway.routing.routes import Dialect, Target
from tuneway.routing.targets import Defaults, Place, target_of

Settle = Callable[[Target, VertexIdentifier | HostedModel], Target]
WILD = "any-model-there"  # stands in for ``*`` while the rest of an entry is read
_OPENAI = "api.openai.com"
_VERTEX_HOST = re.compile(r"[a-z0-9-]+-aiplatform\.googleapis\.com|aiplatform\.googleapis\.com")
_SPOKEN: dict[str, Dialect | None] = {"converse": None, "converse_like": None, "invoke": "anthropic"}
_MORE = re.compile(r"[?#]|//[^/]*@")  # a query, or a user: what stands there is often a key
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an entry once its model's name is split."""

    row: Prefix
    provider: str
    model: str
    defaults: Defaults
    exact: bool


def target_in(entry: Entry, defaults: Defaults, *, settle: Settle, exact: bool) -> Target | None:
    """The target of ``litellm_params``; None when something in them was refused.

    ``settle`` finds out what an endpoint speaks, where its identifier leaves that open, and refuses what could never
    be called. An ``exact`` entry was exported here: nothing of the installation's own stands in for anything in it.
    """
    name = _model(entry)
    if name is None:
        if not entry.failed:
            entry.refuse("model", "The entry names no model.", "Write litellm_params.model: provider/model.")
        return None
    provider, model = split(name.replace("*", WILD), entry.text("custom_llm_provider"))
    row = PREFIXES.get(provider)
    if row is None:
        _unknown(entry, provider)
        return None
    try:
        told = _Told(row=row, provider=provider, model=model, defaults=Defaults() if exact else defaults, exact=exact)
        return _target(entry, told, settle)
    except BadInput as fault:
        fact, _, rest = fault.message.partition(", and this installation")
        remedy = "Write api_base, or aws_region_name for Bedrock." if rest else "Correct the entry."
        entry.refuse("model", f"{fact}." if rest else fact, remedy)
        return None


def _model(entry: Entry) -> str | None:
    """The model's name; its line is written once it is known what that is here."""
    given = entry.values.get("model")
    if not isinstance(given, str) or not given.strip() or given.startswith(REFERENCE):
        return entry.text("model")
    return str(entry.raw("model")).strip()


def _tell_model(entry: Entry, row: Prefix, told: _Told) -> None:
    given = str(entry.values["model"])
    if given.startswith(REFERENCE):
        return
    if row.vendor == told.provider and given.startswith(f"{told.provider}/"):
        entry.notes.took(entry.at("model"), given)
        return
    profile = f", profile {row.profile}" if row.profile else ""
    became = f"{row.vendor}/{_full(row, told.model)}{profile}".replace(WILD, "*")
    entry.notes.translated(entry.at("model"), given, became)


def _unknown(entry: Entry, provider: str) -> None:
    known = ", ".join(sorted(PREFIXES))
    remedy = f"Write provider/model; the providers are {known}. A server with OpenAI's API is custom_openai."
    fact = f"The provider '{provider[:60]}' is not called here." if provider else "The name does not say its provider."
    entry.refuse("model", fact, remedy)


def _target(entry: Entry, told: _Told, settle: Settle) -> Target | None:
    base_url, region = _base_url(entry), _region(entry)
    row = _own_server(told.row, base_url)
    _tell_model(entry, row, told)
    model, dialect = _bedrock_words(entry, told.model) if row.vendor == "bedrock" else (told.model, None)
    known = told.defaults.places.get(row.vendor, Place())
    place = _place(entry, row, known, base_url=base_url, region=region)
    identifier = parse(f"{row.vendor}/{_full(row, model)}")
    host = _dedicated(entry, base_url) if row.vendor == "vertex_ai" and base_url else None
    defaults = _over(entry, told.defaults, {row.vendor: place})
    if isinstance(identifier, Alias) or not entry.whole():
        return None
    target = target_of(identifier, defaults)
    target = msgspec.structs.replace(
        target, dialect=dialect or target.dialect, profile=row.profile, host=host or target.host
    )
    target = msgspec.structs.replace(target, drop_params=_dropped(entry, target.dialect))
    if not entry.whole():
        return None
    return target if told.exact else settle(target, identifier)


def _over(entry: Entry, defaults: Defaults, places: Mapping[str, Place]) -> Defaults:
    """The defaults with what the entry says over them."""
    return Defaults(
        project=_vertex(entry, "project") or defaults.project,
        location=_vertex(entry, "location") or defaults.location,
        places={**defaults.places, **places},
    )


def _base_url(entry: Entry) -> str | None:
    for name in ("aws_bedrock_runtime_endpoint", "base_url", "api_base"):
        if entry.has(name):
            return _address(entry, name)
    return None


def _address(entry: Entry, name: str) -> str | None:
    if not _has_more(entry.values.get(name)):
        found = entry.text(name, "base_url")
        if not _has_more(found):
            return found
    entry.refuse(
        name,
        "The address holds a query or a user, and what stands there is often a key.",
        "Write where the API begins alone (https://host/v1); a key goes into api_key: os.environ/NAME.",
    )
    return None


def _has_more(address: object) -> bool:
    return isinstance(address, str) and _MORE.search(address) is not None


def _region(entry: Entry) -> str | None:
    for name in ("region_name", "aws_region_name"):
        if entry.has(name):
            return entry.text(name, "region")
    return None


def _vertex(entry: Entry, what: str) -> str | None:
    names = (f"vertex_{what}", f"vertex_ai_{what}")
    named = next((name for name in names if name in entry.values), names[0])
    return entry.text(named, what) if entry.has(named) else None


def _own_server(row: Prefix, base_url: str | None) -> Prefix:
    """``openai/`` at another address is somebody's own server: its ways are not OpenAI's, and it may want no key."""
    if row.vendor == "openai" and base_url and urlsplit(base_url).hostname != _OPENAI:
        return Prefix(vendor="custom_openai")
    return row


def _full(row: Prefix, model: str) -> str:
    return model if not row.path or model.startswith("accounts/") else row.path + model


def _place(entry: Entry, row: Prefix, known: Place, *, base_url: str | None, region: str | None) -> Place:
    """Where it is and who calls: what the entry says, then LiteLLM's row, then the installation."""
    return Place(
        base_url=None if row.vendor == "vertex_ai" else base_url or row.base_url or known.base_url,
        region=region or known.region,
        api_version=entry.text("api_version") or known.api_version,
        secret=_secret(entry, row, base_url=base_url, known=known),
    )


def _secret(entry: Entry, row: Prefix, *, base_url: str | None, known: Place) -> str | None:
    """The reference to the key. An installation's own key goes to the installation's own address alone."""
    given = entry.secret("api_key")
    if given is not None:
        return given
    if row.key_variable:
        return f"env:{row.key_variable}"
    found = known.secret if base_url in {None, known.base_url} else None
    if (
        row.vendor == "azure"
        and entry.whole()
        and not found
        and not any(name in entry.values for name in IDENTITIES["azure"])
    ):
        became, _ = PROVEN["azure"]
        entry.notes.translated(entry.at("api_key"), None, became, "Or write api_key: os.environ/AZURE_API_KEY.")
    return found


def identities(entry: Entry) -> tuple[str, ...] | None:
    """Read who the entry says it is; the installation proves itself in its own way. The AWS keys it refers to."""
    signed: list[str] = []
    for vendor, names in IDENTITIES.items():
        for name in (one for one in names if entry.has(one)):
            if _is_literal(entry, name):
                entry.refuse(name, "A credential stands in the file itself.", PROVEN[vendor][1])
            else:
                value = entry.raw(name)
                entry.notes.translated(entry.at(name), value, *PROVEN[vendor])
                signed += [str(value)] if vendor == "bedrock" else []
    return tuple(signed) or None


def _is_literal(entry: Entry, name: str) -> bool:
    """Whether a secret stands there itself: neither a reference, nor the path of a file, nor a mere name."""
    value = entry.values.get(name)
    if not isinstance(value, str):
        return True
    open_names = {"tenant_id", "client_id", "azure_username"}
    return not (
        value.startswith("os.environ/") or name in open_names or (name.startswith("vertex") and "{" not in value)
    )


def _bedrock_words(entry: Entry, model: str) -> tuple[str, Dialect | None]:
    """Bedrock's model and the words it is called in: LiteLLM puts the API before it, or the ARN beside it."""
    first, slash, rest = model.partition("/")
    dialect = _SPOKEN.get(first)
    if slash and first in _SPOKEN:
        model = rest
    if dialect == "anthropic" and "claude" not in model:
        dialect = None
        entry.notes.translated(entry.at("model"), entry.values["model"], "called by Converse")
    return entry.text("model_id", "the model's ARN") or model, dialect


def _dedicated(entry: Entry, base_url: str) -> str | None:
    """The host of a dedicated endpoint; Vertex AI's own hosts follow from the location."""
    host = urlsplit(base_url).hostname or ""
    if _VERTEX_HOST.fullmatch(host):
        return None
    if host.endswith(".prediction.vertexai.goog"):
        return host
    entry.refuse("api_base", f"'{host[:120]}' is no host of Vertex AI.", "Leave api_base out, or use another provider.")
    return None


def _dropped(entry: Entry, dialect: Dialect) -> tuple[str, ...]:
    """``drop_params: true`` names what the dialect cannot express; ``additional_drop_params`` are names already."""
    wanted = DROPPED[dialect] if (flag := entry.flag("drop_params")) else ()
    if flag is not None and "drop_params" in entry.values:
        entry.notes.translated(entry.at("drop_params"), flag, "drop_params: " + (", ".join(wanted) or "none needed"))
    named = entry.names("additional_drop_params")
    nested = [name for name in named if not _PARAMETER.fullmatch(name)]
    if nested:
        entry.refuse("additional_drop_params", f"'{nested[0]}' is inside a parameter.", "Name whole parameters.")
    elif named:
        entry.notes.took(entry.at("additional_drop_params"), list(named), "drop_params")
    return tuple(dict.fromkeys((*wanted, *named)))

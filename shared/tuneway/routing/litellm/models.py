"""The entries of ``model_list``: each becomes a target, and those of one name a route."""

from collections.abc import Mapping

import msgspec

from tuneway.errors import BadInput
from tuneway.routing.identifiers import Alias, parse
from tuneway.routing.litellm.entry import Entry
from tuneway.routing.litellm.parameters import KNOWN, MODES, NO_PART, NO_SURFACE, PRICES, PROMISES, SENT, TAKEN
from tuneway.routing.litellm.report import Notes, below, mapping, meant
from tuneway.routing.litellm.settings import Ways, retries_of, seconds_of
from tuneway.routing.litellm.targets import WILD, Settle, identities, target_in
from tuneway.routing.references import is_reference
from tuneway.routing.routes import Target
from tuneway.routing.targets import Defaults, target_of

MOST_WEIGHT = 1_000_000.0
MOST_ORDER = 1_000.0
OURS = "tuneway"
_METRICS = ("weight", "rpm", "tpm")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that was read: its target and what it says of its route; ``own`` is what an export said of that."""

    alias: str
    path: str
    target: Target
    shares: Mapping[str, float] = {}
    retries: int | None = None
    total: float | None = None
    first: float | None = None
    cooldown: float | None = None
    owner: str | None = None
    signed: tuple[str, ...] | None = None
    own: Mapping[str, object] | None = None


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a reading knows besides the file: the installation, variables that are no secrets, credentials by name."""

    notes: Notes
    defaults: Defaults
    settle: Settle
    environment: Mapping[str, str]
    credentials: Mapping[str, Mapping[str, object]]
    ways: Ways


def draft(position: int, row: object, around: Surroundings) -> Draft | None:
    """One entry; None when it was refused, or makes no route because its name is an identifier already."""
    path, notes = f"model_list[{position}]", around.notes
    outer = mapping(row)
    params = mapping(outer.get("litellm_params")) if outer is not None else None
    if outer is None or params is None:
        notes.refused(path, row, "An entry has 'model_name' and 'litellm_params'.", "Write both.")
        return None
    head = Entry(path, outer, notes, environment=around.environment)
    head.raw("litellm_params")
    alias = head.raw("model_name")
    if not isinstance(alias, str) or not alias:
        head.refuse("model_name", "An entry has a name of its own.", "Write model_name: the name to call it by.")
    info = _info(head, around)
    params = {**{name: outer[name] for name in ("rpm", "tpm") if name in outer}, **params}
    for name in ("rpm", "tpm"):
        head.raw(name)
    for name in head.unread():
        head.refuse(name, "An entry has no such field.", meant(name, ("model_name", "litellm_params", "model_info")))
    inner = Entry(f"{path}.litellm_params", params, notes, environment=around.environment)
    inner.inherited = _everywhere(str(params.get("model", "")), around.ways)
    return _drafted(alias if isinstance(alias, str) else "", (head, inner, info), around)


def _everywhere(model: str, ways: Ways) -> dict[str, object]:
    """The settings of all models that an entry may say otherwise."""
    every: dict[str, object] = {"drop_params": ways.drop_params}
    if model.startswith("vertex_ai"):
        every |= {"vertex_project": ways.project, "vertex_location": ways.location}
    return {name: value for name, value in every.items() if value is not None}


def _info(head: Entry, around: Surroundings) -> Entry:
    given = head.raw("model_info")
    inside = below(given)
    if inside is None:
        head.refuse("model_info", "'model_info' is a mapping.", "Write model_info: {mode: chat}.")
    return Entry(head.at("model_info"), inside or {}, around.notes, environment=around.environment)


def _drafted(alias: str, parts: tuple[Entry, Entry, Entry], around: Surroundings) -> Draft | None:
    head, params, info = parts
    _credentials(params, around.credentials)
    own = _own(info)
    signed = identities(params)
    target = target_in(params, around.defaults, settle=around.settle, exact=own is not None)
    shares = _shares(params)
    order = params.number("order", least=0, most=MOST_ORDER)
    if order is not None:
        params.notes.took(params.at("order"), order, "order")
    retries = [retries_of(params, name) for name in ("max_retries", "num_retries")]
    total = seconds_of(params, "timeout", "timeouts.total")
    first = seconds_of(params, "stream_timeout", "timeouts.first")
    cooldown = seconds_of(params, "cooldown_time", "cooldown")
    owner = _about(info)
    _others(params, known=target is not None)
    if target is None or not alias or any(part.failed for part in parts):
        return None
    target = msgspec.structs.replace(target, order=int(order or 0))
    if own is not None:
        target = _overlaid(msgspec.structs.replace(target, weight=shares.get("weight", 1.0)), own, info)
        if target is None:
            return None
    return _named(
        Draft(
            alias=alias,
            path=head.path,
            target=target,
            shares=shares,
            retries=next((one for one in retries if one is not None), None),
            total=total,
            first=first,
            cooldown=cooldown,
            owner=owner,
            signed=signed,
            own=below(own.get("route")) if own is not None else None,
        ),
        head,
        around,
    )


def _credentials(params: Entry, known: Mapping[str, Mapping[str, object]]) -> None:
    """``litellm_credential_name`` puts the named values beside the entry's own, which stand before them."""
    name = params.raw("litellm_credential_name")
    if name is None:
        return
    values = known.get(str(name))
    if values is None:
        params.refuse("litellm_credential_name", "There is no such credential.", "Write it into credential_list.")
        return
    params.notes.translated(params.at("litellm_credential_name"), name, "the values of that credential")
    params.values = {**values, **params.values}


def _shares(params: Entry) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in _METRICS:
        most = MOST_WEIGHT if name == "weight" else 1e12
        value = params.number(name, least=0, most=most)
        if value is not None:
            found[name] = value
    return found


def _about(info: Entry) -> str | None:
    """What ``model_info`` says that matters here: what the model is for, and whose it is."""
    mode = info.raw("mode")
    if isinstance(mode, str) and mode in MODES:
        info.notes.took(info.at("mode"), mode)
    elif mode is not None:
        info.refuse("mode", f"Nothing here answers for '{str(mode)[:60]}'.", NO_SURFACE)
    owner = info.text("team_id", "owner")
    if info.has("access_groups"):
        info.refuse("access_groups", "A route has one owner, or all may call it.", "Write team_id: owner, or nothing.")
    info.leave(PRICES, "no price", "Write your own prices into TUNEWAY_PRICES_FILE.")
    info.leave(info.unread(), "no part of a call")
    return owner


def _others(params: Entry, *, known: bool) -> None:
    """What is left; where the provider is not ``known``, nobody asked for what would have been its own."""
    params.leave(PRICES, "no price", "Write your own prices into TUNEWAY_PRICES_FILE.")
    params.leave(NO_PART, "no part of a call")
    if known:
        params.leave(TAKEN, "no part of a call to this provider")
    for name in (one for one in params.unread() if one not in TAKEN):
        if name in PROMISES:
            if params.values[name]:
                params.refuse(name, "Nothing here does this.", PROMISES[name])
            else:
                params.leave((name,), "no part of a call")
        elif name in SENT:
            params.refuse(name, "No route adds parameters to a call.", "Send it from the application.")
        else:
            params.refuse(name, "LiteLLM's entries have no such parameter that is known here.", meant(name, KNOWN))


def _own(info: Entry) -> Mapping[str, object] | None:
    """What an export wrote of things that LiteLLM has no word for."""
    given = info.raw(OURS)
    own = mapping(given) if given is not None else None
    if given is not None and own is None:
        info.refuse(OURS, "'tuneway' is a mapping.", "Take it out, or export anew.")
    elif own is not None:
        info.notes.took(info.at(OURS), own, "as it was exported")
    return own


def _overlaid(target: Target, own: Mapping[str, object], info: Entry) -> Target | None:
    """The target with the exported fields. None when they are none of a target's."""
    fields = mapping(own.get("target", {}))
    if fields is None or not set(fields) <= set(Target.__struct_fields__) or not set(own) <= {"target", "route"}:
        info.refuse(OURS, "These are no fields of a target.", "Take 'tuneway' out, or export anew.")
        return None
    secret = fields.get("secret")
    if secret is not None and not is_reference(str(secret)):
        info.refuse(OURS, "'secret' is no reference.", "Write env:NAME or projects/…/secrets/…/versions/….")
        return None
    try:
        return msgspec.convert({**msgspec.structs.asdict(target), **fields}, Target)
    except msgspec.ValidationError as fault:
        info.refuse(OURS, f"A target cannot be so: {fault}.", "Take 'tuneway' out, or export anew.")
        return None


def _named(found: Draft, head: Entry, around: Surroundings) -> Draft | None:
    """The draft, when its name can be a route's; a name that is an identifier can be called without one."""
    name = found.alias
    if "*" in name or "/" in name:
        _by_identifier(found, head, around)
        return None
    if WILD in found.target.model or WILD in found.target.resource:
        head.refuse("model_name", "One name cannot stand for many models.", "Write one entry for each model.")
        return None
    try:
        if isinstance(parse(name), Alias):
            head.notes.took(head.at("model_name"), name, "alias")
            return found
    except BadInput:
        pass
    proposal = "".join(one if one.isalnum() or one in "._:@-" else "-" for one in name).strip("-.") or "model"
    head.refuse("model_name", "This cannot be an alias.", f"Call it '{proposal}' and tell those who use it.")
    return None


def _by_identifier(found: Draft, head: Entry, around: Surroundings) -> None:
    """``openai/gpt-5`` and ``openai/*`` need no route, where the installation knows that vendor's place and key."""
    vendor, _, rest = found.alias.partition("/")
    direct = _called_by_name(found.alias.replace("*", WILD), around.defaults)
    apart = (found.retries, found.total, found.first, found.cooldown, found.owner)
    if direct == found.target and apart == (None,) * len(apart) and ("*" not in rest or rest == "*"):
        became = "called by this name without a route, and without a route's retries and fallbacks"
        head.notes.translated(head.at("model_name"), found.alias, became)
        return
    remedy = "Give it a name without '/' and '*'"
    remedy += f", or set TUNEWAY_VENDORS for '{vendor}'." if vendor and vendor != "*" else ", one for each model."
    head.refuse("model_name", "An alias has no '/' and no '*'.", remedy)


def _called_by_name(name: str, defaults: Defaults) -> Target | None:
    """What a caller gets who writes this name; None where it is no identifier, or leads nowhere."""
    try:
        identifier = parse(name)
        return None if isinstance(identifier, Alias) else target_of(identifier, defaults)
    except BadInput:
        return None

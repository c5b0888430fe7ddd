"""LiteLLM's ``config.yaml`` as routes, and routes as such a file. What is written here imports as what it was."""

from collections.abc import Collection, Mapping

import msgspec

from tuneway.errors import BadInput
from tuneway.routing.identifiers import HostedModel, VertexIdentifier
from tuneway.routing.litellm.entry import Entry
from tuneway.routing.litellm.fallbacks import Links
from tuneway.routing.litellm.grouping import route_of
from tuneway.routing.litellm.models import Draft, Surroundings, draft
from tuneway.routing.litellm.report import REFERENCE, Fate, Line, Notes, below, mapping, meant, sequence
from tuneway.routing.litellm.settings import Ways, ways_in
from tuneway.routing.litellm.targets import Settle
from tuneway.routing.litellm.writing import exported as exported
from tuneway.routing.routes import Route, Target
from tuneway.routing.targets import Defaults

MOST_TARGETS = 64
_READ = ("model_list", "router_settings", "litellm_settings", "environment_variables", "credential_list")
_LEFT = frozenset(
    {
        "general_settings", "callback_settings", "mcp_servers", "mcp_tools", "files_settings", "finetune_settings",
        "vector_store_registry", "search_tools", "default_vertex_config", "assistant_settings", "prompts", "agent_list",
        "cost_config", "worker_registry", "vector_stores",
    }
)  # fmt: skip
_SERVES_NOTHING = "no part of a call: keys, databases and logs are the installation's own"


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration comes to: routes, and a line for every value in it.

    What was refused is in no route: its entry is left out, and a route without entries too.
    """

    routes: tuple[Route, ...]
    lines: tuple[Line, ...]

    @property
    def refused(self) -> tuple[Line, ...]:
        """What stands in the way of importing all of it."""
        return tuple(line for line in self.lines if line.fate is Fate.REFUSED)


def _as_named(target: Target, _: VertexIdentifier | HostedModel) -> Target:
    return target


def imported(
    config: object,
    *,
    defaults: Defaults,
    environment: Mapping[str, str] | None = None,
    known: Collection[str] = (),
    settle: Settle = _as_named,
) -> Import:
    """The routes of a configuration and the report. Raises BadInput when it is none at all.

    ``environment`` holds variables that are no secrets (addresses, regions); ``known`` the aliases that fallbacks may
    name besides the file's own. ``settle`` is given each target and its identifier; it gives the target back as
    it is to be, or raises BadInput.
    """
    top = mapping(config)
    if top is None:
        raise BadInput("A LiteLLM configuration is a mapping with a 'model_list'.", param="config")
    notes = Notes()
    variables = {**(environment or {}), **_variables(top)}
    whole = Entry("", top, notes, environment=variables)
    sections = [_section(whole, name, variables) for name in ("router_settings", "litellm_settings")]
    ways = ways_in(sections[0], sections[1])
    around = Surroundings(
        notes=notes,
        defaults=defaults,
        settle=settle,
        environment=variables,
        credentials=_credentials(whole),
        ways=ways,
    )
    routes = _routes(_drafts(whole, around), ways, notes)
    routes = Links(notes, known).put(_with_aliases(routes, ways, notes), ways.links)
    _rest(whole)
    return Import(routes=tuple(_slim(routes, notes)), lines=tuple(notes.lines))


def variables_in(config: object) -> frozenset[str]:
    """The variables to which a configuration refers as ``os.environ/NAME``."""
    if isinstance(config, str):
        return frozenset({config.removeprefix(REFERENCE)} if config.startswith(REFERENCE) else ())
    inside = mapping(config)
    parts = list(inside.values()) if inside is not None else sequence(config) or []
    return frozenset(name for part in parts for name in variables_in(part))


def _variables(top: Mapping[str, object]) -> dict[str, str]:
    """The file's own variables; those that refer to others are the environment's."""
    given = mapping(top.get("environment_variables")) or {}
    texts = {name: str(value) for name, value in given.items() if isinstance(value, str | int | float)}
    return {name: value for name, value in texts.items() if not value.startswith(REFERENCE)}


def _section(whole: Entry, name: str, variables: Mapping[str, str]) -> Entry:
    given = whole.raw(name)
    inside = below(given)
    if inside is None:
        whole.refuse(name, f"'{name}' is a mapping.", "Write its settings below it.")
    return Entry(name, inside or {}, whole.notes, environment=variables)


def _credentials(whole: Entry) -> dict[str, Mapping[str, object]]:
    """``credential_list``: values by name. They are told of where an entry uses them."""
    given, found = whole.raw("credential_list"), dict[str, Mapping[str, object]]()
    for place, row in enumerate(sequence(given) or []):
        fields = mapping(row) or {}
        values = mapping(fields.get("credential_values"))
        if values is None or not isinstance(fields.get("credential_name"), str):
            path = f"credential_list[{place}]"
            whole.notes.refused(path, row, "It has 'credential_name' and 'credential_values'.", "Write both.")
        else:
            name = str(fields["credential_name"])
            whole.notes.took(f"credential_list[{place}].credential_values", values, f"credential {name}")
            found[name] = values
    return found


def _drafts(whole: Entry, around: Surroundings) -> list[Draft]:
    given = whole.raw("model_list")
    rows = sequence(given) if given is not None else []
    if rows is None:
        whole.refuse("model_list", "'model_list' is a list.", "Write its entries with a '-' each.")
    elif not rows:
        whole.notes.left("model_list", given, "There is no model in it.", "Write its entries into model_list.")
    found = [draft(position, row, around) for position, row in enumerate(rows or [])]
    return _of_one_account([one for one in found if one is not None], whole.notes)


def _of_one_account(drafts: list[Draft], notes: Notes) -> list[Draft]:
    """An installation signs with one set of AWS keys: entries with others than the first are refused."""
    first = next((one.signed for one in drafts if one.signed), None)
    kept: list[Draft] = []
    for one in drafts:
        if one.signed in {None, first}:
            kept.append(one)
        else:
            path = f"{one.path}.litellm_params.aws_access_key_id"
            remedy = "Write api_key: os.environ/NAME with AWS keys as JSON, or an API key of Bedrock."
            notes.refused(
                path, list(one.signed or ()), "These are other AWS keys than those of the entries before.", remedy
            )
    return kept


def _routes(drafts: list[Draft], ways: Ways, notes: Notes) -> dict[str, Route]:
    groups: dict[str, list[Draft]] = {}
    for one in drafts:
        groups.setdefault(one.alias, []).append(one)
    found: dict[str, Route] = {}
    for alias, group in groups.items():
        try:
            found[alias] = route_of(group, ways, notes)
        except msgspec.ValidationError as fault:
            path = f"{group[0].path}.model_info.tuneway"
            notes.refused(path, group[0].own, f"A route cannot be so: {fault}.", "Take 'tuneway' out, or export anew.")
    return found


def _with_aliases(routes: dict[str, Route], ways: Ways, notes: Notes) -> dict[str, Route]:
    """``model_group_alias``: a route of its own for each further name."""
    after = dict(routes)
    for name, model, path in ways.aliases:
        if model not in routes:
            notes.refused(path, model, f"There is no model '{model}'.", "Write its name as in model_list.")
        elif name in after:
            notes.refused(path, model, f"'{name}' stands in model_list, too.", "Take one of them out.")
        else:
            notes.translated(path, model, f"a route '{name}' with the same targets")
            after[name] = msgspec.structs.replace(routes[model], alias=name)
    return after


def _rest(whole: Entry) -> None:
    """The sections that have no part in routes; a name that LiteLLM does not know is a mistake."""
    for name, value in _named_variables(whole):
        remedy = "If a key, set it where the functions run: it is stored nowhere."
        whole.notes.left(f"environment_variables.{name}", "***" if value else value, "known while importing", remedy)
    if whole.has("include"):
        whole.refuse("include", "Other files are not read here.", "Import with the command line, which puts them in.")
    if whole.has("guardrails"):
        whole.refuse("guardrails", "Guardrails are not run here.", "Run them before the call, or take them out.")
    whole.leave(sorted(_LEFT), _SERVES_NOTHING)
    whole.leave([name for name in whole.unread() if name.startswith(("x-", "_", "."))], "a part of other sections")
    for name in whole.unread():
        whole.refuse(name, "LiteLLM has no such section.", meant(name, (*_READ, *_LEFT, "include")))


def _named_variables(whole: Entry) -> list[tuple[str, object]]:
    given = whole.raw("environment_variables")
    inside = below(given)
    if inside is None:
        whole.refuse("environment_variables", "'environment_variables' is a mapping.", "Write NAME: value.")
    return list((inside or {}).items())


def _slim(routes: Mapping[str, Route], notes: Notes) -> list[Route]:
    """The routes that can be: not of too many targets, and with one that is asked."""
    kept: list[Route] = []
    for alias, route in routes.items():
        if len(route.targets) > MOST_TARGETS:
            notes.refused("model_list", alias, f"'{alias}' has more than {MOST_TARGETS} targets.", "Take some out.")
        elif not any(target.weight > 0 for target in route.targets):
            notes.refused("model_list", alias, f"Every target of '{alias}' has the weight 0.", "Give one a weight.")
        else:
            kept.append(route)
    return kept

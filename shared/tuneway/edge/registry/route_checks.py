"""What a route must hold to before it is accepted; each refusal names the field and the remedy."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import get_args

from tuneway.errors import BadInput
from tuneway.prediction.dialects.openai.servers import SERVERS
from tuneway.prediction.profiles import profile_of
from tuneway.prediction.providers import table
from tuneway.prediction.providers.addresses import Operation
from tuneway.routing.families import DEFAULT, FAMILIES
from tuneway.routing.identifiers import Alias, parse
from tuneway.routing.references import is_reference
from tuneway.routing.routes import Prompt, Route, Target
from tuneway.routing.targets import Misplaced

Unreadable = Callable[[Sequence[str]], Mapping[str, str]]
_NAMED = re.compile(r"\{\{\w*\}\}")
# By a prompt's field: what must be in it, and what may.
PLACES = {
    "system": (None, ("{{system}}",)),
    "user": ("{{input}}", ("{{input}}",)),
    "completion": ("{{prompt}}", ("{{prompt}}", "{{suffix}}")),
}
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
FALLBACKS = ("fallbacks", "context_fallbacks", "content_fallbacks")


def refuse_values(secret: str | None) -> None:
    """A key itself is never taken. Raises BadInput."""
    if secret is not None and not is_reference(secret):
        raise BadInput(
            "'secret' is a reference, never a key: env:NAME or projects/{project}/secrets/{name}/versions/{version}.",
            param="secret",
            code="invalid_value",
        )


def refuse_nowhere(target: Target) -> None:
    """A target that could never be called is no target. Raises BadInput."""
    if target.profile not in SERVERS:
        profile_of(target)
    table.auth(target)
    if not any(_has(target, operation) for operation in OPERATIONS):  # it may be for embeddings alone
        raise BadInput(
            f"Nothing at '{target.provider}' is called in the words of '{target.dialect}'. Leave 'dialect' out, or "
            "give the one that is spoken there.",
            param="dialect",
            code="invalid_value",
        )


def _has(target: Target, operation: Operation) -> bool:
    try:
        table.url(target, operation=operation)
    except BadInput as fault:
        if fault.code != "unsupported_operation":
            raise
        return False
    return True


def at_field(fault: BadInput, *, under: str) -> BadInput:
    """The fault of a target as that of the field which is wrong, below ``under``."""
    if isinstance(fault, Misplaced):
        remedy = f"{fault.fact}. Give the target a '{fault.field}'."
        return BadInput(remedy if fault.way_out else fault.message, param=under + fault.field, code=fault.code)
    param = "identifier" if fault.param in {None, "model"} else fault.param
    return BadInput(fault.message, param=f"{under}{param}", code=fault.code)


def refuse_idle(targets: tuple[Target, ...]) -> None:
    """One target at least must be asked. Raises BadInput."""
    if not any(target.weight > 0 for target in targets):
        raise BadInput("Every target has the weight 0, so none is ever asked.", param="targets", code="invalid_value")


def refuse_unnamed(route: Route) -> None:
    """Every fallback must be a name that could lead somewhere. Raises BadInput."""
    for field in FALLBACKS:
        for place, name in enumerate(getattr(route, field)):
            try:
                parse(name)
            except BadInput as fault:
                raise BadInput(fault.message, param=f"{field}[{place}]", code=fault.code) from fault


def refuse_unknown_families(route: Route) -> None:
    """Prompts are for families there are, and say where the caller's words go. Raises BadInput."""
    for place, target in enumerate(route.targets):
        if target.family is not None and target.family not in FAMILIES:
            raise _no_family(target.family, f"targets[{place}].family", FAMILIES)
    for family, prompt in route.prompts.items():
        if family not in FAMILIES and family != DEFAULT:
            raise _no_family(family, f"prompts.{family}", [DEFAULT, *FAMILIES])
        _refuse_wordless(prompt, f"prompts.{family}")


def _no_family(name: str, param: str, known: Iterable[str]) -> BadInput:
    said = f"There is no family '{name[:100]}'. Use one of: {', '.join(known)}."
    return BadInput(said, param=param, code="invalid_value")


def _refuse_wordless(prompt: Prompt, param: str) -> None:
    if prompt == Prompt():
        said = "This prompt says nothing. Give it 'system', 'user' or 'completion'."
        raise BadInput(said, param=param, code="invalid_value")
    for field, (needed, known) in PLACES.items():
        template = getattr(prompt, field)
        if template is None:
            continue
        if needed and needed not in template:
            said = f"This template has no place for the caller's words. Put {needed} where they go."
            raise BadInput(said, param=f"{param}.{field}", code="invalid_value")
        if strange := [name for name in _NAMED.findall(template) if name not in known]:
            said = f"Nothing is known as {strange[0]} here. Use {' or '.join(known)}."
            raise BadInput(said, param=f"{param}.{field}", code="invalid_value")


def unsure(route: Route, *, known: Iterable[str]) -> list[str]:
    """Warnings of fallbacks that lead nowhere yet: aliases may be made in any order."""
    there = {*known, route.alias}
    names = dict.fromkeys(name for field in FALLBACKS for name in getattr(route, field))
    return [
        f"The fallback '{name}' leads nowhere: there is no such route. Make it, or take it out."
        for name in names
        if name not in there and isinstance(parse(name), Alias)
    ]


def refuse_unreadable(route: Route, *, unreadable: Unreadable, own: frozenset[str]) -> list[str]:
    """The references that lead to no secret: those in ``own`` were given by name and are refused. Raises BadInput.

    The others come from a vendor's row or from the installation's settings: warnings.
    """
    wanted = list(dict.fromkeys(target.secret for target in route.targets if target.secret))
    nothing: Mapping[str, str] = {}
    faults = unreadable(wanted) if wanted else nothing
    for place, target in enumerate(route.targets):
        if target.secret in own and target.secret in faults:
            raise BadInput(
                f"The secret '{target.secret}' cannot be read: {faults[target.secret]}. Make it, or let this "
                "installation read it.",
                param=f"targets[{place}].secret",
                code="secret_unreadable",
            )
    return [f"The secret '{ref}' cannot be read: {why}. Calls that need it will fail." for ref, why in faults.items()]

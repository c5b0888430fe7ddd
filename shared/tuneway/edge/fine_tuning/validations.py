"""``POST /v1/fine_tuning/validations``: what is wrong with a dataset, and what a model would learn from it."""

import msgspec

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.errors import BadInput
from tuneway.ports import Method
from tuneway.tuning import hyperparameters as hyper
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.datasets.kinds import Columns
from tuneway.tuning.inspection import MOST_EXAMPLES, Inspected, Inspection, Inspector

PATH = "/v1/fine_tuning/validations"
OBJECT = "fine_tuning.validation"


class AskValidation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body; ``file`` is a shorter name of ``training_file``. ``examples`` rows are shown as a model sees them."""

    training_file: str | None = None
    file: str | None = None
    validation_file: str | None = None
    model: str | None = None
    method: object = None
    columns: Columns | None = None
    examples: int = 0


def rules(inspector: Inspector) -> list[Rule]:
    """The door's rule for validations."""

    def ask(call: Call) -> Body:
        asked = _inspection(decoded(call.body(), AskValidation), inspector, owner=call.grant.owner)
        return rendered(asked, inspector.inspect(asked, owner=call.grant.owner))

    return [Rule("POST", PATH, Scope.TUNE, ask)]


def rendered(asked: Inspection, found: Inspected) -> dict[str, object]:
    """The reports, each in full."""
    return {
        "object": OBJECT,
        "valid": found.accepted,
        "model": asked.base.name if asked.base else None,
        "method": asked.method,
        "training_file": asked.training_file,
        "validation_file": asked.validation_file,
        "summary": _summary(found),
        "dataset": msgspec.to_builtins(found.dataset),
        "validation_dataset": msgspec.to_builtins(found.validation_dataset),
        "examples": msgspec.to_builtins(found.examples),
    }


def _summary(found: Inspected) -> str:
    """Of the file that is at fault, the training file first."""
    beside = found.validation_dataset
    if found.dataset.accepted and beside is not None and not beside.accepted:
        return f"In the validation file: {beside.summary}"
    return found.dataset.summary


def _inspection(body: AskValidation, inspector: Inspector, *, owner: str) -> Inspection:
    base = inspector.base(body.model, owner=owner) if body.model is not None else None
    if not 0 <= body.examples <= MOST_EXAMPLES:
        raise BadInput(f"'examples' is a whole number from 0 to {MOST_EXAMPLES}.", param="examples")
    return Inspection(
        training_file=_training_file(body),
        base=base,
        method=_method(body.method, base),
        validation_file=body.validation_file,
        columns=body.columns,
        examples=body.examples,
    )


def _training_file(body: AskValidation) -> str:
    match body.training_file, body.file:
        case str() as name, None:
            return name
        case None, str() as name:
            return name
        case None, None:
            said = "Missing required parameter: 'training_file'. Give the id of a file, or its address."
            raise BadInput(said, param="training_file", code="missing_required_parameter")
        case _:
            raise BadInput("'file' and 'training_file' are two names of one file. Give one of them.", param="file")


def _method(method: object, base: BaseModel | None) -> Method | None:
    """The method of that name, as a text or as OpenAI's object; held against the base where one is named."""
    if method is None:
        return hyper.method_of(None, base=base) if base else None
    if base is not None:
        return hyper.method_of({"type": method} if isinstance(method, str) else method, base=base)
    name = method if isinstance(method, str) else _type_of(method)
    try:
        return Method(name)
    except ValueError:
        known = ", ".join(Method)
        raise BadInput(f"'method' names no method. Use one of: {known}.", param="method.type") from None


def _type_of(method: object) -> str:
    try:
        return f"{msgspec.convert(method, dict[str, object]).get('type')}"
    except msgspec.ValidationError:
        return ""

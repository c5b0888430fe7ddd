"""What a deployment by ``gcloud`` is made of: steps in order, which may be taken again at any time.

An argument may name what an earlier step learned as ``${NAME}``; it is put in when the step is taken, by the shell or
by us.
"""

import msgspec

Words = tuple[str, ...]
Flag = str | bool | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One command, so that repeating it does no harm.

    ``look`` shows the thing where there is one: then ``change`` is taken in the place of ``make``, or nothing. With
    ``same``, nothing is done when ``look`` shows exactly that, and ``make`` otherwise. ``into`` keeps what the command
    says under a name. ``there`` is what a command says that finds its work done. ``patient`` steps are tried again for
    a minute: an identity that was just made is not known everywhere at once.
    """

    title: str
    make: Words
    look: Words = ()
    change: Words = ()
    same: str | None = None
    into: str | None = None
    there: str | None = None
    patient: bool = False


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a later step reads."""

    path: str
    text: str


Part = Step | Written


def gcloud(command: str, *words: str, **flags: Flag) -> Words:
    """The words of a command: ``memory="1Gi"`` is ``--memory=1Gi``, True and False are ``--x`` and ``--no-x``."""
    return ("gcloud", *command.split(), *words, *told(**flags))


def told(**flags: Flag) -> Words:
    """Flags alone; None is none."""
    return tuple(_flag(name.replace("_", "-"), value) for name, value in flags.items() if value is not None)


def named(prefix: str, function: str) -> str:
    """A function's name in the cloud, where no underscore is allowed."""
    return f"{prefix}-{function.replace('_', '-')}"


def variable(function: str, what: str = "URL") -> str:
    """The name under which something is kept that is known once the function is there."""
    return f"{function.upper()}_{what}"


def pairs(values: dict[str, str]) -> str | None:
    """``a=1,b=2``, as gcloud takes labels; None for none."""
    return ",".join(f"{name}={value}" for name, value in values.items()) or None


def _flag(flag: str, value: Flag) -> str:
    match value:
        case True:
            return f"--{flag}"
        case False:
            return f"--no-{flag}"
        case _:
            return f"--{flag}={value}"

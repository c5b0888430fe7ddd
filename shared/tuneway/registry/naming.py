"""Names, labels and version aliases of models: what is allowed, and why not.

Labels by Google's rules (https://cloud.google.com/resource-manager/docs/labels-overview, read 2026-11): at most 64; a
key has 1 to 63 characters and begins with a letter; a value has at most 63; both are of small letters, digits, ``_``
and ``-``, letters of other scripts included. A version alias by Vertex AI's
(https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.models/mergeVersionAliases).
"""

import re
from collections.abc import Mapping

from tuneway.errors import BadInput

MOST_LABELS = 64
LONGEST_LABEL = 63
LONGEST_ALIAS = 128
LONGEST_DESCRIPTION = 4096
LONGEST_OWNER = 128
DEFAULT = "default"
ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
# What checkpoints are called by: name@cp-3.
OF_CHECKPOINTS = re.compile(r"cp-.*")
# Letters first: what a provider or tuneway itself gives is digits, or begins with ft-.
NAME = re.compile(r"(?!ft-)[a-z][a-z0-9_-]{1,61}[a-z0-9]")
SHOWN = 80
LETTERS_OF_LABELS = "small letters, digits, '_' and '-'"
_OTHERS = re.compile(r"[^a-z0-9]+")


def dashed(text: str) -> str:
    """The text in small letters and digits, with one ``-`` for what else there is between them."""
    return _OTHERS.sub("-", text.lower()).strip("-")


def check_name(name: str) -> None:
    """Whether a model may be called that. Raises BadInput."""
    if NAME.fullmatch(name) is None:
        raise BadInput(
            f"'{name[:SHOWN]}' cannot name a model: 3 to 63 small letters, digits, '_' and '-', a letter first, not "
            "'ft-', which begins the names that tuneway gives.",
            param="name",
            code="invalid_value",
        )


def check_alias(alias: str) -> None:
    """Whether a version may have that alias. Raises BadInput."""
    if ALIAS.fullmatch(alias) is None or OF_CHECKPOINTS.fullmatch(alias) is not None:
        raise BadInput(
            f"'{alias[:SHOWN]}' cannot be a version alias: 2 to 128 letters, digits and '-', a small letter first, a "
            "small letter or a digit last, and not 'cp-…', which names checkpoints.",
            param="alias",
            code="invalid_value",
        )


def check_called(called: str, alias: str) -> str:
    """The name that calls a model by its alias. Raises BadInput when it is too long for one."""
    name = f"{called}@{alias}"
    if len(name) > LONGEST_ALIAS:
        raise BadInput(
            f"'{name[:SHOWN]}…' would have {len(name)} characters; names have at most {LONGEST_ALIAS}. Register the "
            "model under a shorter name.",
            param="alias",
            code="invalid_value",
        )
    return name


def check_owner(owner: str) -> None:
    """Whether somebody may be called that: what is empty or cannot be seen is nobody's key. Raises BadInput."""
    if not (owner.strip() and len(owner) <= LONGEST_OWNER and owner.isprintable()):
        said = f"Name the owner, a team or an application, in 1 to {LONGEST_OWNER} letters that can be seen."
        raise BadInput(said, param="owner", code="invalid_value")


def check_labels(labels: Mapping[str, str]) -> None:
    """Whether they are labels by Google's rules. Raises BadInput naming the key."""
    if len(labels) > MOST_LABELS:
        raise BadInput(f"There are {len(labels)} labels; at most {MOST_LABELS} are allowed.", param="labels")
    for key, value in labels.items():
        if not _is_key(key):
            raise BadInput(
                f"'{key[:SHOWN]}' cannot be the key of a label: 1 to {LONGEST_LABEL} {LETTERS_OF_LABELS}, a letter "
                "first.",
                param="labels",
                code="invalid_value",
            )
        if not _is_word(value):
            raise BadInput(
                f"'{value[:SHOWN]}' cannot be the value of label '{key}': at most {LONGEST_LABEL} {LETTERS_OF_LABELS}.",
                param=f"labels.{key}",
                code="invalid_value",
            )


def check_description(description: str) -> None:
    """Whether it is short enough. Raises BadInput."""
    if len(description) > LONGEST_DESCRIPTION:
        raise BadInput(f"A description has at most {LONGEST_DESCRIPTION} characters.", param="description")


def _is_key(key: str) -> bool:
    return key[:1].isalpha() and _is_word(key)


def _is_word(text: str) -> bool:
    """Scripts without small letters have none to insist on."""
    return len(text) <= LONGEST_LABEL and all(_is_letter(each) for each in text)


def _is_letter(each: str) -> bool:
    return each in "_-" or (each.isalnum() and each == each.lower())

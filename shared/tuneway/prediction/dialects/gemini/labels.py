"""Hub → Gemini: ``user`` and ``metadata`` as labels, by which Google Cloud's bills can be broken down.

Who asks is the label ``user``, unless the metadata has one of that name. Source of the form: Google Cloud's
"Requirements for labels" (https://cloud.google.com/resource-manager/docs/labels-overview, read 2026-11).
"""

import re

from tuneway.errors import BadInput
from tuneway.prediction.hub.request import ChatRequest

_FORM = re.compile(r"[\w-]{0,63}")
_MOST = 64


def labels(request: ChatRequest) -> dict[str, str]:
    """The labels. Raises BadInput naming what cannot be one."""
    metadata = request.metadata or {}
    for key, value in metadata.items():
        if not (_is_key(key) and _is_value(value)):
            raise _unfit("metadata", f"metadata.{key[:64]}")
    if request.user is not None and not _is_value(request.user):
        raise _unfit("user", "user")
    told = metadata if request.user is None else {"user": request.user, **metadata}
    if len(told) > _MOST:
        raise BadInput(
            f"Gemini takes at most {_MOST} labels; 'metadata' makes {len(told)}. Send fewer.",
            param="metadata",
            code="invalid_value",
        )
    return told


def _is_key(text: str) -> bool:
    return text[:1].isalpha() and _is_value(text)


def _is_value(text: str) -> bool:
    return _FORM.fullmatch(text) is not None and text == text.lower()


def _unfit(parameter: str, param: str) -> BadInput:
    return BadInput(
        f"'{param}' becomes a label of Google Cloud's: at most 63 lower-case letters, digits, _ and -, a key beginning "
        f"with a letter. Send such a one, or add '{parameter}' to drop_params of the model's route.",
        param=param,
        code="invalid_value",
    )

"""Where models are served on Amazon Bedrock: ``Converse``, and ``InvokeModel`` for a model's own words.

The model's id stands in the path, encoded as a whole: an ARN has slashes and colons, and what is signed must be what is
sent. Source: botocore's model of ``bedrock-runtime`` and its endpoint rules.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from tuneway.ports import Auth
from tuneway.prediction.providers import anthropic
from tuneway.prediction.providers.addresses import Call, Operation, cannot, checked
from tuneway.routing.routes import Dialect, Target
from tuneway.routing.targets import Misplaced

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}")
_ARN = re.compile(r"arn:aws(?:-[^:]+)?:[a-z0-9-]+:(?P<region>[a-z0-9-]+):.*")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,2047}")
_VERBS: dict[Dialect, tuple[str, str]] = {
    "bedrock": ("converse", "converse-stream"),
    "anthropic": ("invoke", "invoke-with-response-stream"),
}
_UNSTREAMED: dict[Operation, str] = {"embeddings": "invoke", "count": "count-tokens"}
_CHINA = "cn-"


def url(call: Call) -> str:
    """Where to POST. Raises BadInput for an operation, a model or a region that cannot be."""
    target = call.target
    if _MODEL.fullmatch(target.model) is None:
        raise Misplaced(f"{target.model[:120]!r} is no model id or ARN of Bedrock", field="identifier")
    base = checked(target.base_url) if target.base_url else f"https://{_host(region(target))}"
    return f"{base}/model/{quote(target.model, safe='')}/{_verb(call)}"


def wrap(body: Mapping[str, object], call: Call) -> Mapping[str, object]:
    """Claude's own body bears its version; others are as their dialect wrote them."""
    return anthropic.wrapped_for_bedrock(body, call) if call.target.dialect == "anthropic" else body


def auth(target: Target) -> Auth:
    """Signed. ``secret`` refers to AWS keys (a JSON object), or to an API key of Bedrock, which needs no signing."""
    return Auth(kind="sigv4", secret=target.secret, region=region(target))


def region(target: Target) -> str:
    """The target's region, or the one in its ARN. Raises BadInput when there is none."""
    arn = _ARN.fullmatch(target.model)
    found = target.region or (arn["region"] if arn else "")
    if _REGION.fullmatch(found) is None:
        fact = f"{found!r} is no region of AWS. Give the target a 'region' such as us-east-1"
        raise Misplaced(fact, field="region")
    return found


def _verb(call: Call) -> str:
    if call.operation in _UNSTREAMED:
        return _UNSTREAMED[call.operation]
    if call.operation != "chat" or call.target.dialect not in _VERBS:
        raise cannot(call)
    return _VERBS[call.target.dialect][call.stream]


def _host(region: str) -> str:
    suffix = "amazonaws.com.cn" if region.startswith(_CHINA) else "amazonaws.com"
    return f"bedrock-runtime.{region}.{suffix}"

"""Why a deployment failed, in a sentence that says what to do."""

from tuneway.registry.shelves import Deployment, Trouble

MACHINE = "Choose another machine: tuneway deployments create MODEL --machine TYPE, or another region."
# By the provider's code; google.rpc.Code has these names.
REMEDIES: dict[str, tuple[str, str]] = {
    "RESOURCE_EXHAUSTED": ("quota_exceeded", f"Ask for more quota of the accelerator in this region. {MACHINE}"),
    "PERMISSION_DENIED": ("not_allowed", "Allow this installation's service account what the provider names."),
    "INVALID_ARGUMENT": ("refused_by_provider", MACHINE),
    "FAILED_PRECONDITION": ("refused_by_provider", "Mend what the provider names, and deploy it again."),
    "NOT_FOUND": ("not_found", "Look whether the weights are still where the job left them."),
    "INTERNAL": ("container_failed", "Look into the endpoint's logs; a container that does not start ends like this."),
}
REFUSED = ("refused_by_provider", "Mend what the provider names, and deploy it again.")
# Of refusals that come with no code of their own, by words in them.
WORDS = {"quota": "RESOURCE_EXHAUSTED", "permission": "PERMISSION_DENIED", "not found": "NOT_FOUND"}


def trouble(said: str, *, cause: str | None = None, code: str | None = None) -> Trouble:
    """What the provider said, and what to do about it."""
    known = cause or next((name for word, name in WORDS.items() if word in said.lower()), "")
    ours, remedy = REMEDIES.get(known, REFUSED)
    return Trouble(code=code or ours, message=f"{said.strip().rstrip('.')}. {remedy}")


def left_behind(deployment: Deployment, why: str) -> Trouble:
    """What may still be there, by its name, so that somebody can take it away by hand."""
    order = deployment.order
    where = f" in {order.location}" if order else ""
    beside = f", and as {order.deployed_id} on the endpoint '{order.endpoint}'" if order and order.endpoint else ""
    what = f"What was made for it is named '{deployment.id}'{where}{beside} and may still cost."
    said = f"{why.strip().rstrip('.')}. {what}"
    remedy = f"Take it away there, or try again: tuneway deployments delete {deployment.id}"
    before = f"{deployment.error.message} " if deployment.error else ""
    return Trouble(code="left_behind", message=f"{before}{said} {remedy}")

"""What to do about a gcloud command that failed, by what it said."""

import re

# First match wins; each is looked for in what gcloud wrote to stderr.
REMEDIES: tuple[tuple[str, str], ...] = (
    ("active account|auth login|[Rr]eauth|invalid_grant", "Run 'gcloud auth login'."),
    ("[Bb]illing", "Link the project to a billing account: https://console.cloud.google.com/billing."),
    (
        "constraints/iam.allowedPolicyMemberDomains|permitted customer",
        """An organization policy forbids callers from outside: -var public=false -var 'members=["group:…"]'.""",
    ),
    ("constraints/", "An organization policy forbids this: docs/deploy.md, Permissions, names those that matter."),
    (
        "has not been used in project|SERVICE_DISABLED|it is disabled",
        "The API was only just switched on. Wait a minute.",
    ),
    (
        "PERMISSION_DENIED|does not have permission|Permission .* denied|[Ff]orbidden|\\b403\\b",
        "Your account lacks a role: docs/deploy.md, Permissions, lists them; 'gcloud auth list' says who you are.",
    ),
    ("RESOURCE_EXHAUSTED|[Qq]uota", "A quota is used up: docs/deploy.md, Quotas. Wait, or ask for more."),
    (
        "Build failed|[Bb]uild.*logs|healthcheck|failed to start",
        "The build or the start failed; the log named above says why.",
    ),
    ("does not exist|NOT_FOUND|not found", "Something is not there yet, as in a fresh project. Wait a minute."),
    ("UNAVAILABLE|DEADLINE_EXCEEDED|timed out|[Cc]onnection", "Google did not answer. Wait a minute."),
)
UNKNOWN = "What gcloud said stands above."
REFUSED = re.compile(REMEDIES[5][0])


def remedy(said: str) -> str:
    """What to do about a command that said this."""
    return next((mend for pattern, mend in REMEDIES if re.search(pattern, said)), UNKNOWN)

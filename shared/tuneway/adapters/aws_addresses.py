"""Where AWS's services are: hosts by service and region."""

import re

from tuneway.errors import BadInput

REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}")
ARN = re.compile(r"arn:aws(?:-[a-z-]+)?:[a-z0-9-]+:(?P<region>[a-z0-9-]+):[0-9]{12}:[A-Za-z0-9./:_-]{1,1000}")
CHINA = "cn-"


def host(service: str, region: str) -> str:
    """The regional host of a service. Raises BadInput for what is no region: signed calls go there."""
    if REGION.fullmatch(region) is None:
        raise BadInput(f"{region[:60]!r} is no region of AWS. Use one such as us-west-2.", param="location")
    suffix = "amazonaws.com.cn" if region.startswith(CHINA) else "amazonaws.com"
    return f"{service}.{region}.{suffix}"


def region_of(arn: str) -> str:
    """The region in a resource's name. Raises BadInput."""
    found = ARN.fullmatch(arn)
    if found is None:
        raise BadInput(f"{arn[:120]!r} is no name of a resource in AWS (arn:aws:service:region:account:…).")
    return found["region"]

"""Secrets from the process's environment: ``env:NAME``."""

import re
from collections.abc import Mapping

from tuneway.adapters.answers import missing

PREFIX = "env:"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")


class EnvironmentSecrets:
    """``ports.Secrets`` over the variables it is given; Cloud Run mounts secrets there, a laptop exports them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    async def value(self, ref: str) -> str:
        """The variable's value. Raises UpstreamError (502)."""
        name = ref.removeprefix(PREFIX)
        if not ref.startswith(PREFIX) or _NAME.fullmatch(name) is None:
            raise missing("a reference to a secret is not of the form env:NAME")
        found = self._environment.get(name, "").strip()
        if not found:
            raise missing(f"the variable {name} is not set")
        return found

"""What this installation is set up for: where it prefers to train, what a job may cost, and what it cannot reach."""

import msgspec

from tuneway.errors import BadInput
from tuneway.tuning.bases import BaseModel


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """``max_cost_usd`` is its limit for one job; ``missing`` says what a backend, or a scheme of files, still needs."""

    location: str
    max_cost_usd: float | None = None
    missing: dict[str, str] = {}

    def check_base(self, base: BaseModel) -> None:
        """Raises BadInput (``model``) when the backend of ``base`` is not set up here."""
        if (needs := self.missing.get(base.backend)) is not None:
            said = f"'{base.name}' is tuned on {base.backend}, which this installation is not set up for."
            raise BadInput(f"{said} Its operator has to set {needs}.", param="model", code="backend_not_configured")

    def check_place(self, name: str, *, field: str) -> None:
        """Raises BadInput (``field``) when files of that scheme cannot be read here."""
        scheme, _, _ = name.partition("://")
        if (needs := self.missing.get(scheme)) is not None:
            said = f"'{name[:200]}' is at {scheme}://, which this installation is not set up for."
            raise BadInput(
                f"{said} Its operator has to set {needs}. Or upload the file (POST /v1/files).",
                param=field,
                code="source_not_configured",
            )

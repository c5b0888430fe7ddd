"""What the catalogue of base models says of their ends, for those who must not know tuning."""

from tuneway.adapters import plugs
from tuneway.ports.retirements import Fates
from tuneway.settings import Settings
from tuneway.tuning.heirs import CatalogueFates


def fates(settings: Settings) -> Fates:
    """The dates of base models, the installation's own file included. Raises BadInput."""
    return CatalogueFates(plugs.catalogue(settings))

"""The use case of estimates over a loop of fakes."""

from tests.fakes import Loop
from tuneway.tuning.catalogue import load
from tuneway.tuning.estimates import Quotes
from tuneway.tuning.inspection import Inspector


def quotes_of(loop: Loop) -> Quotes:
    """Reads files where the loop keeps them."""
    inspector = Inspector(loop.shelf, loop.files, catalogue=load(), now=lambda: loop.clock)
    return Quotes(loop.lifecycle.jobs, inspector, now=lambda: loop.clock)

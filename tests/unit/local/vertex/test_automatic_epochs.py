"""Where a job leaves the epochs to the provider, the simulation trains as long as the estimate assumes."""

from tuneway.local.vertex.tuning_specs import AUTO_EPOCHS, CONTAINER_EPOCHS
from tuneway.tuning.catalogue import load

SIMULATED = {"vertex_ai": AUTO_EPOCHS, "vertex_open": AUTO_EPOCHS, "vertex_custom": CONTAINER_EPOCHS}


def test_the_simulation_and_the_catalogue_assume_the_same() -> None:
    assumed = {
        (row.backend, row.ranges.auto_epochs) for row in load().models if row.methods and row.backend in SIMULATED
    }
    assert assumed == set(SIMULATED.items())

"""The machine that a container runs on, to be trained in or to serve, in Google's spelling."""

from typing import NotRequired, TypedDict

from tuneway.ports import Machine, TrainingContainer


class MachineSpec(TypedDict):
    """MachineSpec."""

    machineType: str
    acceleratorType: NotRequired[str]
    acceleratorCount: NotRequired[int]


def machine_spec(machine: Machine | TrainingContainer) -> MachineSpec:
    """The machine with its accelerators, if it has any."""
    if machine.accelerator_type is None:
        return {"machineType": machine.machine_type}
    return {
        "machineType": machine.machine_type,
        "acceleratorType": machine.accelerator_type,
        "acceleratorCount": machine.accelerator_count or 1,
    }

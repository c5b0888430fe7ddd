"""The weights that a training job leaves in the simulated Cloud Storage, and whose they are.

A simulated model's whole knowledge is the name of the job that made it, in the metadata of its safetensors file: so
weights may be copied or moved, and still answer from the job's examples.
"""

from pathlib import Path

import msgspec

from tuneway.local.vertex.narrow import mapping, text
from tuneway.local.vertex.objects import GS, bucket_folder, located
from tuneway.local.vertex.refusals import Refusal, invalid

LENGTH_BYTES = 8
MOST_HEADER_BYTES = 1 << 20
ONE_WEIGHT = bytes(4)
JOB = "simulated_tuning_job"


def write(root: Path, folder: str, *, job: str, base_model: str) -> None:
    """Put a model into a folder (``gs://bucket/path/``): a config and the smallest safetensors file there is."""
    config = {
        "architectures": ["SimulatedForCausalLM"],
        "model_type": "simulated",
        "torch_dtype": "float32",
        "_name_or_path": base_model,
    }
    for name, content in (("config.json", msgspec.json.encode(config)), ("model.safetensors", _safetensors(job))):
        path = located(root, f"{folder.rstrip('/')}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def has_bucket(root: Path, folder: str) -> bool:
    """Whether there is a bucket to write the folder into. Raises Refusal for what is no ``gs://`` URI."""
    matched = GS.fullmatch(f"{folder.rstrip('/')}/any")
    if matched is None:
        raise invalid("output_uri", f"'{folder}' is not a Cloud Storage folder of the form gs://bucket/path.")
    return bucket_folder(root, matched[1]).is_dir()


def maker(root: Path, folder: str) -> str | None:
    """The job that made the weights in a folder; None for weights from elsewhere, and where there are none."""
    try:
        path = located(root, f"{folder.rstrip('/')}/model.safetensors").parent
    except Refusal:
        return None
    found = (_job_in(each) for each in sorted(path.glob("*.safetensors")))
    return next(filter(None, found), None)


def _safetensors(job: str) -> bytes:
    """https://huggingface.co/docs/safetensors: the header's length, the header as JSON, the tensors' bytes."""
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, len(ONE_WEIGHT)]}
    header = msgspec.json.encode({"__metadata__": {"format": "pt", JOB: job}, "simulated.weight": tensor})
    header += b" " * (-len(header) % LENGTH_BYTES)
    return len(header).to_bytes(LENGTH_BYTES, "little") + header + ONE_WEIGHT


def _job_in(path: Path) -> str | None:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        if length > MOST_HEADER_BYTES:
            return None
        header = file.read(length)
    try:
        words = mapping(msgspec.json.decode(header, type=dict[str, object]).get("__metadata__"))
    except msgspec.MsgspecError:
        return None
    return text(words.get(JOB)) or None

"""An environment that holds LiteLLM, which wants an older openai than the tests do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("litellm_worker.py")
# It would ask the network for its map of prices.
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def installed(folder: Path, pinned: str = "litellm") -> Path:
    """The Python of a new environment that holds the pins."""
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    pins = ["--require-hashes", "--requirement", str(ROOT / "requirements" / f"{pinned}.txt")]
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *pins], check=True)
    return python


class LiteLLM:
    """LiteLLM in a process of its own, unmodified."""

    def __init__(self, process: "subprocess.Popen[str]", told: Path) -> None:
        self._process = process
        self._told = told

    def __call__(self, call: str, *, take: int | None = None, **arguments: Any) -> Any:
        """What ``litellm.<call>(**arguments)`` gives: an answer, or a list of pieces. Raises Failed."""
        said = self.result(call, take=take, **arguments)
        if "error" in said:
            raise Failed(said["error"])
        return said["answer"]

    def result(self, call: str, *, take: int | None = None, **arguments: Any) -> dict[str, Any]:
        """The answer or the error."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"call": call, "arguments": arguments, "take": take}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"LiteLLM's process has ended: {self._told.read_text()[-20_000:]}"
        result: dict[str, Any] = json.loads(line)
        return result


class Failed(Exception):
    """What LiteLLM raised: its kind, HTTP status and message."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.kind, self.status = error["kind"], error["status"]


@contextmanager
def running(folder: Path) -> Iterator[LiteLLM]:
    """LiteLLM, installed under ``folder`` and ended afterwards."""
    environment = {"PATH": os.defpath, **OFFLINE}
    command, told = [installed(folder), WORKER], folder / "stderr.txt"
    with (
        told.open("wb") as stderr,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        yield LiteLLM(process, told)
        assert process.stdin
        process.stdin.close()

"""Take the steps of a plan in order; what fails is told with its remedy, and the plan can be taken again."""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from tuneway.cli.deploy.remedies import REFUSED, remedy
from tuneway.cli.deploy.script import KNOWN, shown
from tuneway.cli.deploy.steps import Part, Step, Words, Written
from tuneway.errors import NotFound, TunewayError
from tuneway.settings import environment

ATTEMPTS = 7
WAIT = 10.0


class StepFailed(TunewayError):
    """A command failed: mend what the message says, and take the plan again."""


class Ran(msgspec.Struct, frozen=True):
    """What came of a command."""

    code: int
    out: str
    err: str


Run = Callable[[Words], Ran]


def run(words: Words) -> Ran:
    """Run a command, and hear what it says; one that would ask something fails instead, for nobody would see it."""
    env = {**environment(), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}
    done = subprocess.run(  # noqa: S603 - words of our own plan
        words, stdin=subprocess.DEVNULL, env=env, capture_output=True, text=True, check=False
    )
    return Ran(done.returncode, done.stdout.strip(), done.stderr.strip())


def find_gcloud() -> None:
    """Whether there is a gcloud. Raises NotFound."""
    if shutil.which("gcloud") is None:
        raise NotFound("gcloud is not installed: https://cloud.google.com/sdk/docs/install. Then: gcloud auth login.")


def apply(parts: Iterable[Part], *, run: Run, tell: Callable[[str], None], sleep: Callable[[float], None]) -> None:
    """Take every step. Raises StepFailed with the command, what it said and its remedy."""
    known: dict[str, str] = {}
    for part in parts:
        match part:
            case Written(path=path, text=text):
                Path(path).write_text(text + "\n")
            case Step():
                tell(part.title)
                said = _taken(part, _Taking(run=run, sleep=sleep, known=known))
                known = known if part.into is None else {**known, part.into: said}


class _Taking(msgspec.Struct, frozen=True, kw_only=True):
    """With what a step is taken: ``known`` is what earlier ones learned."""

    run: Run
    sleep: Callable[[float], None]
    known: Mapping[str, str]

    def __call__(self, words: Words) -> Ran:
        return self.run(tuple(KNOWN.sub(lambda found: self.known[found[0][2:-1]], word) for word in words))


def _taken(step: Step, taking: _Taking) -> str:
    """What the step's command said. Raises StepFailed."""
    words = _due(step, taking)
    if not words:
        return ""
    ran = taking(words)
    for _ in range(ATTEMPTS - 1 if step.patient else 0):
        if ran.code == 0 or REFUSED.search(ran.err):
            break
        taking.sleep(WAIT)
        ran = taking(words)
    if ran.code != 0 and not (step.there is not None and step.there in ran.err):
        raise StepFailed(_failure(step.title, words, ran))
    if step.into is not None and not ran.out:
        raise StepFailed(_failure(step.title, words, Ran(0, "", "It said nothing.")))
    return ran.out


def _due(step: Step, taking: _Taking) -> Words:
    """The command that is due; none when there is nothing to do. What cannot be seen is made, and then says why not."""
    if not step.look:
        return step.make
    found = taking(step.look)
    if step.same is not None:
        return () if found.code == 0 and found.out == step.same else step.make
    return step.change if found.code == 0 else step.make


def _failure(title: str, words: Words, ran: Ran) -> str:
    said = f"{title}: this command failed.\n  {shown(words)}\n{ran.err or ran.out}\n{remedy(ran.err)}"
    return f"{said} Then run 'tuneway deploy' again: what is done stays done."

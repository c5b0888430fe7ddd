"""A plan as a shell script that can be read and run, any number of times."""

import re
import shlex
from collections.abc import Iterable, Iterator

from tuneway.cli.deploy.steps import Part, Step, Words, Written

HEAD = """#!/bin/sh
# Made by 'tuneway deploy --with gcloud --dry-run'. It may be run again: what is there is updated.
set -eu
export CLOUDSDK_CORE_DISABLE_PROMPTS=1 # what would be asked would not be seen
try() { # a fresh identity is not known everywhere at once
  for wait in 10 10 10 10 10 0; do
    if "$@"; then return 0; fi
    sleep "$wait"
  done
  return 1
}
once() { # what is there already is done: once SAID COMMAND...
  said=$1; shift
  out=$("$@" 2>&1) || case "$out" in *"$said"*) ;; *) echo "$out" >&2; return 1 ;; esac
}
"""
KNOWN = re.compile(r"\$\{[A-Z_]+\}")
DELIMITER = "END_OF_FILE"


def script(parts: Iterable[Part]) -> str:
    """The text of the script."""
    return HEAD + "".join(f"\n{block}\n" for part in parts for block in _blocks(part))


def shown(words: Words) -> str:
    """A command as one types it."""
    return " ".join(_quoted(word) for word in words)


def _blocks(part: Part) -> Iterator[str]:
    match part:
        case Written(path=path, text=text):
            yield f"cat > {shlex.quote(path)} <<'{DELIMITER}'\n{text}\n{DELIMITER}"
        case Step(title=title):
            yield f"# {title}\n{_command(part)}"


def _command(step: Step) -> str:
    make = f"{'try ' if step.patient else ''}{shown(step.make)}"
    match step:
        case Step(into=str(name)):
            return f"{name}=$({shown(step.make)})\nexport {name}"
        case Step(same=str(same)):
            return f'if [ "$({shown(step.look)} 2>/dev/null)" != {shlex.quote(same)} ]; then\n  {make}\nfi'
        case Step(there=str(there)):
            return f"once {shlex.quote(there)} {make}"
        case Step(look=()):
            return make
        case _:
            otherwise = shown(step.change) if step.change else ":"
            return f"if {shown(step.look)} >/dev/null 2>&1; then\n  {otherwise}\nelse\n  {make}\nfi"


def _quoted(word: str) -> str:
    """As the shell must read it; what an earlier step learned is put in by the shell."""
    if not KNOWN.search(word):
        return shlex.quote(word)
    safe = re.sub(r'(["`\\]|\$(?!\{[A-Z_]+\}))', r"\\\1", word)
    return f'"{safe}"'

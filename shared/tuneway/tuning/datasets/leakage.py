"""Rows of a validation file that the training file has, too: what was learned by heart proves nothing."""

import unicodedata
from collections.abc import Iterator

from tuneway.tuning.datasets.fingerprints import Fingerprints
from tuneway.tuning.datasets.report import Finding

ENDINGS = " .?!:;,"


class Learned:
    """Fingerprints of the training file's rows and prompts: 16 bytes a row, at most 48 MiB.

    They mean something only in the process that made them.
    """

    def __init__(self) -> None:
        self.rows = Fingerprints()
        self.prompts = Fingerprints(most=1 << 21)

    def learn(self, prompt: str) -> None:
        """Remember a training row's prompt; its row is remembered where duplicates are looked for."""
        self.prompts.seen(normalised(prompt))

    def findings(self, line: bytes, prompt: str) -> Iterator[Finding]:
        """What of a validation row was learned."""
        if self.rows.holds(line):
            yield Finding("leaked_row", "$", "The training file has the very same row.")
        elif self.prompts.holds(normalised(prompt)):
            yield Finding("leaked_prompt", "$", "The training file has a row with the same prompt.")


def normalised(prompt: str) -> str:
    """The prompt without what makes no difference: case, white space, the way letters are encoded, its last stop."""
    return " ".join(unicodedata.normalize("NFKC", prompt).casefold().split()).strip(ENDINGS)

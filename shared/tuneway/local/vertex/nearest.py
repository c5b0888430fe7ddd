"""The training example nearest to a prompt: an exact match first, then the largest tf-idf cosine."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from tuneway.local.vertex.store import Example

WORD = re.compile(r"\w+")


class Nearest:
    """An index over examples, built once."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples
        self._exact = {_plain(example.prompt): place for place, example in reversed(list(enumerate(examples)))}
        counts = [Counter(_words(example.prompt)) for example in examples]
        seen = Counter(word for words in counts for word in words)
        self._weight = {word: math.log(1 + len(examples) / found) for word, found in seen.items()}
        self._postings: dict[str, list[tuple[int, float]]] = {}
        for place, words in enumerate(counts):
            self._index(place, words)

    def find(self, prompt: str) -> Example | None:
        """The nearest example; None when there are none at all."""
        exact = self._exact.get(_plain(prompt))
        if exact is not None:
            return self._examples[exact]
        scores: dict[int, float] = {}
        for word, count in Counter(_words(prompt)).items():
            for place, share in self._postings.get(word, ()):
                scores[place] = scores.get(place, 0.0) + count * self._weight[word] * share
        best = max(scores, key=lambda place: (scores[place], -place), default=0)
        return self._examples[best] if self._examples else None

    def _index(self, place: int, words: Counter[str]) -> None:
        length = math.sqrt(sum((count * self._weight[word]) ** 2 for word, count in words.items())) or 1.0
        for word, count in words.items():
            self._postings.setdefault(word, []).append((place, count * self._weight[word] / length))


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())

"""What a student learns: its teacher's answers to the prompts of its file."""

from collections.abc import Sequence

import msgspec

from tuneway.local.vertex.answers import Speaker, recalled
from tuneway.local.vertex.call import Cloud
from tuneway.local.vertex.store import Example
from tuneway.local.vertex.tuning_specs import Spec
from tuneway.local.vertex.versions import version_named


def taught(cloud: Cloud, spec: Spec, examples: Sequence[Example]) -> list[Example]:
    """The lessons of a file: its own answers, or in a distillation the teacher's. Raises Refusal for an unknown one."""
    if spec.tuned_teacher:
        version = version_named(cloud, spec.tuned_teacher)
        teacher = Speaker(version.name, cloud.store, version.sources)
        return [_lesson(each.prompt, recalled(teacher, each.prompt) or "") for each in examples]
    if spec.teacher:
        return [_lesson(each.prompt, _lecture(spec.teacher, each.prompt)) for each in examples]
    return list(examples)


def _lecture(teacher: str, asked: str) -> str:
    return f"This is a simulated answer from the teacher {teacher}. You asked: {asked}"


def _lesson(prompt: str, words: str) -> Example:
    return Example(prompt, msgspec.json.encode([{"text": words}]))

"""Thoughts that come back stand where they stood, and only those that Claude signed."""

import pytest

from tuneway.prediction.hub.messages import AnthropicExtra, ExtraContent, ThinkingBlock
from tuneway.prediction.hub.thoughts import signed_thoughts, with_thoughts


def thought(text: str, index: int | None = None) -> ThinkingBlock:
    return ThinkingBlock(type="thinking", index=index, thinking=text, signature="s")


def said(block: ThinkingBlock) -> str:
    return f"({block.thinking})"


def test_only_what_is_signed_or_redacted_is_given_back() -> None:
    hidden = ThinkingBlock(type="redacted_thinking", data="d")
    unsigned = ThinkingBlock(type="thinking", thinking="b")
    extra = ExtraContent(anthropic=AnthropicExtra(thinking_blocks=[thought("a"), unsigned, hidden]))
    assert signed_thoughts(extra) == [thought("a"), hidden]


@pytest.mark.parametrize("extra", [None, ExtraContent(), ExtraContent(anthropic=AnthropicExtra())])
def test_an_answer_may_come_without_thoughts(extra: ExtraContent | None) -> None:
    assert signed_thoughts(extra) == []


@pytest.mark.parametrize(
    ("thoughts", "told"),
    [
        ([], ["x", "y"]),
        ([thought("a"), thought("b")], ["(a)", "(b)", "x", "y"]),
        ([thought("a", 0), thought("b", 2)], ["(a)", "x", "(b)", "y"]),
        ([thought("a", 9)], ["x", "(a)", "y"]),
    ],
)
def test_each_thought_stands_in_its_place_and_none_at_the_end(thoughts: list[ThinkingBlock], told: list[str]) -> None:
    assert with_thoughts(["x", "y"], thoughts, said) == told


def test_no_thought_stands_alone() -> None:
    assert with_thoughts([], [thought("a")], said) == []

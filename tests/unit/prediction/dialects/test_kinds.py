"""What vendors' answers can hold, by their own SDKs: it is told, or passed over for a reason that stands here."""

from typing import Any, get_args

import botocore.session
import pytest
from anthropic.types import ContentBlock, RawContentBlockDelta, RawMessageStreamEvent, StopReason
from google.genai.types import FinishReason, Part
from openai.types.chat import ChatCompletionMessage
from openai.types.chat.chat_completion_chunk import ChoiceDelta

from tuneway.prediction.dialects.anthropic import response as anthropic
from tuneway.prediction.dialects.bedrock import response as bedrock
from tuneway.prediction.dialects.gemini import response as gemini
from tuneway.prediction.hub.answer import AnswerMessage, Delta

BEDROCK = botocore.session.get_session().get_service_model("bedrock-runtime")


def names(union: Any) -> set[str]:
    """The ``type`` words of a union of an SDK's models."""
    members = get_args(get_args(union)[0]) or get_args(union)
    return {get_args(member.model_fields["type"].annotation)[0] for member in members}


def test_every_reason_to_stop_is_known() -> None:
    assert set(get_args(StopReason)) == set(anthropic.FINISH_REASONS)
    said = set(BEDROCK.shape_for("StopReason").enum)
    assert said == set(bedrock.FINISH_REASONS) | bedrock.BOTCHED


def test_every_reason_of_googles_is_known_or_an_end_like_any_other() -> None:
    like_any_other = {
        "FINISH_REASON_UNSPECIFIED",
        "PUP_LIMITED_DISABLED",
        "CONTINUATION",
        "FINISH_REASON_UNEXPECTED_TOOL_CALL",
    }
    known = set(gemini.FINISH_REASONS) | gemini.BOTCHED | {gemini.UNSIGNED}
    assert {reason.value for reason in FinishReason} <= known | like_any_other


def test_every_block_of_claudes_is_told_or_of_a_tool_that_the_hub_cannot_ask_for() -> None:
    told = {"text", "thinking", "redacted_thinking", "tool_use"}
    of_its_own_tools = {
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "container_upload",
    }
    assert names(ContentBlock) == told | of_its_own_tools


def test_every_event_and_delta_of_claudes_is_told_or_cites_what_the_hub_cannot_have_cited() -> None:
    told = {"text_delta", "input_json_delta", "thinking_delta", "signature_delta"}
    assert names(RawContentBlockDelta) == told | {"citations_delta"}
    assert names(RawMessageStreamEvent) == {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    }


def test_every_block_and_piece_of_converses_is_told_or_cannot_be_asked_for() -> None:
    told = {"text", "toolUse", "reasoningContent", "citationsContent"}
    of_what_is_sent = {"toolAddition", "toolRemoval"}
    not_asked_for = {"image", "document", "video", "audio", "toolResult", "guardContent", "cachePoint", "searchResult"}
    assert set(BEDROCK.shape_for("ContentBlock").members) <= told | not_asked_for | of_what_is_sent
    pieces = {"text", "toolUse", "reasoningContent", "citation", "toolResult", "image"}
    assert set(BEDROCK.shape_for("ContentBlockDelta").members) <= pieces


def test_every_part_of_geminis_is_told_or_of_a_tool_that_the_hub_cannot_ask_for() -> None:
    told = {"text", "thought", "thought_signature", "function_call", "inline_data"}
    not_asked_for = {"executable_code", "code_execution_result", "file_data", "function_response", "tool_call"}
    of_what_is_sent = {"tool_response", "video_metadata", "media_resolution", "part_metadata"}
    of_sound = {"audio_transcription", "media_processing", "speech_metadata"}
    assert set(Part.model_fields) <= told | not_asked_for | of_what_is_sent | of_sound


@pytest.mark.parametrize(("sdk", "ours"), [(ChatCompletionMessage, AnswerMessage), (ChoiceDelta, Delta)])
def test_every_field_of_openais_answers_has_its_place(sdk: Any, ours: Any) -> None:
    assert set(sdk.model_fields) <= set(ours.__struct_fields__)

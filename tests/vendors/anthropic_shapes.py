"""What Anthropic's Messages API takes: the fields of ``MessageCreateParams`` and of its blocks."""

from tests.vendors.shapes import (
    ANY,
    MAP,
    TEXT,
    TRUTH,
    Shape,
    at_least,
    between,
    by_tag,
    either,
    many,
    matching,
    one_of,
    record,
)

NULL: Shape = {"type": "null"}
CACHE = either(record({"type": one_of("ephemeral")}, ttl=one_of("5m", "1h")), NULL)
NAME = matching("^[a-zA-Z0-9_-]{1,128}$")
FILLED = matching(r"\S")
TEXT_BLOCK = record({"type": TEXT, "text": FILLED}, cache_control=CACHE, citations=ANY)
IMAGE_SOURCE = by_tag(
    "type",
    base64=record(
        {
            "type": TEXT,
            "media_type": one_of("image/jpeg", "image/png", "image/gif", "image/webp"),
            "data": matching("^[A-Za-z0-9+/]+={0,2}$"),
        }
    ),
    url=record({"type": TEXT, "url": matching("^https?://")}),
    file=record({"type": TEXT, "file_id": TEXT}),
)
DOCUMENT_SOURCE = by_tag(
    "type",
    base64=record({"type": TEXT, "media_type": one_of("application/pdf"), "data": TEXT}),
    text=record({"type": TEXT, "media_type": one_of("text/plain"), "data": TEXT}),
    url=record({"type": TEXT, "url": matching("^https?://")}),
    file=record({"type": TEXT, "file_id": TEXT}),
    content=record({"type": TEXT, "content": ANY}),
)
IMAGE = record({"type": TEXT, "source": IMAGE_SOURCE}, cache_control=CACHE)
DOCUMENT = record({"type": TEXT, "source": DOCUMENT_SOURCE}, cache_control=CACHE, title=ANY, context=ANY, citations=ANY)
TOOL_RESULT = record(
    {"type": TEXT, "tool_use_id": matching("^[a-zA-Z0-9_-]+$")},
    content=either(TEXT, many(by_tag("type", text=TEXT_BLOCK, image=IMAGE, document=DOCUMENT, search_result=MAP))),
    is_error=TRUTH,
    cache_control=CACHE,
)
USER_BLOCK = by_tag("type", text=TEXT_BLOCK, image=IMAGE, document=DOCUMENT, tool_result=TOOL_RESULT, search_result=MAP)
ASSISTANT_BLOCK = by_tag(
    "type",
    text=TEXT_BLOCK,
    tool_use=record(
        {"type": TEXT, "id": matching("^[a-zA-Z0-9_-]+$"), "name": NAME, "input": MAP}, cache_control=CACHE, caller=ANY
    ),
    thinking=record({"type": TEXT, "thinking": TEXT, "signature": TEXT}),
    redacted_thinking=record({"type": TEXT, "data": TEXT}),
)
MESSAGE = by_tag(
    "role",
    user=record({"role": TEXT, "content": either(FILLED, many(USER_BLOCK, 1))}),
    assistant=record({"role": TEXT, "content": either(FILLED, many(ASSISTANT_BLOCK, 1))}),
    system=record({"role": TEXT, "content": either(FILLED, many(TEXT_BLOCK, 1))}),
)
TOOL = record(
    {
        "name": NAME,
        "input_schema": {"type": "object", "required": ["type"], "properties": {"type": {"const": "object"}}},
    },
    type=one_of("custom"),
    description=TEXT,
    strict=TRUTH,
    cache_control=CACHE,
    input_examples=ANY,
    eager_input_streaming=ANY,
    defer_loading=ANY,
    allowed_callers=ANY,
)
SINGLE = TRUTH
TOOL_CHOICE = by_tag(
    "type",
    auto=record({"type": TEXT}, disable_parallel_tool_use=SINGLE),
    any=record({"type": TEXT}, disable_parallel_tool_use=SINGLE),
    tool=record({"type": TEXT, "name": NAME}, disable_parallel_tool_use=SINGLE),
    none=record({"type": TEXT}),
)
DISPLAY = either(one_of("summarized", "omitted"), NULL)
THINKING = by_tag(
    "type",
    adaptive=record({"type": TEXT}, display=DISPLAY),
    enabled=record({"type": TEXT, "budget_tokens": at_least(1024)}, display=DISPLAY),
    disabled=record({"type": TEXT}),
    between_tools=record({"type": TEXT}, display=DISPLAY),
)
OUTPUT_CONFIG = record(
    effort=either(one_of("low", "medium", "high", "xhigh", "max"), NULL),
    format=either(record({"type": one_of("json_schema"), "schema": MAP}), NULL),
)
SAMPLING = ("temperature", "top_p", "top_k")
BODY = record(
    {"messages": many(MESSAGE, 1, 100_000), "max_tokens": at_least(0)},
    cache_control=CACHE,
    container=ANY,
    diagnostics=ANY,
    inference_geo=ANY,
    metadata=record(user_id=either(matching("^[^@]{0,256}$"), NULL)),
    output_config=OUTPUT_CONFIG,
    service_tier=one_of("auto", "standard_only"),
    speed=ANY,
    stop_sequences=many(FILLED),
    stream=TRUTH,
    system=either(TEXT, many(TEXT_BLOCK, 1)),
    temperature=between(0, 1),
    thinking=THINKING,
    tool_choice=TOOL_CHOICE,
    tools=many(TOOL),
    top_k=at_least(0),
    top_p=between(0, 1),
)

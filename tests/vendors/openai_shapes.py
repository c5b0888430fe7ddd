"""What OpenAI's API takes: the fields of ``CompletionCreateParams``, ``EmbeddingCreateParams`` and their parts."""

from tests.vendors.shapes import (
    ANY,
    MAP,
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE,
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

NULL = {"type": "null"}
NAME = matching("^[a-zA-Z0-9_-]{1,64}$")
TEXT_PART = record({"type": TEXT, "text": TEXT}, prompt_cache_breakpoint=ANY)
USER_PART = by_tag(
    "type",
    text=TEXT_PART,
    image_url=record(
        {
            "type": TEXT,
            "image_url": record(
                {"url": matching("^(https?://|data:image/[a-z]+;base64,)")},
                detail=one_of("auto", "low", "high", "original"),
            ),
        },
        prompt_cache_breakpoint=ANY,
    ),
    input_audio=record(
        {"type": TEXT, "input_audio": record({"data": TEXT, "format": one_of("wav", "mp3")})},
        prompt_cache_breakpoint=ANY,
    ),
    file=record(
        {"type": TEXT, "file": record(file_data=TEXT, file_id=TEXT, filename=TEXT)}, prompt_cache_breakpoint=ANY
    ),
)
ASSISTANT_PART = by_tag("type", text=TEXT_PART, refusal=record({"type": TEXT, "refusal": TEXT}))
TOOL_CALL = by_tag(
    "type",
    function=record({"id": TEXT, "type": TEXT, "function": record({"name": NAME, "arguments": TEXT})}),
    custom=record({"id": TEXT, "type": TEXT, "custom": record({"name": NAME, "input": TEXT})}),
)


def _said(part: Shape) -> Shape:
    return either(TEXT, many(part, 1))


MESSAGE = by_tag(
    "role",
    developer=record({"role": TEXT, "content": _said(TEXT_PART)}, name=TEXT),
    system=record({"role": TEXT, "content": _said(TEXT_PART)}, name=TEXT),
    user=record({"role": TEXT, "content": _said(USER_PART)}, name=TEXT),
    assistant=record(
        {"role": TEXT},
        content=either(TEXT, NULL, many(ASSISTANT_PART, 1)),
        refusal=either(TEXT, NULL),
        annotations=ANY,  # the SDK sends its own message back whole
        name=TEXT,
        audio=either(record({"id": TEXT}), NULL),
        tool_calls=many(TOOL_CALL, 1),
        function_call=either(record({"name": NAME, "arguments": TEXT}), NULL),
    ),
    tool=record({"role": TEXT, "content": _said(TEXT_PART), "tool_call_id": TEXT}),
    function=record({"role": TEXT, "content": either(TEXT, NULL), "name": NAME}),
)
FUNCTION = record({"name": NAME}, description=TEXT, parameters=MAP, strict=either(TRUTH, NULL))
TOOL = by_tag(
    "type",
    function=record({"type": TEXT, "function": FUNCTION}),
    custom=record({"type": TEXT, "custom": record({"name": NAME}, description=TEXT, format=ANY)}),
)
TOOL_CHOICE = either(
    one_of("none", "auto", "required"),
    by_tag(
        "type",
        function=record({"type": TEXT, "function": record({"name": NAME})}),
        custom=record({"type": TEXT, "custom": record({"name": NAME})}),
        allowed_tools=record({"type": TEXT, "allowed_tools": MAP}),
    ),
)
RESPONSE_FORMAT = by_tag(
    "type",
    text=record({"type": TEXT}),
    json_object=record({"type": TEXT}),
    json_schema=record(
        {"type": TEXT, "json_schema": record({"name": NAME}, description=TEXT, schema=MAP, strict=either(TRUTH, NULL))}
    ),
)
STOP = either(TEXT, NULL, many(TEXT, 0, 4))
STREAM_OPTIONS = either(record(include_usage=TRUTH, include_obfuscation=TRUTH), NULL)

CHAT = record(
    {"model": TEXT, "messages": many(MESSAGE, 1)},
    audio=ANY,
    frequency_penalty=either(between(-2, 2), NULL),
    function_call=ANY,
    functions=many(FUNCTION, 1),
    logit_bias=either(MAP, NULL),
    logprobs=either(TRUTH, NULL),
    max_completion_tokens=either(at_least(1), NULL),
    max_tokens=either(at_least(1), NULL),
    metadata=either(MAP, NULL),
    modalities=ANY,
    moderation=ANY,
    n=either({"type": "integer", "minimum": 1, "maximum": 128}, NULL),
    parallel_tool_calls=TRUTH,
    prediction=ANY,
    presence_penalty=either(between(-2, 2), NULL),
    prompt_cache_key=TEXT,
    prompt_cache_options=ANY,
    prompt_cache_retention=one_of("in_memory", "in-memory", "24h"),
    reasoning_effort=either(one_of("none", "minimal", "low", "medium", "high", "xhigh", "max"), NULL),
    response_format=RESPONSE_FORMAT,
    safety_identifier=TEXT,
    seed=either(WHOLE, NULL),
    service_tier=either(one_of("auto", "default", "flex", "scale", "priority", "fast"), NULL),
    stop=STOP,
    store=either(TRUTH, NULL),
    stream=either(TRUTH, NULL),
    stream_options=STREAM_OPTIONS,
    temperature=either(between(0, 2), NULL),
    tool_choice=TOOL_CHOICE,
    tools=many(TOOL, 1, 128),
    top_logprobs=either({"type": "integer", "minimum": 0, "maximum": 20}, NULL),
    top_p=either(between(0, 1), NULL),
    user=TEXT,
    verbosity=either(one_of("low", "medium", "high"), NULL),
    web_search_options=ANY,
)
COMPLETION = record(
    {"model": TEXT, "prompt": either(TEXT, NULL, many(ANY))},
    best_of=either(WHOLE, NULL),
    echo=either(TRUTH, NULL),
    frequency_penalty=either(NUMBER, NULL),
    logit_bias=either(MAP, NULL),
    logprobs=either(WHOLE, NULL),
    max_tokens=either(at_least(0), NULL),
    n=either(at_least(1), NULL),
    presence_penalty=either(NUMBER, NULL),
    seed=either(WHOLE, NULL),
    stop=STOP,
    stream=either(TRUTH, NULL),
    stream_options=STREAM_OPTIONS,
    suffix=either(TEXT, NULL),
    temperature=either(between(0, 2), NULL),
    top_p=either(NUMBER, NULL),
    user=TEXT,
)
EMBEDDING = record(
    {
        "model": TEXT,
        "input": either(matching("."), many(matching("."), 1, 2048), many(WHOLE, 1), many(many(WHOLE, 1), 1)),
    },
    dimensions=at_least(1),
    encoding_format=one_of("float", "base64"),
    user=TEXT,
)

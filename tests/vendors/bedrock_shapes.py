"""What Bedrock's Converse takes: the members of its shapes in the service's model."""

from tests.vendors.shapes import (
    ANY,
    MAP,
    TEXT,
    Shape,
    at_least,
    between,
    either,
    many,
    matching,
    one_of,
    record,
)

BASE64 = matching("^[A-Za-z0-9+/]+={0,2}$")
NAME = matching("^[a-zA-Z0-9_-]{1,64}$")
USE_ID = matching("^[a-zA-Z0-9_.:-]{1,64}$")
SOURCE = either(
    record({"bytes": BASE64}), record({"s3Location": record({"uri": matching("^s3://")}, bucketOwner=TEXT)})
)
CACHE_POINT = record({"type": one_of("default")}, ttl=one_of("5m", "1h"))


def _union(**members: Shape) -> Shape:
    """A union: exactly one of its members."""
    return {**record(**members), "minProperties": 1, "maxProperties": 1}


IMAGE = record({"format": one_of("png", "jpeg", "gif", "webp"), "source": SOURCE})
DOCUMENT = record(
    {
        "name": matching(r"^[a-zA-Z0-9\s\-()\[\]]{1,200}$"),
        "source": either(SOURCE, record({"text": TEXT}), record({"content": ANY})),
    },
    format=one_of("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
    context=TEXT,
    citations=ANY,
)
VIDEO = record(
    {"format": one_of("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"), "source": SOURCE}
)
AUDIO = record({"format": one_of("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "webm"), "source": SOURCE})
TOOL_RESULT = record(
    {"toolUseId": USE_ID, "content": many(_union(json=ANY, text=TEXT, image=IMAGE, document=DOCUMENT, video=VIDEO))},
    status=one_of("success", "error"),
    type=TEXT,
)
REASONING = _union(reasoningText=record({"text": TEXT}, signature=TEXT), redactedContent=BASE64)
BLOCK = _union(
    text=TEXT,
    image=IMAGE,
    document=DOCUMENT,
    video=VIDEO,
    audio=AUDIO,
    toolUse=record({"toolUseId": USE_ID, "name": NAME, "input": MAP}, type=TEXT),
    toolResult=TOOL_RESULT,
    guardContent=MAP,
    cachePoint=CACHE_POINT,
    reasoningContent=REASONING,
    citationsContent=MAP,
    searchResult=MAP,
)
MESSAGE = record({"role": one_of("user", "assistant", "system"), "content": many(BLOCK, 1)})
TOOL = _union(
    toolSpec=record(
        {"name": NAME, "inputSchema": record({"json": MAP})}, description=matching("."), strict={"type": "boolean"}
    ),
    systemTool=record({"name": NAME}),
    cachePoint=CACHE_POINT,
)
TOOL_CONFIG = record(
    {"tools": many(TOOL, 1)}, toolChoice=_union(auto=record(), any_=record(), tool=record({"name": NAME}))
)
STRUCTURE = _union(jsonSchema=record({"schema": TEXT}, name=TEXT, description=TEXT))
BODY = record(
    {"messages": many(MESSAGE, 1)},
    system=many(_union(text=TEXT, guardContent=MAP, cachePoint=CACHE_POINT)),
    inferenceConfig=record(
        maxTokens=at_least(1),
        temperature=between(0, 1),
        topP=between(0, 1),
        stopSequences=many(matching("."), 0, 2500),
    ),
    toolConfig=TOOL_CONFIG,
    outputConfig=record(
        textFormat=record({"type": one_of("json_schema"), "structure": STRUCTURE}),
        effort=one_of("low", "medium", "high", "xhigh", "max"),
    ),
    additionalModelRequestFields=MAP,
    additionalModelResponseFieldPaths=many(TEXT, 0, 10),
    requestMetadata=MAP,
    serviceTier=record({"type": one_of("priority", "default", "flex", "reserved")}),
    performanceConfig=record(latency=one_of("standard", "optimized")),
    guardrailConfig=MAP,
    promptVariables=MAP,
)
TITAN = record(
    {"inputText": matching(".")},
    dimensions={"enum": [256, 512, 1024]},
    normalize={"type": "boolean"},
    embeddingTypes=many(one_of("float", "binary")),
)
COHERE = record(
    {
        "texts": many(matching("."), 1, 96),
        "input_type": one_of("search_document", "search_query", "classification", "clustering"),
    },
    truncate=one_of("NONE", "START", "END", "LEFT", "RIGHT"),
    embedding_types=many(one_of("float", "int8", "uint8", "binary", "ubinary")),
    output_dimension=at_least(256),
)

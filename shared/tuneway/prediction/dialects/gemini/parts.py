"""Hub → Gemini: content parts. Data travels inline; ``gs://`` and ``https://`` by reference, typed by extension."""

from typing import TypedDict, assert_never

from tuneway.errors import BadInput
from tuneway.prediction.hub.inline import DATA_URL, base64_bytes, registered, type_by_name
from tuneway.prediction.hub.messages import AudioPart, FilePart, ImagePart, TextPart
from tuneway.prediction.hub.messages import Part as HubPart


class Blob(TypedDict):
    """Data by value."""

    mimeType: str
    data: str


class FileData(TypedDict):
    """Data by reference."""

    mimeType: str
    fileUri: str


class FunctionCall(TypedDict):
    """A function to call, or called."""

    name: str
    args: object


class FunctionResponse(TypedDict):
    """What a called function gave back."""

    name: str
    response: object


class Part(TypedDict, total=False):
    """One part of a turn."""

    text: str
    inlineData: Blob
    fileData: FileData
    functionCall: FunctionCall
    functionResponse: FunctionResponse
    thoughtSignature: str


_REFERENCES = ("gs://", "https://", "http://")


def parts_of(content: str | list[HubPart], *, param: str) -> list[Part]:
    """A user message's content; empty texts are left out, Vertex AI refuses them.

    Raises BadInput naming the part, as ``messages[0].content[1].…``.
    """
    if isinstance(content, str):
        return [{"text": content}] if content else []
    return [
        _part(part, f"{param}[{position}]")
        for position, part in enumerate(content)
        if not (isinstance(part, TextPart) and not part.text)
    ]


def _part(part: HubPart, param: str) -> Part:
    match part:
        case TextPart(text=text):
            return {"text": text}
        case ImagePart(image_url=image):
            # Of no known extension it is announced as JPEG: the host looks at its bytes anyway.
            return _media(image.url, default=image.format or "image/jpeg", param=f"{param}.image_url.url")
        case AudioPart(input_audio=audio):
            return _inline(f"audio/{audio.format}", audio.data, f"{param}.input_audio.data")
        case FilePart():
            return _file(part, f"{param}.file")
        case _:
            assert_never(part)


def _file(part: FilePart, param: str) -> Part:
    file = part.file
    if file.file_data is not None:
        given, default = f"{param}.file_data", type_by_name(file.filename or "", "application/pdf")
        if file.file_data.startswith("data:"):
            return _media(file.file_data, default=default, param=given)
        return _inline(default, file.file_data, given)
    if file.file_id is not None and file.file_id.startswith(("gs://", "https://")):
        return _media(file.file_id, default="application/pdf", param=f"{param}.file_id")
    raise BadInput(
        "A file part needs 'file_data' (a data: URL or base64) or a 'file_id' that is a gs:// or https:// URL.",
        param=f"{param}.file_id",
        code="invalid_value",
    )


def _media(url: str, *, default: str, param: str) -> Part:
    if data := DATA_URL.fullmatch(url):
        return _inline(data["mime"], data["data"], param)
    if url.startswith(_REFERENCES):
        return {"fileData": {"mimeType": type_by_name(url, default), "fileUri": url}}
    raise BadInput(
        "The URL must be data:<type>;base64,<data>, gs://<bucket>/<object> or https://….",
        param=param,
        code="invalid_value",
    )


def _inline(mime: str, data: str, param: str) -> Part:
    base64_bytes(data, param=param)
    return {"inlineData": {"mimeType": registered(mime), "data": data}}

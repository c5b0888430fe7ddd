"""Files that rows refer to: where they may lie and which kind they are."""

import re
from collections.abc import Iterator

from tuneway.tuning.datasets.report import Finding, excerpt

MIME_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "m4a": "audio/m4a",
    "ogg": "audio/ogg",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
}
DOCUMENTS = ("application", "text")
KINDS = ("image", "audio", "video", *DOCUMENTS)
MIME = re.compile(r"[a-z]+/[A-Za-z0-9][A-Za-z0-9.+-]*")
INLINE = re.compile(r"data:image/[A-Za-z0-9.+-]+;base64,[A-Za-z0-9+/_-]+={0,2}")
CLOUD = "gs://"


def mime_type(uri: str) -> str | None:
    """The type that the extension of ``uri`` tells, or None."""
    return MIME_TYPES.get(uri.rpartition(".")[2].lower())


def reference_findings(uri: str, path: str, modalities: tuple[str, ...]) -> Iterator[Finding]:
    """What is wrong with a reference whose type comes from its extension."""
    if not uri.startswith(CLOUD):
        yield elsewhere(uri, path)
        return
    found = mime_type(uri)
    if found is None:
        yield Finding("media_type_unknown", path, "The extension does not tell the type of the file.", excerpt(uri))
    else:
        yield from modality_findings(found, path, modalities)


def elsewhere(uri: str, path: str) -> Finding:
    """What is wrong with a file that does not lie in Cloud Storage."""
    scheme = uri.partition(":")[0].lower()
    match scheme:
        case "data" if INLINE.fullmatch(uri):
            return Finding("media_inline", path, "The file's data is inline.", excerpt(uri))
        case "data":
            return Finding("media_data_uri", path, "The data: address holds no image in base64.", excerpt(uri))
        case "http" | "https" | "s3":
            return Finding("media_not_gs", path, "The file is not in Cloud Storage.", excerpt(uri))
        case _:
            return Finding("media_scheme", path, "The address has no scheme that is known.", excerpt(uri))


def modality_findings(mime: str, path: str, modalities: tuple[str, ...]) -> Iterator[Finding]:
    """What is wrong with a file of this type, given the kinds that the base model takes."""
    kind = mime.partition("/")[0]
    if kind not in KINDS or not MIME.fullmatch(mime):
        yield Finding("media_mime", path, "That is no type of a file that a model takes.", excerpt(mime))
        return
    modality = "document" if kind in DOCUMENTS else kind
    if modality not in modalities:
        taken = ", ".join(modalities)
        yield Finding("modality_not_taken", path, f"The base model takes {taken}, not {modality}.", excerpt(mime))

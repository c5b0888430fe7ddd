"""Files that rows refer to: where they may lie and which kind they are."""

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


def mime_type(uri: str) -> str | None:
    """The type that the extension of ``uri`` tells, or None."""
    return MIME_TYPES.get(uri.rpartition(".")[2].lower())


def reference_findings(uri: str, path: str, modalities: tuple[str, ...]) -> Iterator[Finding]:
    """What is wrong with a reference whose type comes from its extension."""
    found = mime_type(uri)
    if uri.startswith("data:"):
        yield Finding("media_inline", path, "The file's data is inline.", excerpt(uri))
    elif not uri.startswith("gs://"):
        yield Finding("media_not_gs", path, "The file is not in Cloud Storage.", excerpt(uri))
    elif found is None:
        yield Finding("media_type_unknown", path, "The extension does not tell the type of the file.", excerpt(uri))
    else:
        yield from modality_findings(found, path, modalities)


def modality_findings(mime: str, path: str, modalities: tuple[str, ...]) -> Iterator[Finding]:
    """What is wrong with a file of this type, given the kinds that the base model takes."""
    kind = mime.partition("/")[0].lower()
    modality = "document" if kind in DOCUMENTS else kind
    if modality not in modalities:
        taken = ", ".join(modalities)
        yield Finding("modality_not_taken", path, f"The base model takes {taken}, not {modality}.", excerpt(mime))

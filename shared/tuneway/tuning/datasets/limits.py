"""What a base model takes as a dataset: the limits a lint holds rows against."""

import msgspec

MEBIBYTE = 1 << 20
MAX_ROWS = 10_000_000
MAX_MEDIA_ROWS = 300_000
MAX_BYTES = 1_000_000_000
MAX_ROW_TOKENS = 131_072
MIN_VALIDATION_CAP = 1_000


class DatasetLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one base model; the defaults are those of Gemini supervised tuning.

    ``media_rows`` counts rows with a file in them, ``row_tokens`` prompt and answer together, ``line_bytes`` is our own
    bound on memory. ``modalities`` are ``text``, ``image``, ``audio``, ``video`` and ``document``.
    """

    rows: int = MAX_ROWS
    media_rows: int = MAX_MEDIA_ROWS
    bytes: int = MAX_BYTES
    row_tokens: int = MAX_ROW_TOKENS
    line_bytes: int = 8 * MEBIBYTE
    recommended_rows: int = 100
    validation_rows: int = 5_000
    validation_share: float = 0.3
    modalities: tuple[str, ...] = ("text", "image", "audio", "video", "document")

    def for_validation(self, training_rows: int) -> "DatasetLimits":
        """The limits of a validation file beside ``training_rows``: above 1,000 rows a share of the training rows."""
        share = max(MIN_VALIDATION_CAP, int(training_rows * self.validation_share))
        return msgspec.structs.replace(self, rows=min(self.validation_rows, share), recommended_rows=1)

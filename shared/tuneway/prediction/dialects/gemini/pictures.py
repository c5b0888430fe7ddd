"""Gemini → hub: the pictures that a model drew, those of its thoughts left out."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from tuneway.prediction.hub.answer import AnswerImage
from tuneway.prediction.hub.messages import ImageUrl


class Blob(msgspec.Struct, rename="camel", gc=False):
    """Data by value."""

    mime_type: str = ""
    data: str = ""


def pictures(drawn: Sequence[Blob]) -> list[AnswerImage] | UnsetType:
    """The pictures as ``data:`` URLs, in order; absent where there are none."""
    urls = [f"data:{blob.mime_type};base64,{blob.data}" for blob in drawn]
    return [AnswerImage(index=index, image_url=ImageUrl(url)) for index, url in enumerate(urls)] or UNSET

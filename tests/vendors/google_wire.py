"""What Google's calls that only answer whole have in common, whatever is asked: no stream, Google's form of errors."""

from collections.abc import Mapping

from typing_extensions import override

from tests.vendors.fake import Asked, Wire, encoded
from tests.vendors.gemini import google_error
from tests.vendors.script import Error, Reply
from tests.vendors.shapes import refuse


class GoogleWhole(Wire):
    """A call of Vertex AI that answers whole."""

    stream_kind = ""

    @override
    def streams(self, asked: Asked) -> bool:
        return False

    @override
    def events(self, asked: Asked, reply: Reply) -> list[bytes]:
        raise refuse(501, "Operation is not implemented.")

    @override
    def failed(self, error: Error) -> tuple[object, Mapping[str, str]]:
        return google_error(error), {}

    @override
    def broken(self, error: Error) -> bytes:
        return encoded(google_error(error))

"""``/v1/files`` in OpenAI's shapes."""

from collections.abc import Mapping

from tuneway.access.keys import Scope
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.fine_tuning.paging import going_on
from tuneway.edge.lists import page
from tuneway.errors import BadInput
from tuneway.tuning.files import FileRecord, FileShelf

MOST_FILES = 10_000


def rules(shelf: FileShelf) -> list[Rule]:
    """The door's rules for files."""
    handlers = _Files(shelf)
    return [
        Rule("POST", "/v1/files", Scope.TUNE, handlers.upload),
        Rule("GET", "/v1/files", Scope.TUNE, handlers.list),
        Rule("GET", "/v1/files/{file_id}", Scope.TUNE, handlers.retrieve),
        Rule("DELETE", "/v1/files/{file_id}", Scope.TUNE, handlers.delete),
        Rule("GET", "/v1/files/{file_id}/content", Scope.TUNE, handlers.content),
    ]


class _Files:
    def __init__(self, shelf: FileShelf) -> None:
        self._shelf = shelf

    def upload(self, call: Call) -> Body:
        form, uploads = call.form(), call.uploads()
        _check_form(form, uploads)
        upload = uploads["file"]
        record = self._shelf.upload(
            upload.content, filename=upload.filename, purpose=form["purpose"], owner=call.grant.owner
        )
        return rendered(record)

    def list(self, call: Call) -> Body:
        limit = call.limit(default=MOST_FILES, most=MOST_FILES)
        order = call.query.get("order", "desc")
        if order not in {"asc", "desc"}:
            raise BadInput("'order' is 'asc' or 'desc'.", param="order")
        found = going_on(
            call,
            lambda after: self._shelf.list(
                owner=call.grant.owner,
                purpose=call.query.get("purpose"),
                after=after,
                limit=limit + 1,
                descending=order == "desc",
            ),
        )
        return page([rendered(record) for record in found], limit)

    def retrieve(self, call: Call) -> Body:
        return rendered(self._shelf.get(call.path["file_id"], owner=call.grant.owner))

    def content(self, call: Call) -> Body:
        return self._shelf.content(call.path["file_id"], owner=call.grant.owner)

    def delete(self, call: Call) -> Body:
        self._shelf.delete(call.path["file_id"], owner=call.grant.owner)
        return {"id": call.path["file_id"], "object": "file", "deleted": True}


def rendered(record: FileRecord) -> dict[str, object]:
    """The file as OpenAI shows it; checking its rows is the job's work, so it is ``processed`` once it is kept."""
    return {
        "id": record.id,
        "object": "file",
        "bytes": record.bytes,
        "created_at": int(record.created_at),
        "filename": record.filename,
        "purpose": record.purpose,
        "status": "processed",
    }


def _check_form(form: Mapping[str, str], uploads: Mapping[str, object]) -> None:
    if "file" not in uploads:
        raise BadInput("Send the file as the multipart form's part 'file'.", param="file")
    if "purpose" not in form:
        raise BadInput("Send the form field 'purpose' with the value 'fine-tune'.", param="purpose")
    for name in (form.keys() - {"purpose"}) | (uploads.keys() - {"file"}):
        raise BadInput(f"Unknown form field '{name}'. Leave it out.", param=name, code="unknown_parameter")

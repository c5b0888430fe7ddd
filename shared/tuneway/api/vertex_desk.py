"""Vertex AI's jobs as they are kept there, the only state there is: start one, look at it, list them, end it."""

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from tuneway.adapters.vertex_custom import CUSTOM
from tuneway.adapters.vertex_jobs import TOKEN_LABEL, JobKind, Page, VertexJobs
from tuneway.adapters.vertex_open import OPEN, with_checkpoints
from tuneway.adapters.vertex_rest import VertexRest
from tuneway.adapters.vertex_tuning import GEMINI
from tuneway.api.errors import refused
from tuneway.api.vertex_account import Account
from tuneway.errors import TryLater
from tuneway.ports import ProviderJob, TuningRequest

T = TypeVar("T")

# The version of the API that has all the fields of a collection's jobs.
COLLECTIONS = {"tuningJobs": "v1beta1", "customJobs": "v1"}
KINDS: dict[str, tuple[str, JobKind]] = {
    "vertex_ai": ("tuningJobs", GEMINI),
    "vertex_open": ("tuningJobs", OPEN),
    "vertex_custom": ("customJobs", CUSTOM),
}
OURS = {"customJobs": f"labels.{TOKEN_LABEL}:*"}  # any training at all may be a custom job
REGIONAL = frozenset({"customJobs"})
PAGE = "100"


class Kept(msgspec.Struct, frozen=True):
    """A job's own JSON, and what it says in tuneway's words."""

    body: bytes
    provider: ProviderJob
    backend: str


class _Marks(msgspec.Struct, frozen=True, rename="camel"):
    """What tells the jobs of one collection apart."""

    name: str = ""
    output_uri: str = ""


class VertexDesk:
    """The jobs of one project. Raises as ``ports.TuningBackend``."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._rests: dict[str, VertexRest] = {}

    def create(self, request: TuningRequest, *, backend: str) -> Kept:
        """Start the job. After TryLater it may exist all the same: ``find`` it before calling again."""
        jobs, kind = KINDS[backend]
        return self._read(self._rest(jobs).create(request.location, kind.to_body(request)))

    def find(self, token: str, *, location: str, backend: str) -> Kept | None:
        """The job that was started with this token."""
        jobs, kind = KINDS[backend]
        found = VertexJobs(self._rest(jobs), kind).find(token, location=location)
        return None if found is None else self.get(found.name)

    def get(self, name: str) -> Kept:
        """The job now. Raises NotFound."""
        return self._read(self._rest(_collection(name)).get(name), looks=True)

    def cancel(self, name: str) -> None:
        """Ask for the end; a job that has ended stays as it is."""
        self._rest(_collection(name)).cancel(name)

    def listed(self, location: str) -> list[Kept]:
        """The location's tuning jobs, whoever started them, and the custom jobs that were started through tuneway."""
        jobs = (name for name in COLLECTIONS if location != "global" or name not in REGIONAL)
        return [self._read(bytes(body)) for name in jobs for body in self._bodies(name, location)]

    def _bodies(self, jobs: str, location: str) -> Iterator[msgspec.Raw]:
        token = ""
        while True:
            query = {"pageSize": PAGE, "filter": OURS.get(jobs, ""), "pageToken": token}
            given = {name: value for name, value in query.items() if value}
            page = _decoded(self._rest(jobs).page(location, query=given), Page)
            yield from page.bodies
            token = page.next_page_token
            if not token:
                return

    def _rest(self, jobs: str) -> VertexRest:
        if jobs not in self._rests:
            account = self._account
            self._rests[jobs] = VertexRest(
                jobs,
                COLLECTIONS[jobs],
                project=account.project,
                timeout=account.timeout,
                vertex_url=account.vertex_url,
                credentials=account.credentials,
            )
        return self._rests[jobs]

    def _read(self, body: bytes, *, looks: bool = False) -> Kept:
        backend = _backend(_decoded(body, _Marks))
        if looks and backend == "vertex_open":
            return Kept(body, with_checkpoints(body, self._rest("tuningJobs")), backend)
        try:
            return Kept(body, KINDS[backend][1].from_json(body), backend)
        except msgspec.MsgspecError as exc:
            raise TryLater(f"Vertex AI gave an answer that cannot be read: {exc}") from exc


def check_backend(backend: str) -> None:
    """Raises BadRequestError for a backend that is not Vertex AI's."""
    if backend not in KINDS:
        raise refused(
            f"Models of '{backend}' are not tuned from this computer. Give the base_url of a deployed tuneway that "
            "has an account there.",
            param="model",
        )


def _collection(name: str) -> str:
    found = next((jobs for jobs in COLLECTIONS if f"/{jobs}/" in name), None)
    if found is None:
        said = f"'{name[:200]}' is no job of Vertex AI: projects/…/locations/…/tuningJobs/… (or customJobs)."
        raise refused(said, param="fine_tuning_job_id")
    return found


def _backend(marks: _Marks) -> str:
    if "/customJobs/" in marks.name:
        return "vertex_custom"
    return "vertex_open" if marks.output_uri else "vertex_ai"


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as exc:
        raise TryLater(f"Vertex AI gave an answer that cannot be read: {exc}") from exc

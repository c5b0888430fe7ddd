"""Tuning jobs on Vertex AI from this computer: the core that the functions use, and no state but the provider's."""

import secrets
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime

import msgspec
from google.auth.exceptions import GoogleAuthError

from tuneway.adapters import plugs
from tuneway.api import computer_files, provider_views
from tuneway.api.answers import FineTuningJob, FineTuningJobs
from tuneway.api.errors import refused
from tuneway.api.job_options import Asked, Way
from tuneway.api.vertex_account import Account
from tuneway.api.vertex_desk import Kept, VertexDesk, check_backend
from tuneway.edge.bodies import decoded
from tuneway.edge.fine_tuning.job_orders import CreateJob, order
from tuneway.errors import NotFound, TryLater, TunewayError, UpstreamError
from tuneway.ports import Files, PreTuned
from tuneway.tuning import gate
from tuneway.tuning.allowance import Allowance
from tuneway.tuning.bases import BaseModel
from tuneway.tuning.cost import amount
from tuneway.tuning.jobs import Job
from tuneway.tuning.orders import JobOrder, Subject, Terms, accepted, job_id, to_request
from tuneway.tuning.validate import Datasets, Means, Verdict

PAUSES = (1.0, 3.0)  # seconds before a create, whose answer was lost, is looked for and repeated
UNKNOWN = (
    "The job may have begun all the same: look at list_fine_tuning_jobs before you create it again, or send the header "
    "Idempotency-Key from the first time on."
)
PAGE = 20
MOST = 100
MODEL = "/models/"


class Vertex:
    """The use cases for one account. Raises TunewayError."""

    def __init__(self, way: Way) -> None:
        self._account = Account(way)
        self._desk = VertexDesk(self._account)
        self._catalogue = plugs.catalogue(self._account.settings)
        self._repeats = dict(way.extra_headers)

    def create(self, asked: Asked) -> FineTuningJob:
        """Check every row, put them where Vertex AI reads them, and start the job; its answer is awaited."""
        ordered = order(decoded(msgspec.json.encode(asked.fields), CreateJob), self._key(), subject=self._subject)
        self._check(ordered)
        subject = self._subject(ordered.model)
        job = self._accepted(ordered, subject)
        if ordered.idempotency_key and (earlier := self._found(job)):
            return self._shown(earlier)
        _check_named(ordered)
        place = f"gs://{self._account.bucket(ordered.training_file, ordered.validation_file)}"
        files = computer_files.sources(self._account)
        verdict = self._verdict(job, files, place)
        try:
            _check(verdict)
            return self._shown(self._started(verdict.job, subject.base, place=place), ordered=verdict.job)
        except TryLater:
            raise  # the job may have begun, and read its rows
        except TunewayError:
            _forget(verdict.job, files, place)
            raise

    def get(self, name: str) -> FineTuningJob:
        """The job as it stands."""
        return self._shown(self._desk.get(self._named(name)))

    def cancel(self, name: str) -> FineTuningJob:
        """The job that is being ended."""
        self._desk.cancel(self._named(name))
        return self.get(name)

    def page(self, *, after: str | None, limit: int | None) -> FineTuningJobs:
        """The location's jobs, the newest first. Raises NotFound when ``after`` is none of them."""
        size = PAGE if limit is None else limit
        if not 1 <= size <= MOST:
            raise refused(f"A page has 1 to {MOST} jobs.", param="limit")
        listed = self._desk.listed(self._account.location)
        jobs = sorted((self._shown(kept) for kept in listed), key=lambda job: (job.created_at, job.id), reverse=True)
        ids = [job.id for job in jobs]
        if after is not None and after not in ids:
            raise NotFound(f"There is no job '{after[:200]}' to go on after.", param="after")
        rest = jobs[ids.index(after) + 1 :] if after is not None else jobs
        return FineTuningJobs({"object": "list", "data": rest[:size], "has_more": len(rest) > size})

    def _started(self, job: Job, base: BaseModel, *, place: str) -> Kept:
        """The job at Vertex AI; after a lost answer it is looked for before it is asked for again."""
        request = to_request(job, base, place=place)
        for seconds in PAUSES:
            try:
                return self._desk.create(request, backend=job.backend)
            except TryLater as fault:
                if isinstance(fault.__cause__, GoogleAuthError):
                    raise
                threading.Event().wait(seconds)
            if found := self._found(job):
                return found
        try:
            return self._desk.create(request, backend=job.backend)
        except TryLater as fault:
            raise TryLater(f"{fault.message} {UNKNOWN}") from fault

    def _found(self, job: Job) -> Kept | None:
        return self._desk.find(job.id, location=job.location, backend=job.backend)

    def _verdict(self, job: Job, files: Files, place: str) -> Verdict:
        """The job with its rows linted, and put into the bucket in Vertex AI's words where they are not there so."""
        datasets = Datasets(
            computer_files.Paths(job.owner),
            files,
            catalogue=self._catalogue,
            bucket=place.removeprefix("gs://"),
            now=time.time,
            means=Means(tables=plugs.tables),
        )
        return datasets.checked(job)

    def _accepted(self, ordered: JobOrder, subject: Subject) -> Job:
        owner = self._account.project
        most = Allowance(caller=ordered.max_cost_usd, installation=self._account.settings.max_cost_usd)
        location = _location(subject.pre_tuned, subject.base, self._account)
        terms = Terms(owner=owner, allowance=most, location=location, now=time.time())
        job = accepted(ordered, subject, id_=job_id(ordered, owner, random=secrets.token_hex(12)), terms=terms)
        return msgspec.structs.replace(job, location=location)

    def _subject(self, model: str) -> Subject:
        """A base model, or a tuned model of the project's to go on from."""
        bare = model.removeprefix("vertex_ai/")
        if not (bare.startswith("projects/") and MODEL in bare):
            return Subject(base=self._base(model))
        listed = self._desk.listed(bare.split("/")[3])
        for name, checkpoint in ((bare, None), *_with_checkpoint(bare)):
            for kept in listed:
                if kept.provider.tuned and name in {kept.provider.tuned.model, _plain(kept.provider.tuned.model)}:
                    base = provider_views.job_of(kept, self._catalogue, now=time.time()).base_model
                    found = PreTuned(model=kept.provider.tuned.model, checkpoint=checkpoint)
                    return Subject(base=self._base(base), pre_tuned=found)
        said = f"No tuning job made the model '{bare[:200]}', so nobody knows what it goes on from."
        raise refused(said, param="model", code="model_not_found")

    def _base(self, name: str) -> BaseModel:
        base = self._catalogue.base(name, today=_today())
        check_backend(base.backend)
        return base

    def _check(self, ordered: JobOrder) -> None:
        if ordered.metadata:
            raise refused("A job of Vertex AI has no place for metadata. Leave it out.", param="metadata")

    def _key(self) -> str | None:
        """The idempotency key: the one header that has a meaning on the way to Vertex AI."""
        for name in self._repeats:
            if name != "idempotency-key":
                said = f"'{name}' would not reach Vertex AI with a tuning job. Leave it out."
                raise refused(said, param="extra_headers")
        return self._repeats.get("idempotency-key")

    def _named(self, id_: str) -> str:
        """The resource name; digits alone are a tuning job of the project and location that were given."""
        if not (id_.isascii() and id_.isdecimal()):
            return id_
        return f"projects/{self._account.project}/locations/{self._account.location}/tuningJobs/{id_}"

    def _shown(self, kept: Kept, ordered: Job | None = None) -> FineTuningJob:
        return provider_views.shown(kept, self._catalogue, now=time.time(), ordered=ordered)


@contextmanager
def vertex(way: Way) -> Generator[Vertex]:
    """The use cases of the caller's account. Raises TunewayError; credentials at fault are the caller's own."""
    try:
        yield Vertex(way)
    except TryLater as fault:
        if not isinstance(fault.__cause__, GoogleAuthError):
            raise
        code = "upstream_authentication_failed"
        raise UpstreamError(fault.message, status=502, kind="api_error", code=code) from fault


def _location(pre_tuned: PreTuned | None, base: BaseModel, account: Account) -> str:
    """Where to train: with the model to go on from, else where the call says, else where the base can be tuned."""
    if pre_tuned is not None:
        return pre_tuned.model.split("/")[3]
    chosen, locations = account.chosen_location, base.tuning_locations
    if chosen is not None and locations and chosen not in locations:
        said = f"'{base.name}' cannot be tuned in {chosen}. Use one of {', '.join(locations)}."
        raise refused(said, param="vertex_location")
    return account.location if account.location in locations or not locations else locations[0]


def _check_named(ordered: JobOrder) -> None:
    computer_files.check_named(ordered.training_file, field="training_file")
    if ordered.validation_file is not None:
        computer_files.check_named(ordered.validation_file, field="validation_file")


def _check(verdict: Verdict) -> None:
    """Refuse rows that cannot be tuned on, and what may cost more than it is allowed to: nobody is there to ask."""
    if (fault := verdict.error) is not None:
        raise refused(fault.message, param=fault.param or "training_file", code=fault.code)
    job = verdict.job
    limit, bound = job.allowance.least, gate.upper_bound(job)
    if limit is None or (bound is not None and bound <= limit):
        return
    known = "nobody knows what the job costs" if bound is None else f"the job may cost up to {amount(bound)}"
    label = f" ({job.estimate.label})" if job.estimate else ""
    said = (
        f"Not started: {known}{label}, and it is to cost at most {amount(limit)}. Raise max_cost_usd, or leave it out."
    )
    raise refused(said, param="max_cost_usd", code="cost_limit")


def _forget(job: Job, files: Files, place: str) -> None:
    """Remove the copies of a job that is not to be; who may not even do that learns of the first fault."""
    for uri in (job.training_uri, job.validation_uri):
        if uri is not None and uri.startswith(f"{place}/jobs/{job.id}/"):
            with suppress(TunewayError):
                files.delete(uri)


def _with_checkpoint(name: str) -> list[tuple[str, str]]:
    model, at, checkpoint = name.rpartition("@")
    return [(model, checkpoint)] if at else []


def _plain(model: str) -> str:
    """Without its version."""
    return model.partition("@")[0]


def _today() -> date:
    return datetime.fromtimestamp(time.time(), UTC).date()

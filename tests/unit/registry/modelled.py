"""A registry in which acme has tuned models, with its edits and the jobs behind it."""

from pathlib import Path

import msgspec

from tests.fakes import Fuse, Loop
from tuneway.ports import TunedModel
from tuneway.registry.models.comparing import Comparison, compared
from tuneway.registry.models.lineage import Lineages
from tuneway.registry.models.model_desk import ModelDesk, Who, Words
from tuneway.registry.models.model_shelf import ModelShelf
from tuneway.registry.models.model_uses import Uses
from tuneway.registry.models.registering import Into, Registering
from tuneway.registry.shelves import Model, Version
from tuneway.routing.routes import Route, Target
from tuneway.routing.snapshot import current
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.jobs import Job
from tuneway.tuning.origins import JobOrigins

ACME = Who(owner="acme", name="acme")
RIVAL = Who(owner="rival", name="rival")
ADMIN = Who(owner=None, name="ops")
BOT = "support-bot"
PLACE = "projects/p/locations/us-central1"


class Modelled:
    """The use cases on a file; each job that is tuned answers at an endpoint of its own."""

    def __init__(self, folder: Path, *, fuse: Fuse | None = None, catalogue: Catalogue | None = None) -> None:
        self.loop = Loop(folder, fuse=fuse, catalogue=catalogue)
        self.documents = self.loop.documents
        self.changes: list[str] = []
        self.shelf = ModelShelf(self.documents, now=lambda: self.loop.clock)
        self.origins = JobOrigins(self.documents)
        self.desk = ModelDesk(self.shelf, changed=self.changes.append)
        self.registering = Registering(self.shelf, self.loop.outcomes, changed=self.changes.append)
        self.uses = Uses(self.shelf, self.origins)
        self.lineages = Lineages(self.shelf, self.origins)
        self.tuned = 0

    def tune(self, *, owner: str = "acme", **fields: object) -> Job:
        """A finished job, registered and routed by itself."""
        job = self.loop.desk.create(self.loop.order(**fields), owner=owner)
        self.loop.deliver_new()
        self.tuned += 1
        number = str(100 + self.tuned)
        name = next(name for name, (request, _) in self.loop.backend.jobs.items() if request.token == job.id)
        request, provided = self.loop.backend.jobs[name]
        made = TunedModel(model=f"{PLACE}/models/{number}@1", endpoint=f"{PLACE}/endpoints/{number}")
        self.loop.train()
        self.loop.train()
        ended = self.loop.backend.jobs[name][1]
        self.loop.backend.jobs[name] = (request, msgspec.structs.replace(ended, tuned=made))
        assert provided.name == ended.name
        self.loop.settle()
        return self.loop.job(job.id)

    def put(self, job: Job, name: str = BOT, *, who: Who = ACME, **words: object) -> tuple[Model, Version]:
        """What the job made, in the model of that name."""
        said = msgspec.convert(words, Words)
        return self.registering.from_job(job.id, Into(name=name, owner=job.owner, words=said), who=who)

    def point(self, alias: str, version: str, model: str = BOT, expected: int | None = None) -> Model:
        return self.desk.point(model, alias, version, who=ACME, expected=expected)

    def model(self, id_: str = BOT) -> Model:
        return self.shelf.models.get(id_).value

    def routes(self) -> dict[str, Route]:
        return current(self.documents).routes

    def leads(self, name: str) -> str:
        """The endpoint that a name leads to."""
        (target,) = self.routes()[name].targets
        return target.resource.rpartition("/")[2] or target.model

    def compare(self, *names: str) -> Comparison:
        return compared(self.lineages, names, owner="acme")


def elsewhere(model: str = "gpt-5") -> tuple[Target, ...]:
    return (Target(provider="openai", dialect="openai", model=model, base_url="https://api.openai.com/v1"),)

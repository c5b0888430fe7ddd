"""What jobs of every kind have in common: they are looked at, listed and cancelled alike."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from tuneway.local.vertex.call import Call, Cloud, Handler, Reply, Rule
from tuneway.local.vertex.listing import page, start
from tuneway.local.vertex.records import CustomRecord, TuningRecord
from tuneway.local.vertex.refusals import not_found
from tuneway.local.vertex.timeline import ENDED, moment

R = TypeVar("R", bound=TuningRecord | CustomRecord)


class Jobs(Generic[R]):
    """The jobs of one ``collection``; ``body`` is a job's JSON at a moment (Unix seconds)."""

    def __init__(self, kind: type[R], collection: str, body: Callable[[R, float], dict[str, object]]) -> None:
        self._kind = kind
        self._collection = collection
        self._body = body

    def rules(self, create: Handler) -> tuple[Rule, ...]:
        """The calls, with that which starts a job."""
        all_ = f"projects/{{project}}/locations/{{location}}/{self._collection}"
        return (
            Rule("POST", all_, create),
            Rule("GET", all_, self.list_),
            Rule("GET", f"{all_}/{{id}}", self.get),
            Rule("POST", f"{all_}/{{id}}:cancel", self.cancel),
        )

    def get(self, cloud: Cloud, call: Call) -> Reply:
        """The job now."""
        return Reply(self._body(self._job(cloud, call), cloud.now()))

    def list_(self, cloud: Cloud, call: Call) -> Reply:
        """The location's jobs, the newest first."""
        now = cloud.now()
        rows = cloud.store.newest_first(self._kind, call.parent, before=start(call.query))
        return Reply(page(((seq, self._body(record, now)) for seq, record in rows), call.query, key=self._collection))

    def cancel(self, cloud: Cloud, call: Call) -> Reply:
        """Ask for the end; asking again, or after it, changes nothing."""
        with cloud.store.transaction():
            record, now = self._job(cloud, call), cloud.now()
            if moment(record.plan, now).state not in ENDED:
                plan = msgspec.structs.replace(record.plan, cancelled=now)
                cloud.store.put(record.name, msgspec.structs.replace(record, plan=plan))
        return Reply({})

    def _job(self, cloud: Cloud, call: Call) -> R:
        name = call.name(self._collection)
        record = cloud.store.get(self._kind, name)
        if record is None:
            raise not_found(name)
        return record

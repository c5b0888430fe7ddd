"""Any order and repetition of events, crashes and lost answers: every job's story is legal, truthful and paid once."""

import json
import tempfile
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from tests.fakes import Loop
from tests.unit.tuning.test_gate import ADMIN, priced
from tuneway.errors import BadInput, TryLater
from tuneway.ports import Loss, ProviderState, Topic
from tuneway.tuning.jobs import ENDED, TRANSITIONS, Job, JobEvent, JobId, Status
from tuneway.tuning.tick import tick

KEYS = ("red", "green", "blue")
GOES_ON = {
    ProviderState.QUEUED: (ProviderState.QUEUED, ProviderState.RUNNING, ProviderState.CANCELLED, ProviderState.FAILED),
    ProviderState.RUNNING: (
        ProviderState.RUNNING,
        ProviderState.SUCCEEDED,
        ProviderState.FAILED,
        ProviderState.CANCELLED,
    ),
}
RARELY = st.sampled_from([False, False, False, True])
PHASES = ("waiting_for_quota", "processing_dataset", "waiting_for_capacity", "tuning", "post_processing", "new_one")
AGREES = {
    Status.SUCCEEDED: ProviderState.SUCCEEDED,
    Status.FAILED: ProviderState.FAILED,
    Status.CANCELLED: ProviderState.CANCELLED,
}


class Customers(RuleBasedStateMachine):
    """Callers, people who approve, the bus, the provider and bad luck, taking turns in any order."""

    @initialize(slow=st.booleans(), few=st.sampled_from([20, 0, 1]), names=st.booleans())
    def open(self, *, slow: bool, few: int, names: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.loop = Loop(Path(self.folder.name), catalogue=priced(), few=few)
        self.loop.backend.slow = slow
        self.loop.backend.names = names
        self.file = self.loop.upload()

    @rule(key=st.sampled_from(KEYS), limit=st.sampled_from([None, 0.0, 1e9]))
    def create(self, key: str, limit: float | None) -> None:
        order = self.loop.order(training_file=self.file, idempotency_key=key, max_cost_usd=limit)
        with suppress(BadInput, TryLater):  # the key of another order, or the state is away
            self.loop.desk.create(order, owner="acme")

    @precondition(lambda self: self.loop.events.sent)
    @rule(data=st.data(), breaks=st.integers(0, 14), lost=RARELY)
    def deliver(self, data: st.DataObject, breaks: int, *, lost: bool) -> None:
        """A message, old or new; the process may die at one of its first deeds, or not hear of one of them."""
        message = data.draw(st.sampled_from(self.loop.events.sent[:-30:-1]))
        self.loop.fuse.left = breaks if 0 < breaks < 7 else None
        self.loop.documents.lose_answers = int(lost)
        if not self.loop.deliver(message):  # the bus sends it again
            self.loop.waiting.append(message)
        self.loop.fuse.left = None
        self.loop.documents.lose_answers = 0

    @rule(lost=st.booleans(), cancelled=st.booleans())
    def the_next_creation(self, *, lost: bool, cancelled: bool) -> None:
        """Its answer is lost, or its job is cancelled while it is under way."""
        self.loop.backend.lose_answers = int(lost)
        self.loop.backend.meanwhile = self.cancel_all if cancelled else lambda: None

    @rule(seconds=st.sampled_from([1, 31, 61, 200, 4000]))
    def beat(self, seconds: int) -> None:
        self.loop.clock += seconds
        with suppress(TryLater):
            tick(self.loop.lifecycle, few=self.loop.few)

    @rule(bus=RARELY, provider=RARELY)
    def weather(self, *, bus: bool, provider: bool) -> None:
        self.loop.events.away, self.loop.backend.away = bus, provider

    @rule()
    def all_is_well_for_a_minute(self) -> None:
        self.loop.events.away = self.loop.backend.away = False
        self.beat(61)
        self.loop.deliver_new()

    @precondition(lambda self: self.jobs())
    @rule(data=st.data(), lost=st.booleans(), wish=st.sampled_from(["approve", "approve", "cancel", "refuse"]))
    def decide(self, data: st.DataObject, *, lost: bool, wish: str) -> None:
        job = data.draw(st.sampled_from(self.jobs()))
        self.loop.documents.lose_answers = int(lost)
        with suppress(BadInput, TryLater):
            if wish == "cancel":
                self.loop.desk.cancel(job.id, owner="acme")
            else:
                getattr(self.loop.approvals, wish)(job.id, grant=ADMIN)
        self.loop.documents.lose_answers = 0

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), steps=st.integers(0, 100))
    def train(self, data: st.DataObject, steps: int) -> None:
        name = data.draw(st.sampled_from(self.unfinished()))
        state = data.draw(st.sampled_from(GOES_ON[self.loop.backend.jobs[name][1].state]))
        fields = {"phase": data.draw(st.sampled_from(PHASES)), "steps_done": steps, "steps_total": 100}
        self.loop.backend.turn(name, state, losses=(Loss(step=steps, training=1 / (steps + 1)),), **fields)

    @invariant()
    def no_job_is_paid_for_twice_or_without_leave(self) -> None:
        tokens = [request.token for request, _ in self.loop.backend.jobs.values()]
        assert len(tokens) == len(set(tokens))
        for token in tokens:
            job = self.loop.job(token)
            assert job.allowance.least != 0.0 or job.approval is not None

    @invariant()
    def every_story_is_legal_and_whole(self) -> None:
        for job in self.jobs():
            told = self.told(job.id)
            assert [each.sequence for each in told] == list(range(1, job.sequence + 1))
            statuses = [each.status for each in told]
            assert (statuses[0], statuses[-1]) == (Status.REQUESTED, job.status)
            for before, after in pairwise(statuses):
                assert before is after or after in TRANSITIONS[before]

    @override
    def teardown(self) -> None:
        self.settle()
        for job in self.jobs():
            self.ended_well(self.loop.job(job.id))
        self.folder.cleanup()

    def cancel_all(self) -> None:
        self.loop.backend.meanwhile = lambda: None
        for job in self.jobs():
            with suppress(BadInput):
                self.loop.desk.cancel(job.id, owner="acme")
        for message in self.loop.events.sent[:-10:-1]:
            if message.topic is Topic.POLL_DUE:
                self.loop.waiting += [] if self.loop.deliver(message) else [message]

    def settle(self) -> None:
        """The weather clears; people answer, and the provider brings everything to an end."""
        self.loop.events.away = self.loop.backend.away = False
        self.the_next_creation(lost=False, cancelled=False)
        for job in self.jobs():
            if job.status is Status.HELD:
                self.loop.approvals.approve(job.id, grant=ADMIN)
        self.loop.settle(beats=4)
        for name in self.unfinished():
            self.loop.backend.turn(name, ProviderState.SUCCEEDED)
        for job in self.jobs():
            if job.status is Status.HELD:
                self.loop.approvals.refuse(job.id, grant=ADMIN)
        self.loop.settle(beats=30)

    def ended_well(self, job: Job) -> None:
        assert (job.status in ENDED, job.open) == (True, False), job
        bodies = [json.loads(m.data) for m in self.loop.events.sent if m.topic is Topic.TUNING_EVENTS]
        announced = {body["sequence"] for body in bodies if body["job_id"] == job.id}
        assert announced == set(range(1, job.sequence + 1))
        provider = next((p for r, p in self.loop.backend.jobs.values() if r.token == job.id), None)
        if provider is None:
            assert job.status in {Status.CANCELLED, Status.FAILED}
        else:
            assert (AGREES[job.status], job.provider_job) == (provider.state, provider.name)
            cancelling = any(each.status is Status.CANCELLING for each in self.told(job.id))
            early = "before the cancellation reached it" in " ".join(each.message for each in self.told(job.id))
            assert early == (cancelling and job.status is Status.SUCCEEDED) or job.status is Status.FAILED

    def jobs(self) -> list[Job]:
        return self.loop.desk.newest(owner="acme", after=None, limit=10)

    def told(self, job: JobId) -> list[JobEvent]:
        return self.loop.lifecycle.history(self.loop.job(job)).later()

    def unfinished(self) -> list[str]:
        return [name for name, (_, job) in self.loop.backend.jobs.items() if job.state in GOES_ON]


Customers.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAnyOrderOfEvents = Customers.TestCase

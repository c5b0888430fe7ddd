"""``POST /v1/fine_tuning/estimates``: what a tuning job would cost, and how long it would take, before there is one."""

from tuneway.access.keys import Scope
from tuneway.edge.bodies import decoded
from tuneway.edge.door import Body, Call, Rule
from tuneway.edge.fine_tuning.estimate_views import AskEstimate, question_of, rendered
from tuneway.tuning.desk import JobDesk
from tuneway.tuning.estimates import Quotes

PATH = "/v1/fine_tuning/estimates"


def rules(desk: JobDesk, quotes: Quotes) -> list[Rule]:
    """The door's rule for estimates."""

    def ask(call: Call) -> Body:
        body = decoded(call.body(), AskEstimate)
        question = question_of(body, desk.subject(body.model, owner=call.grant.owner).base)
        return rendered(question, quotes.quote(question, owner=call.grant.owner))

    return [Rule("POST", PATH, Scope.TUNE, ask)]

"""What tuning will cost, worked out on this computer: the files are read here, and nothing is sent anywhere."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import msgspec

from tuneway.adapters import plugs
from tuneway.api import computer_files
from tuneway.api.answers import CostEstimate
from tuneway.api.job_options import Way
from tuneway.api.vertex_account import Account
from tuneway.edge.bodies import decoded
from tuneway.edge.fine_tuning.estimate_views import AskEstimate, question_of, rendered
from tuneway.ports import Files
from tuneway.state import Collection
from tuneway.tuning.catalogue import Catalogue
from tuneway.tuning.datasets.report import TokenRange
from tuneway.tuning.estimates import Quotes
from tuneway.tuning.files import FileShelf
from tuneway.tuning.inspection import Inspection, Inspector
from tuneway.tuning.jobs import Job

OWNER = "you"


def estimate(way: Way, fields: Mapping[str, object]) -> CostEstimate:
    """The estimate. Raises TunewayError."""
    account = Account(way)
    catalogue = plugs.catalogue(account.settings)
    body = decoded(msgspec.json.encode(fields), AskEstimate)
    question = question_of(body, catalogue.base(body.model, today=datetime.fromtimestamp(time.time(), UTC).date()))
    for name, field in ((question.training_file, "training_file"), (question.validation_file, "validation_file")):
        if name is not None:
            computer_files.check_named(name, field=field)
    jobs = Collection(computer_files.Paths(OWNER), "jobs", Job)
    quotes = Quotes(jobs, _inspector(account, catalogue), now=time.time)
    return CostEstimate(rendered(question, quotes.quote(question, owner=OWNER)))


def tokens(way: Way, name: str) -> TokenRange:
    """The tokens of an epoch of a file of this computer. Raises TunewayError."""
    account = Account(way)
    inspector = _inspector(account, plugs.catalogue(account.settings))
    return inspector.inspect(Inspection(training_file=name), owner=OWNER).dataset.tokens


def _inspector(account: Account, catalogue: Catalogue) -> Inspector:
    files: Files = computer_files.sources(account)
    paths = computer_files.Paths(OWNER)
    shelf = FileShelf(paths, files, bucket="", now=time.time, new_id=partial(str, "none"))
    return Inspector(shelf, files, catalogue=catalogue, now=time.time, tables=plugs.tables)

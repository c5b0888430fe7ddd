"""A fake of Amazon Bedrock's control plane: customization jobs and deployments of custom models that live in time.

Requests and answers are held against botocore's model of the service; states, the token that makes a repeated create
the same job, and refusals follow the API reference.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from tests.vendors.aws_services import Asked, Refused, Reply
from tests.vendors.botocore_shapes import faults, operation
from tests.vendors.sigv4 import Account

ACCOUNT = "123456789012"
# Seconds after the create at which a job is looked at, then its rows processed, then trained, then done.
VALIDATES, PROCESSES, TRAINS, ENDS = 10, 20, 30, 100
STOPS = 10
DEPLOYS = 60
ROUTES: list[tuple[str, str, str]] = [
    ("POST", r"/model-customization-jobs", "CreateModelCustomizationJob"),
    ("GET", r"/model-customization-jobs", "ListModelCustomizationJobs"),
    ("GET", r"/model-customization-jobs/(?P<jobIdentifier>[^/]+)", "GetModelCustomizationJob"),
    ("POST", r"/model-customization-jobs/(?P<jobIdentifier>[^/]+)/stop", "StopModelCustomizationJob"),
    ("POST", r"/model-customization/custom-model-deployments", "CreateCustomModelDeployment"),
    (
        "GET",
        r"/model-customization/custom-model-deployments/(?P<customModelDeploymentIdentifier>[^/]+)",
        "GetCustomModelDeployment",
    ),
    (
        "DELETE",
        r"/model-customization/custom-model-deployments/(?P<customModelDeploymentIdentifier>[^/]+)",
        "DeleteCustomModelDeployment",
    ),
]


@dataclass
class Job:
    """A job as it was asked for, and what became of it since."""

    arn: str
    model_arn: str
    body: dict[str, Any]
    created: float
    fails: str | None
    stopped: float | None = None


@dataclass
class Deployment:
    """A deployment."""

    arn: str
    body: dict[str, Any]
    created: float
    fails: str | None


def _thrives(body: dict[str, Any]) -> str | None:
    del body
    return None


@dataclass
class BedrockControl:
    """``clock`` gives seconds; ``dooms`` says of a create's body why its work fails later, if it does."""

    clock: Callable[[], float]
    region: str = "us-east-1"
    dooms: Callable[[dict[str, Any]], str | None] = _thrives
    remembers_tokens: bool = True
    jobs: dict[str, Job] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    made: int = 0

    def operation(self, asked: Asked) -> str:
        return next(
            (name for method, path, name in ROUTES if method == asked.method and re.fullmatch(path, asked.raw_path)), ""
        )

    def account(self, asked: Asked) -> Account:
        del asked
        return Account(region=self.region)

    def perform(self, asked: Asked) -> Reply:
        if not asked.operation:
            raise Refused(404, "UnknownOperationException", "There is no such operation.")
        model = operation("bedrock", asked.operation)
        answer = OPERATIONS[asked.operation](self, self._given(asked))
        wrong = list(faults(answer, model.output_shape))
        assert not wrong, wrong
        return Reply(model.http["responseCode"], json.dumps(answer).encode(), {"content-type": "application/json"})

    def refusal(self, asked: Asked, refused: Refused) -> Reply:
        del asked
        kind = {"x-amzn-errortype": f"{refused.code}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
        return Reply(refused.status, json.dumps({"message": refused.said}).encode(), kind)

    def _given(self, asked: Asked) -> dict[str, Any]:
        """The operation's input, from path, query and body. Raises Refused for what its model does not allow."""
        pattern = next(path for _, path, name in ROUTES if name == asked.operation)
        found = re.fullmatch(pattern, asked.raw_path)
        in_path = {name: unquote(value) for name, value in (found.groupdict() if found else {}).items()}
        query = {name: int(value) if name == "maxResults" else value for name, value in asked.query.items()}
        body = json.loads(asked.raw) if asked.raw else {}
        given: dict[str, Any] = {**in_path, **query, **body}
        if wrong := next(faults(given, operation("bedrock", asked.operation).input_shape), None):
            raise Refused(400, "ValidationException", f"1 validation error detected: {wrong}")
        return given

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        token = body.get("clientRequestToken")
        for job in self.jobs.values():
            if self.remembers_tokens and token is not None and job.body.get("clientRequestToken") == token:
                return {"jobArn": job.arn}
        if body["jobName"] in self.jobs:
            raise Refused(400, "ValidationException", "The provided job name is currently in use.")
        if any(job.body["customModelName"] == body["customModelName"] for job in self.jobs.values()):
            raise Refused(400, "ValidationException", "The provided custom model name is currently in use.")
        base = _base(body)
        arn = f"arn:aws:bedrock:{self.region}:{ACCOUNT}"
        self.made += 1
        job = Job(
            arn=f"{arn}:model-customization-job/{base}/{self.made:012d}",
            model_arn=f"{arn}:custom-model/{base}/{self.made:012d}",
            body=body,
            created=self.clock(),
            fails=self.dooms(body),
        )
        self.jobs[body["jobName"]] = job
        return {"jobArn": job.arn}

    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._view(self._job(given))

    def _view(self, job: Job) -> dict[str, Any]:
        status = self._status(job)
        body = job.body
        done: dict[str, dict[str, Any]] = {
            "Completed": {
                "outputModelArn": job.model_arn,
                "trainingMetrics": {"trainingLoss": 0.25},
                **({"validationMetrics": [{"validationLoss": 0.5}]} if "validationDataConfig" in body else {}),
            },
            "Failed": {"failureMessage": job.fails},
        }
        return {
            "jobArn": job.arn,
            "jobName": body["jobName"],
            "outputModelName": body["customModelName"],
            "clientRequestToken": body.get("clientRequestToken", "none"),
            "roleArn": body["roleArn"],
            "status": status,
            "statusDetails": self._steps(job),
            "creationTime": _moment(job.created),
            "lastModifiedTime": _moment(self._changed(job)),
            "baseModelArn": f"arn:aws:bedrock:{self.region}::foundation-model/{_base(body)}",
            "hyperParameters": body.get("hyperParameters", {}),
            "trainingDataConfig": body["trainingDataConfig"],
            "validationDataConfig": body.get("validationDataConfig", {"validators": []}),
            "outputDataConfig": body["outputDataConfig"],
            "customizationType": body.get("customizationType", "FINE_TUNING"),
            **({"endTime": _moment(self._changed(job))} if status in {"Completed", "Failed", "Stopped"} else {}),
            **done.get(status, {}),
        }

    def list(self, given: dict[str, Any]) -> dict[str, Any]:
        wanted = [
            job
            for name, job in self.jobs.items()
            if given.get("nameContains", "") in name
            and given.get("statusEquals", self._status(job)) == self._status(job)
        ]
        start, size = int(given.get("nextToken", "0")), given.get("maxResults", 100)
        page = {"modelCustomizationJobSummaries": [self._summary(job) for job in wanted[start : start + size]]}
        return {**page, **({"nextToken": str(start + size)} if start + size < len(wanted) else {})}

    def _summary(self, job: Job) -> dict[str, Any]:
        told = (
            "jobArn",
            "baseModelArn",
            "jobName",
            "status",
            "statusDetails",
            "creationTime",
            "lastModifiedTime",
            "endTime",
        )
        view = self._view(job)
        model = {"customModelArn": job.model_arn} if view["status"] == "Completed" else {}
        return {**model, **{name: view[name] for name in told if name in view}}

    def stop(self, given: dict[str, Any]) -> dict[str, Any]:
        job = self._job(given)
        if self._status(job) != "InProgress":
            raise Refused(400, "ConflictException", f"The job is {self._status(job)} and cannot be stopped.")
        job.stopped = self.clock()
        return {}

    def _status(self, job: Job) -> str:
        now = self.clock()
        if job.stopped is not None:
            return "Stopped" if now >= job.stopped + STOPS else "Stopping"
        if now < job.created + ENDS:
            return "InProgress"
        return "Failed" if job.fails else "Completed"

    def _changed(self, job: Job) -> float:
        """When the job last went from one state to the next."""
        if job.stopped is not None:
            return min(self.clock(), job.stopped + STOPS)
        passed = [job.created + seconds for seconds in (0, VALIDATES, PROCESSES, TRAINS, ENDS)]
        return max(moment for moment in passed if moment <= self.clock())

    def _steps(self, job: Job) -> dict[str, Any]:
        names = ("validationDetails", "dataProcessingDetails", "trainingDetails")
        bounds = ((VALIDATES, PROCESSES), (PROCESSES, TRAINS), (TRAINS, ENDS))
        age, ended = self.clock() - job.created, self._status(job)
        return {name: {"status": _step(age, bound, ended)} for name, bound in zip(names, bounds, strict=True)}

    def _job(self, given: dict[str, Any]) -> Job:
        name = given["jobIdentifier"]
        for job in self.jobs.values():
            if name in {job.arn, job.body["jobName"]}:
                return job
        raise Refused(404, "ResourceNotFoundException", "The provided model customization job cannot be found.")

    def deploy(self, body: dict[str, Any]) -> dict[str, Any]:
        for known in self.deployments.values():
            if self.remembers_tokens and known.body.get("clientRequestToken") == body.get("clientRequestToken", ""):
                return {"customModelDeploymentArn": known.arn}
        if body["modelDeploymentName"] in self.deployments:
            raise Refused(400, "ValidationException", "The provided deployment name is currently in use.")
        models = {job.model_arn for job in self.jobs.values() if self._status(job) == "Completed"}
        if body["modelArn"] not in models:
            raise Refused(404, "ResourceNotFoundException", "The custom model cannot be found.")
        self.made += 1
        arn = f"arn:aws:bedrock:{self.region}:{ACCOUNT}:custom-model-deployment/{self.made:012d}"
        self.deployments[body["modelDeploymentName"]] = Deployment(arn, body, self.clock(), self.dooms(body))
        return {"customModelDeploymentArn": arn}

    def deployed(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._deployed(self._deployment(given))

    def _deployed(self, found: Deployment) -> dict[str, Any]:
        ended = "Failed" if found.fails else "Active"
        status = ended if self.clock() >= found.created + DEPLOYS else "Creating"
        return {
            "customModelDeploymentArn": found.arn,
            "modelDeploymentName": found.body["modelDeploymentName"],
            "modelArn": found.body["modelArn"],
            "createdAt": _moment(found.created),
            "status": status,
            **({"failureMessage": found.fails} if status == "Failed" else {}),
        }

    def undeploy(self, given: dict[str, Any]) -> dict[str, Any]:
        found = self._deployment(given)
        if self._deployed(found)["status"] == "Creating":
            raise Refused(400, "ConflictException", "The deployment is being created.")
        del self.deployments[found.body["modelDeploymentName"]]
        return {}

    def _deployment(self, given: dict[str, Any]) -> Deployment:
        name = given["customModelDeploymentIdentifier"]
        for found in self.deployments.values():
            if name in {found.arn, found.body["modelDeploymentName"]}:
                return found
        raise Refused(404, "ResourceNotFoundException", "The deployment cannot be found.")


def _base(body: dict[str, Any]) -> str:
    """The base model's id, also of a custom model's ARN."""
    return re.sub(r"arn:.*(?:custom-model|foundation-model)/([^/]+).*", r"\1", body["baseModelIdentifier"])


def _step(age: float, bound: tuple[int, int], ended: str) -> str:
    first, last = bound
    if age < first:
        return "NotStarted"
    if age < last:
        return "InProgress" if ended == "InProgress" else ended
    # What fails here fails in training, which is the last step.
    return "Failed" if ended == "Failed" and last == ENDS else "Completed"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


Perform = Callable[[BedrockControl, dict[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, Perform] = {
    "CreateModelCustomizationJob": BedrockControl.create,
    "GetModelCustomizationJob": BedrockControl.get,
    "ListModelCustomizationJobs": BedrockControl.list,
    "StopModelCustomizationJob": BedrockControl.stop,
    "CreateCustomModelDeployment": BedrockControl.deploy,
    "GetCustomModelDeployment": BedrockControl.deployed,
    "DeleteCustomModelDeployment": BedrockControl.undeploy,
}

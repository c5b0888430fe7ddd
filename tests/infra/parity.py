"""That manifest, Terraform, IAM, topics, secrets, environment and code say the same; else which line to mend."""

import re
from collections.abc import Iterator, Mapping

from tests.infra import hcl
from tests.infra.faults import Fault
from tests.infra.house import Check, House
from tests.infra.questions import Index, asked
from tests.infra.reach import Place, Reach, reach
from tests.infra.standing import (
    alerts_have_runbooks,
    metrics_count_what_is_logged,
    names_lead_somewhere,
    resources_follow,
    roles_are_told,
)
from tuneway.local.manifest import Function
from tuneway.ports import Topic
from tuneway.routing.targets import Place as VendorPlace
from tuneway.settings import Settings

# Settings that no installation is given, and why.
KEPT = {
    "local_subscriptions": "the laptop's bus",
    "state_folder": "the laptop's state",
    "objects_folder": "the laptop's files",
    "vertex_url": "the simulation",
    "aws_url": "the simulation",
    "secrets_url": "the simulation",
    "metadata_url": "the simulation",
    "firestore_url": "the emulator",
    "firestore_emulator": "the emulator",
    "pubsub_emulator": "the emulator",
    "log_file": "Cloud Run takes what is written to stderr",
    "submit_timeout": "its default fits",
    "call_timeout": "its default fits",
    "upstream_connect_timeout": "its default fits",
    "upstream_read_timeout": "its default fits",
    "snapshot_refresh": "its default fits",
    "snapshot_stale": "its default fits",
    "max_body": "its default is the platform's limit",
}
# What a class of adapters/ makes a function use.
CLASSES = {
    "FirestoreSnapshots": "routes",
    "FirestoreDocuments": "state",
    "VertexRest": "vertex",
    "Connection": "models",
    "SecretManager": "secrets",
}
FILES = re.compile(r"(^|_)(files|sources)$")
PUSH_LIMIT = 570  # seconds: a push waits 600 at most, and the subscription adds 30


def functions_say_what_they_use(house: House) -> Iterator[Fault]:
    """``uses``, ``publishes`` and ``settings`` of each function are what its code comes to."""
    for name in house.manifest().functions:
        yield from a_function_says_what_it_uses(house, name)


def a_function_says_what_it_uses(house: House, name: str) -> Iterator[Fault]:
    """The same of one function."""
    found = reach(name, source=house.root / "shared", functions=house.root / "functions")
    for field, given, needed in _compared(house.manifest().functions[name], found):
        for thing in sorted(set(needed) - set(given)):
            message = f"add {thing} to {field} of {name}: {needed[thing]} comes to it"
            yield Fault(house.file, house.line(name, field), message)
        for thing in sorted(set(given) - set(needed)):
            message = f"take {thing} out of {field} of {name}: its code does not come to it"
            yield Fault(house.file, house.line(name, field), message)


def _compared(function: Function, found: Reach) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Place]]]:
    topics = found.topics if "publish" in {method for _, method in found.calls} else {}
    yield "uses", function.uses, _uses(found)
    yield "publishes", tuple(str(topic) for topic in function.publishes), {str(t): place for t, place in topics.items()}
    yield "settings", function.settings, {name: at for name, at in found.settings.items() if name not in KEPT}


def _uses(found: Reach) -> dict[str, Place]:
    uses = {use: found.classes[name] for name, use in CLASSES.items() if name in found.classes}
    asked = next((place for (_, method), place in found.calls.items() if method == "media"), None)
    if asked and "MediaSources" in found.classes:
        uses["media"] = asked
    touched = {method: place for (who, method), place in found.calls.items() if FILES.search(who)}
    listed = next((place for (_, method), place in found.calls.items() if method == "objects"), None)
    if "GcsFiles" in found.classes and (wrote := touched.get("write") or touched.get("delete")):
        return uses | {"files": wrote}
    if read := (touched.get("read") if "GcsFiles" in found.classes else None) or listed:
        return uses | {"datasets": read}
    return uses


def settings_have_values(house: House) -> Iterator[Fault]:
    """Every setting is given by infra/environment.tf or kept back for a reason, and none is made up."""
    given, file = hcl.values(house.infra)["settings"]
    source = house.root / "shared/tuneway/settings.py"
    fields = set(re.findall(r"^    (\w+): .+ = ", source.read_text(), re.MULTILINE))
    for name in sorted(fields - set(given) - set(KEPT)):
        line = hcl.line_of(source, rf"^    {name}: ")
        yield Fault(
            source, line, f"give {name} a value in local.settings of infra/environment.tf, or say why not (KEPT)"
        )
    for name in sorted(set(given) - fields):
        yield Fault(file, hcl.line_of(file, rf"^\s+{name}\s+="), f"settings.py knows no {name}")
    for name, function in house.manifest().functions.items():
        for setting in (each for each in function.settings if each not in given):
            yield Fault(house.file, house.line(name, "settings"), f"infra/environment.tf gives no {setting}")


def uses_have_roles(house: House) -> Iterator[Fault]:
    """Every use means roles, and every role is of a use."""
    rows = {**hcl.values(house.infra)["project_roles"][0], **hcl.values(house.infra)["bucket_roles"][0]}
    file = house.infra / "iam.tf"
    elsewhere = {"models", "media", "secrets"}  # a custom role, buckets of others, and one secret each
    used = {use: name for name, function in house.manifest().functions.items() for use in function.uses}
    for use, name in sorted(used.items()):
        if use not in rows and use not in elsewhere:
            yield Fault(file, hcl.line_of(file, "project_roles"), f"give {use} a role: {name} uses it")
    for use in sorted(set(rows) - set(used)):
        yield Fault(file, hcl.line_of(file, rf"^\s+{use}\s+="), f"no function uses {use}: take its role away")


def topics_are_one_set(house: House) -> Iterator[Fault]:
    """The code's topics, the manifest's and those that anything publishes on are the same."""
    manifest = house.manifest()
    file = house.root / "shared/tuneway/ports/events.py"
    known = dict(re.findall(r'^    ([A-Z_]+) = "([\w-]+)"', file.read_text(), re.MULTILINE))
    taken = {str(topic) for topic in [*manifest.topics, *manifest.subscriptions()]}
    for topic in sorted(set(known.values()) - taken):
        yield Fault(
            house.file, hcl.line_of(house.file, "^topics:"), f"no function takes {topic}, nor is it left to customers"
        )
    subscribed = manifest.subscriptions()
    if not subscribed.get(Topic.DEAD_LETTERS):
        yield Fault(
            house.file, hcl.line_of(house.file, "^functions:"), "no function takes dead-letters: they would be lost"
        )


def questions_have_indexes(house: House) -> Iterator[Fault]:
    """Every question the code asks has its composite index, every index its question, and no asked field is exempt."""
    file = house.infra / "firestore.tf"
    rows = hcl.plain(hcl.values(house.infra)["indexes"][0])
    kept = {Index(r["collection"], (r["equal"],), r["order"], r["direction"]): name for name, r in rows.items()}
    exempt = hcl.plain(hcl.values(house.infra)["unindexed"][0])
    questions = asked(house.root / "shared/tuneway")
    for question in questions:
        if question.index is not None and question.index not in kept:
            yield Fault(file, hcl.line_of(file, "indexes = "), f"add {question.index}: {question.place} asks so")
        for field in sorted(question.fields & set(exempt.get(question.collection, []))):
            line = hcl.line_of(file, rf"^\s+{question.collection}\s+= \[")
            yield Fault(file, line, f"{question.collection}.{field} must be indexed: {question.place} asks by it")
    needed = {question.index for question in questions}
    for name in sorted(name for index, name in kept.items() if index not in needed):
        yield Fault(file, hcl.line_of(file, rf"^\s+{name}\s+="), f"nothing asks for the index {name}")


def figures_fit_the_platform(house: House) -> Iterator[Fault]:
    """Timeouts, memory and concurrency are ones that Cloud Run, Pub/Sub and Cloud Scheduler take."""
    for name, function in house.manifest().functions.items():
        most = {"pubsub": PUSH_LIMIT, "storage": 540, "schedule": 1800}.get(_kind(function), 3600)
        if not 1 <= function.timeout <= most:
            yield Fault(house.file, house.line(name, "timeout"), f"{name} may take 1 to {most} seconds")
        if function.concurrency > 1 and function.cpu < 1:
            yield Fault(
                house.file, house.line(name, "cpu"), f"{name} needs a whole CPU for {function.concurrency} requests"
            )
        if not 1 <= function.concurrency <= 1000:
            yield Fault(house.file, house.line(name, "concurrency"), f"{name} takes 1 to 1000 requests at a time")
        if _kind(function) != "http" and function.callers != "platform":
            yield Fault(house.file, house.line(name, "callers"), f"only the platform may call {name}")


def _kind(function: Function) -> str:
    return str(function.trigger.__struct_config__.tag)


def vendors_say_the_same(house: House) -> Iterator[Fault]:
    """What Terraform takes of a vendor is what the code reads of one."""
    block = next(b for b in hcl.blocks(house.infra, "variable") if b.labels == ("vendors",))
    fields = set(re.findall(r"(\w+)\s*=\s*optional|'(\w+)':", str(block.body["type"])))
    taken = {one or other for one, other in fields}
    for name in sorted(taken ^ set(VendorPlace.__struct_fields__)):
        yield Fault(block.path, block.line, f"the variable vendors and routing/targets.py differ about {name}")


CHECKS: tuple[Check, ...] = (
    functions_say_what_they_use,
    settings_have_values,
    uses_have_roles,
    topics_are_one_set,
    resources_follow,
    names_lead_somewhere,
    questions_have_indexes,
    alerts_have_runbooks,
    metrics_count_what_is_logged,
    figures_fit_the_platform,
    vendors_say_the_same,
    roles_are_told,
)
assert set(KEPT) <= set(Settings.__struct_fields__)

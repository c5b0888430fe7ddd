"""What must hold of a site: no alias points nowhere, nothing is there that nobody knows of, and all agree."""

from tests.integration.hosting.site import ALIAS, Site
from tuneway.ports import Topic
from tuneway.registry.hosting.answering import target_of
from tuneway.registry.hosting.traffic.shares import among, carrying
from tuneway.registry.shelves import Deployment, DeploymentStatus, Version
from tuneway.routing.places import place_of
from tuneway.routing.routes import Route
from tuneway.routing.snapshot import current
from tuneway.state import Collection

DECIDED = ("New fine-tuned model created", "does not answer:", "does not lead there")
THERE = {DeploymentStatus.READY, DeploymentStatus.ASLEEP}


def no_alias_points_nowhere(site: Site) -> None:
    """At every moment: what an alias leads to answers now, or the snapshot says that it sleeps."""
    answering = {name for name, shares in site.vertex.endpoints().items() if carrying(shares)}
    answering |= set(site.bedrock.deployments())
    snapshot = current(site.plain)
    for route in snapshot.routes.values():
        for target in route.targets:
            where = target.resource or target.model
            assert where in answering or place_of(target) in snapshot.asleep, (route.alias, where)


def agree(site: Site) -> None:
    """When nothing has to happen any more: provider, deployments, versions, routes, places and job."""
    no_alias_points_nowhere(site)
    _provider_has_what_is_known(site)
    _traffic_is_shared_as_is_wanted(site)
    _routes_are_the_snapshots(site)
    _versions_know_their_endpoints(site)
    _places_are_those_of_deployments(site)
    _job_was_told_once(site)


def _there(site: Site, deployer: str | None = None) -> list[Deployment]:
    found = [each for each in site.deployments() if each.status in THERE]
    return [each for each in found if deployer in {None, each.deployer}]


def _behind(site: Site) -> dict[str, list[Deployment]]:
    """The deployments on Vertex AI by endpoint."""
    found = _there(site, "vertex")
    return {each.endpoint: [one for one in found if one.endpoint == each.endpoint] for each in found}


def _provider_has_what_is_known(site: Site) -> None:
    wanted = {
        endpoint: {_id(each) for each in found if each.status is DeploymentStatus.READY}
        for endpoint, found in _behind(site).items()
    }
    assert {name: set(shares) for name, shares in site.vertex.endpoints().items()} == wanted
    models = [name.rpartition("/")[2] for name in site.vertex.models()]
    assert sorted(models) == sorted(each.id for each in _there(site, "vertex"))
    assert site.bedrock.deployments() == [each.endpoint for each in _there(site, "bedrock")]


def _traffic_is_shared_as_is_wanted(site: Site) -> None:
    for endpoint, found in _behind(site).items():
        ready = [each for each in found if each.status is DeploymentStatus.READY]
        wanted = among({_id(each): each.order.traffic for each in ready if each.order})
        assert carrying(site.vertex.endpoints()[endpoint]) == carrying(wanted)


def _id(deployment: Deployment) -> str:
    assert deployment.order is not None
    return deployment.order.deployed_id


def _routes_are_the_snapshots(site: Site) -> None:
    kept = {found.id: found.value for found in Collection(site.plain, "routes", Route).find()}
    assert kept == current(site.plain).routes


def _versions_know_their_endpoints(site: Site) -> None:
    answers = {(each.model, each.version, each.checkpoint): each.endpoint for each in _there(site)}
    for model in site.inventory.models(owner=None):
        for version in site.inventory.versions(model.id, owner=None):
            for checkpoint, endpoint in _known(version).items():
                assert endpoint == answers.get((model.id, version.number, checkpoint)), checkpoint


def _known(version: Version) -> dict[str | None, str | None]:
    return {None: version.endpoint} | {point.id: point.endpoint for point in version.checkpoints}


def _places_are_those_of_deployments(site: Site) -> None:
    snapshot = current(site.plain)
    assert snapshot.places == {place_of(target_of(each)): each.owner for each in _there(site)}
    asleep = {place_of(target_of(each)) for each in _there(site) if each.status is DeploymentStatus.ASLEEP}
    assert set(snapshot.asleep) == asleep


def _job_was_told_once(site: Site) -> None:
    said = [line for line in site.told() if any(words in line for words in DECIDED)]
    assert len(said) == 1, site.told()
    job = site.job()
    assert (job.open, site.decided[:1]) == (False, [job.id])
    assert (job.fine_tuned_model == ALIAS) == said[0].startswith(DECIDED[0])
    announced = {message.attributes["ce-id"] for message in site.events.sent if message.topic is Topic.TUNING_EVENTS}
    assert {each.id for each in site.lifecycle.history(job).later()} <= announced

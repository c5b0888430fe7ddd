"""``tuneway keys first``: the first key of an installation, written by whoever may write its database."""

import click

from tuneway.access.keys import Scope
from tuneway.cli.client import show


@click.command("first")
@click.option("--project", required=True, help="The project of the installation.")
@click.option("--database", default="tuneway", show_default=True, help="Its Firestore database.")
@click.option("--owner", default="platform", show_default=True, help="The team that the key belongs to.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def first(*, project: str, database: str, owner: str, as_json: bool) -> None:
    """Make a key with every scope, as yourself and past the doors; it is shown once. It makes all others."""
    from tuneway.cli.first_key import written

    key, id_ = written(project, database, owner=owner)
    if as_json:
        show({"key": key, "id": id_, "owner": owner, "scopes": list(Scope)})
    else:
        click.echo(key)
        click.echo(f"Key {id_} of {owner} may do everything. It is not stored: keep it now.", err=True)

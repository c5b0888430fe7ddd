"""Make, list and revoke keys; a change reaches ``predict`` with the snapshot it is committed with."""

from collections.abc import Callable

from tuneway.access.keys import Grant, Scope, fingerprint, key_from
from tuneway.errors import BadInput, NotFound
from tuneway.ports import Documents
from tuneway.registry.naming import check_owner
from tuneway.routing.snapshot import change
from tuneway.state import Collection

ID_DIGITS = 16
LONGEST_NAME = 128


class Keyring:
    """The keys of an installation. A key's public id is the first 16 hex digits of its fingerprint."""

    def __init__(self, documents: Documents, *, now: Callable[[], float], randomness: Callable[[], bytes]) -> None:
        self._documents = documents
        self._keys = Collection(documents, "keys", Grant)
        self._now = now
        self._randomness = randomness

    def grant(self, key: str) -> Grant | None:
        """What the key opens; None for one that is unknown or revoked."""
        stored = self._keys.known(fingerprint(key))
        return stored.value if stored else None

    def create(
        self,
        *,
        owner: str,
        scopes: tuple[Scope, ...],
        name: str = "",
        expires_at: float | None = None,
        max_cost_usd: float | None = None,
    ) -> tuple[str, str, Grant]:
        """A new key, its id and its grant; the key is in this answer and nowhere else. Raises BadInput."""
        check_owner(owner)
        if len(name) > LONGEST_NAME or not name.isprintable():
            said = f"A key's name has at most {LONGEST_NAME} letters, all of which can be seen."
            raise BadInput(said, param="name", code="invalid_value")
        if not scopes:
            raise BadInput(f"Name at least one scope of: {', '.join(Scope)}.", param="scopes")
        key = key_from(self._randomness())
        grant = Grant(
            owner=owner,
            scopes=scopes,
            name=name,
            created_at=self._now(),
            expires_at=expires_at,
            max_cost_usd=max_cost_usd,
        )
        return key, self.admit(key, grant), grant

    def admit(self, key: str, grant: Grant) -> str:
        """Let ``key`` in; its id. Repeating the call changes nothing but the grant."""
        print_ = fingerprint(key)
        change(self._documents, lambda snapshot: snapshot.with_key(print_, grant), self._keys.put(print_, grant))
        return print_[:ID_DIGITS]

    def list(self) -> list[tuple[str, Grant]]:
        """Every key's id and grant, oldest first."""
        return [(found.id[:ID_DIGITS], found.value) for found in self._keys.find(order_by="created_at")]

    def revoke(self, id_: str) -> None:
        """Refuse the key from now on. Raises NotFound."""
        matches = [found.id for found in self._keys.find() if found.id.startswith(id_)] if len(id_) >= ID_DIGITS else []
        if len(matches) != 1:
            raise NotFound(f"There is no key '{id_}'. List them with 'tuneway keys list'.", param="key_id")
        print_ = matches[0]
        change(self._documents, lambda snapshot: snapshot.without_key(print_), self._keys.delete(print_))

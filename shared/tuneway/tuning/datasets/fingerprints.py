"""Which rows were seen before, in bounded memory: eight bytes for each row in an open-addressed table."""

from array import array

FIRST_SLOTS = 1 << 16
LAST_SLOTS = 1 << 22


class Fingerprints:
    """A set of 64-bit fingerprints that grows to 32 MiB (about 3.1 million rows) and then remembers no new rows.

    Fingerprints are salted for each process, so they mean nothing outside one pass. Two different rows out of
    three million share one with a probability of about one in four million.
    """

    def __init__(self, *, slots: int = FIRST_SLOTS, most: int = LAST_SLOTS) -> None:
        self._slots = array("q", bytes(8 * slots))
        self._mask = slots - 1
        self._most = most
        self._count = 0
        self._room = slots * 3 // 4

    @property
    def full(self) -> bool:
        """True once rows are no longer remembered."""
        return self._count >= self._room and len(self._slots) >= self._most

    @property
    def count(self) -> int:
        """Different rows remembered."""
        return self._count

    def seen(self, row: bytes | str) -> bool:
        """True when the row came before; else it is remembered, if there is room."""
        # Zero marks an empty slot, so no fingerprint is zero.
        fingerprint = hash(row) or 1
        slots, mask = self._slots, self._mask
        slot = fingerprint & mask
        while found := slots[slot]:
            if found == fingerprint:
                return True
            slot = (slot + 1) & mask
        if self._count >= self._room:
            if not self._grown():
                return False
            slot = self._slot(fingerprint)
        self._slots[slot] = fingerprint
        self._count += 1
        return False

    def holds(self, row: bytes | str) -> bool:
        """True when the row came before; it is not remembered."""
        return self._slots[self._slot(hash(row) or 1)] != 0

    def _slot(self, fingerprint: int) -> int:
        slots, mask = self._slots, self._mask
        slot = fingerprint & mask
        while (found := slots[slot]) and found != fingerprint:
            slot = (slot + 1) & mask
        return slot

    def _grown(self) -> bool:
        if len(self._slots) >= self._most:
            return False
        before, size = self._slots, 2 * len(self._slots)
        self._slots, self._mask, self._room = array("q", bytes(8 * size)), size - 1, size * 3 // 4
        for fingerprint in before:
            if fingerprint:
                self._slots[self._slot(fingerprint)] = fingerprint
        return True

"""Where a host of the Internet is, and nowhere else: a caller's URL may not lead into the installation's own network.

The address that was looked at is the one that is then connected to; to look the name up again could give another.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

from tuneway.errors import NotAllowed, NotFound, TryLater

Resolve = Callable[[str, int], Sequence[str]]
"""A host's name and port to its addresses. Raises OSError (gaierror)."""

# IPv6 that carries an IPv4 address within, which is where it leads: https://www.rfc-editor.org/rfc/rfc6052
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_UNKNOWN = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def resolved(host: str, port: int) -> Sequence[str]:
    """The system's answer."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def address(host: str, port: int, *, resolve: Resolve = resolved, private: bool = False) -> str:
    """One address of ``host``; with ``private`` any will do.

    Raises NotFound (no such host), NotAllowed (one of its addresses is no public one), TryLater.
    """
    try:
        found = resolve(host, port)
    except UnicodeError as fault:
        raise NotFound(f"'{host}' is no name of a host. Correct it.") from fault
    except OSError as fault:
        if fault.errno in _UNKNOWN:
            raise NotFound(f"There is no host '{host}'. Correct the name.") from fault
        raise TryLater(f"The host '{host}' could not be looked up: {fault}.") from fault
    if not found:
        raise NotFound(f"The host '{host}' has no address. Correct the name.")
    if not private and not all(map(is_public, found)):
        raise NotAllowed(f"'{host}' is in a private network, from which nothing is read. Upload the file instead.")
    return found[0]


def is_public(text: str) -> bool:
    """Whether the address is one of the Internet: no private, link-local, loopback or reserved one in any disguise."""
    found = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast

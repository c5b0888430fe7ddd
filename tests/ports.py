"""Ports for servers that are told where to listen, or that start on the same one again and again."""

import random
import socket

HOST = "127.0.0.1"
# Below those that kernels give to callers (from 32768 on in Linux, 49152 elsewhere): nobody's call takes one meanwhile.
LOWEST, HIGHEST = 20_000, 32_000


def free_port() -> int:
    """One where nobody listens."""
    for port in random.sample(range(LOWEST, HIGHEST), 100):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("Somebody listens everywhere.")


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0

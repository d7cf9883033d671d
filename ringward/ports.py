"""Finding a free TCP port from a wished one upwards."""

import socket

TRIES = 50


def reachable(host: str) -> str:
    """An address to connect to, for one to listen on: "everywhere" is reached at loopback."""
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104


def free_port(host: str, wished: int, taken: frozenset[int] = frozenset()) -> int:
    """The wished port, or the next one that nobody listens on. Raises `OSError`."""
    for port in range(wished, min(wished + TRIES, 65536)):
        if port not in taken and _is_free(host, port):
            return port
    raise OSError(f"no free port from {wished} on")


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port in TIME_WAIT of a program that has ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True

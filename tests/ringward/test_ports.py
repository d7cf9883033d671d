import socket
from collections.abc import Iterator

import pytest

from ringward import ports


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        # Well below the range that the system hands out, so that its neighbours stay free.
        for port in range(20_000, 21_000, 60):
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            break
        listener.listen()
        yield listener


def test_wished_port_is_taken_when_it_is_free(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    assert ports.free_port("127.0.0.1", port) == port


def test_next_port_is_taken_when_somebody_listens(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    found = ports.free_port("127.0.0.1", port)
    assert port < found < port + ports.TRIES
    with socket.socket() as server:
        server.bind(("127.0.0.1", found))


def test_port_that_is_promised_to_another_is_passed_over(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    first = ports.free_port("127.0.0.1", port)
    assert ports.free_port("127.0.0.1", port, frozenset([first])) > first


def test_no_port_at_all_is_an_error(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "TRIES", 1)
    with pytest.raises(OSError, match="no free port"):
        ports.free_port("127.0.0.1", listener.getsockname()[1])


def test_ports_end_where_they_end() -> None:
    with pytest.raises(OSError, match="no free port"):
        ports.free_port("127.0.0.1", 65535, frozenset([65535]))

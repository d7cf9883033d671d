import socket
from collections.abc import Iterator

import pytest

import storage.keys
from ringward.environment import environment_for
from ringward.foundation import load_secret
from ringward.settings import Settings
from ringward.supervisor import AlreadyRunningError, Supervisor
from tests.support.threads import at_once


@pytest.fixture(autouse=True)
def same_ring() -> Iterator[None]:
    before = storage.keys._ring
    yield
    storage.keys._ring = before


def close(supervisor: Supervisor) -> None:
    supervisor.foundation.database.close()
    supervisor._lock.close()


def test_second_supervisor_of_a_data_directory_is_refused(settings: Settings) -> None:
    first = Supervisor(settings, print)
    with pytest.raises(AlreadyRunningError):
        Supervisor(settings, print)
    close(first)
    close(Supervisor(settings, print))


def test_taken_port_is_replaced_and_said(settings: Settings) -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.mqtt_port))
        taken.listen()
        supervisor = Supervisor(settings, said.append)
    ours = supervisor.settings
    assert ours.mqtt_port != settings.mqtt_port
    assert (ours.http_port, ours.nats_port) == (settings.http_port, settings.nats_port)
    (line,) = said
    assert str(settings.mqtt_port) in line
    assert str(ours.mqtt_port) in line
    close(supervisor)


def test_four_wishes_for_one_port_get_four(settings: Settings) -> None:
    port = settings.http_port
    same = settings.model_copy(update={"mqtt_port": port, "nats_port": port, "push_port": port})
    supervisor = Supervisor(same, lambda _line: None)
    ours = supervisor.settings
    assert len({ours.http_port, ours.mqtt_port, ours.nats_port, ours.push_port}) == 4
    told = environment_for(ours)
    assert (told["RINGWARD_PUSH_HOST"], told["RINGWARD_PUSH_PORT"]) == ("127.0.0.1", str(ours.push_port))
    close(supervisor)


def test_port_zero_is_no_port_and_stays_so(settings: Settings) -> None:
    supervisor = Supervisor(settings.model_copy(update={"push_port": 0}), lambda _line: None)
    assert (supervisor.settings.push_port, supervisor.settings.push_url) == (0, None)
    close(supervisor)


def test_broker_of_ones_own_needs_no_ports(settings: Settings) -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.mqtt_port))
        taken.listen()
        supervisor = Supervisor(settings.model_copy(update={"nats_url": "nats://bus.example"}), said.append)
    assert (supervisor.settings.mqtt_port, said) == (settings.mqtt_port, [])
    close(supervisor)


def test_processes_that_start_together_share_one_secret(settings: Settings) -> None:
    found: list[str] = []
    assert at_once(8, lambda _: found.append(load_secret(settings.bus_secret_file))) == []
    assert len(set(found)) == 1
    assert len(found[0]) >= 32
    assert settings.bus_secret_file.stat().st_mode & 0o777 == 0o600

"""Brokers of a cluster: where one is away the next is tried, for what comes up and for what goes down."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bus.login import BrokerLogin
from devices.downlink import Downlink
from ingest.mqtt.session import open_session
from tests.support.brokers import NatsServer
from tests.support.ports import free_port
from tests.support.waiting import wait_until


@pytest.fixture
def login(nats_server: NatsServer) -> BrokerLogin:
    """The first address is nobody's."""
    return replace(
        nats_server.login(), host=f"127.0.0.1:{free_port()},127.0.0.1:{nats_server.mqtt_port}", port=1
    )


@pytest.fixture
def downlink(login: BrokerLogin) -> Iterator[Downlink]:
    made = Downlink(replace(login, client_id="down"))
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("broker", (("broker", 1883),)),
        ("a, b:1884", (("a", 1883), ("b", 1884))),
        ("::1", (("::1", 1883),)),
        ("[::1]:1884,[fd00::2]", (("::1", 1884), ("fd00::2", 1883))),
    ],
)
def test_each_has_its_own_port_or_the_common_one(host: str, expected: tuple[tuple[str, int], ...]) -> None:
    assert BrokerLogin(host, 1883).hosts() == expected


def test_a_session_is_opened_at_the_one_that_is_there(login: BrokerLogin) -> None:
    open_session(login)


def test_what_goes_down_finds_the_one_that_is_there(downlink: Downlink) -> None:
    wait_until(lambda: downlink.connected, "it is connected")
    assert downlink.publish("rw/v1/honghua/cam-1/down/command", b"{}", 1)

"""The way down to devices: what is published is heard now or by nobody."""

from collections.abc import Iterator

import pytest

from devices.downlink import Downlink
from tests.support.brokers import Broker
from tests.support.compound import COMPOUND
from tests.support.mqtt import Peer
from tests.support.waiting import wait_until

TOPIC = f"rw/v1/{COMPOUND}/cam-1/down/command"


@pytest.fixture
def downlink(mqtt_broker: Broker) -> Iterator[Downlink]:
    made = Downlink(mqtt_broker.login(client_id="ringward-devices"))
    made.start()
    wait_until(lambda: made.connected, "the way down is open")
    yield made
    made.stop()


@pytest.mark.parametrize("qos", [0, 1])
def test_command_is_never_retained(mqtt_broker: Broker, downlink: Downlink, qos: int) -> None:
    with Peer(mqtt_broker.login("cam-1", client_id="cam-1")) as device:
        device.subscribe(TOPIC)
        assert downlink.publish(TOPIC, b"open", qos)
        heard = device.next()
        assert (heard.payload, heard.retain) == (b"open", False)
    with Peer(mqtt_broker.login("cam-1", client_id="cam-1")) as back:
        back.subscribe(TOPIC)
        assert downlink.publish(TOPIC, b"the next one", qos)
        assert back.next().payload == b"the next one", "nothing older was remembered"


def test_what_moves_is_not_kept_for_a_device_that_is_away(mqtt_broker: Broker, downlink: Downlink) -> None:
    with Peer(mqtt_broker.login("cam-1", client_id="cam-1"), clean=False) as device:
        device.subscribe(TOPIC)
    with Peer(mqtt_broker.login("cam-1", client_id="onlooker")) as onlooker:
        assert onlooker.subscribe(TOPIC)
        assert downlink.publish(TOPIC, b"open", 0)
        # QoS 0 is confirmed by nobody: a device that came back earlier would hear it as it happens.
        assert onlooker.next().payload == b"open"
    with Peer(mqtt_broker.login("cam-1", client_id="cam-1"), clean=False) as back:
        assert downlink.publish(TOPIC, b"the next one", 1)
        assert back.next().payload == b"the next one"


def test_without_a_broker_it_certainly_did_not_leave(mqtt_broker: Broker) -> None:
    closed = Downlink(mqtt_broker.login(client_id="ringward-devices"))
    assert not closed.publish(TOPIC, b"open", 0)

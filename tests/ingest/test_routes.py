"""Which adapter reads what, and what ingest asks a broker for."""

import pytest

from bus.embedded import MAX_ACK_PENDING, MOST_IN_FLIGHT
from devices.adapters import ADAPTERS, matches, named_in
from devices.adapters.contract import RefusedError
from devices.directory import DeviceDirectory
from devices.models import DeviceKind
from ingest import routes
from ingest.mqtt.subscriber import BATCH_MESSAGES
from storage import Database
from tests.support.compound import COMPOUND, device, settle_in


def test_every_topic_of_every_adapter_is_listened_to() -> None:
    asked = [wanted.split("/") for wanted in routes.mqtt_filters()]
    for adapter in ADAPTERS.values():
        for wanted in adapter.topics:
            topic = wanted.replace("+", "a1").replace("#", "x").split("/")
            assert any(matches(one, topic) for one in asked), wanted


def test_nats_server_allows_that_much_in_flight() -> None:
    assert len(routes.mqtt_filters()) * MAX_ACK_PENDING <= MOST_IN_FLIGHT
    assert BATCH_MESSAGES * 2 <= MAX_ACK_PENDING


@pytest.fixture
def directory(database: Database) -> DeviceDirectory:
    settle_in(database)
    with database.write() as session:
        session.add(device("bridge", DeviceKind.GATEWAY, adapter="zigbee2mqtt"))
    return DeviceDirectory(database)


def test_gateway_with_a_root_of_its_own_is_read_as_with_its_vendors(directory: DeviceDirectory) -> None:
    route = routes.find(directory, "rw/gw/bridge/hall/door", None)
    assert [adapter.name for adapter in route.adapters] == ["zigbee2mqtt"]
    assert (route.topic, route.root) == ("zigbee2mqtt/hall/door", "rw/gw/bridge")
    assert route.device is not None
    assert route.device.device_id == "bridge"


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("rw/gw/nobody/hall/door", "unknown_device"),
        ("rw/gw/cam-1/x", "wrong_topic"),
        (f"rw/v1/{COMPOUND}/nobody/up/event", "unknown_device"),
        ("rw/v1/elsewhere/cam-1/up/event", "wrong_compound"),
        (f"rw/v1/{COMPOUND}/cam-1/down/ack", "wrong_topic"),
        ("nobody/listens/here/to/this/topic", "wrong_topic"),
    ],
)
def test_topic_that_leads_nowhere_is_refused(directory: DeviceDirectory, topic: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        routes.find(directory, topic, None)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("adapter", "topic", "name"),
    [
        ("facesluice", "mqtt/face/1026700/Rec", "1026700"),
        ("facesluice", "mqtt/face/basic", None),
        ("zhenshi", "917e/device/message/up/ivs_result", "917e"),
        ("zigbee2mqtt", "zigbee2mqtt/hall/door", "zigbee2mqtt"),
        ("shelly", "b3-door/online", "b3-door"),
    ],
)
def test_topic_alone_says_whose_unreadable_message_it_is(adapter: str, topic: str, name: str | None) -> None:
    assert named_in(ADAPTERS[adapter], topic) == name

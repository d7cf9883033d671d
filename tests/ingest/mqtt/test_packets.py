import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from ingest.mqtt.packets import puback, publish


class Wire:
    """A socket that a real client reads from and writes to."""

    def __init__(self, waiting: bytes = b"") -> None:
        self.waiting, self.sent = waiting, b""

    def recv(self, size: int) -> bytes:
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        if not taken:
            raise BlockingIOError
        return taken

    def send(self, content: bytes) -> int:
        self.sent += content
        return len(content)

    def close(self) -> None: ...


def client(wire: Wire) -> mqtt.Client:
    made = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, manual_ack=True)
    made._sock = wire
    return made


@given(
    st.text(st.characters(exclude_characters="+#\0", exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.binary(max_size=300) | st.binary(min_size=16_380, max_size=16_390),
)
def test_message_is_read_by_a_client_that_is_not_ours(topic: str, payload: bytes) -> None:
    wire = Wire(publish(topic, payload))
    reader = client(wire)
    heard: list[mqtt.MQTTMessage] = []
    reader.on_message = lambda _c, _d, message: heard.append(message)
    while wire.waiting:
        reader.loop_read()
    ((message),) = heard
    assert (message.topic, message.payload, message.qos, message.retain) == (topic, payload, 0, False)


@given(st.integers(1, 65_535))
def test_acknowledgement_is_the_one_that_a_client_sends(mid: int) -> None:
    wire = Wire()
    writer = client(wire)
    writer.ack(mid, 1)
    writer.loop_write()
    assert puback(mid) == wire.sent


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0b", "x" * 65_536])
def test_what_is_no_topic_is_refused(topic: str) -> None:
    with pytest.raises(ValueError, match="one topic"):
        publish(topic, b"")

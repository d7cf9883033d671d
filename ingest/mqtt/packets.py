"""Two MQTT packets by the hundred: acknowledgements and answers, joined into one piece of bytes.

paho builds, queues and sends each packet by itself, which costs more than the commit of the
event that it answers. Formats: MQTT 3.1.1, 3.4 (PUBACK) and 3.3 (PUBLISH at QoS 0).
"""

from functools import lru_cache
from typing import Final

_PUBACK: Final = b"\x40\x02"
_PUBLISH_QOS0: Final = b"\x30"


def puback(mid: int) -> bytes:
    """The acknowledgement of a message that came at QoS 1; `mid` is its packet id, 1…65,535."""
    return _PUBACK + mid.to_bytes(2, "big")


def publish(topic: str, payload: bytes) -> bytes:
    """A message at QoS 0, not retained. Raises `ValueError` for a topic that is none."""
    name = _name(topic)
    return _PUBLISH_QOS0 + _length(len(name) + len(payload)) + name + payload


@lru_cache(4096)
def _name(topic: str) -> bytes:
    encoded = topic.encode()
    if not 0 < len(encoded) <= 65_535 or any(sign in topic for sign in "+#\0"):
        raise ValueError("a message goes to one topic")
    return len(encoded).to_bytes(2, "big") + encoded


def _length(size: int) -> bytes:
    """The remaining length: seven bits a byte, the lowest first (MQTT 3.1.1, 2.2.3)."""
    if size < 128:
        return bytes((size,))
    encoded = bytearray()
    while size > 0:
        size, low = divmod(size, 128)
        encoded.append(low | 128 if size else low)
    return bytes(encoded)

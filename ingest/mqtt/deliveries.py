"""What came on one connection, so that a second copy of it is known.

nats-server delivers again, marked as a repeat and under the same packet id, what is not
acknowledged within seconds: the first copy waits here for its commit, or the acknowledgement
and the second copy have crossed. Read twice, a door that has closed meanwhile would seem to be
open again, and its next opening would be no news.

A repeat is no copy for being called one: what nats-server held back for want of room comes first
as a repeat. And the same bytes may be another press of a button. Only packet id and bytes
together tell; the server counts its packet ids through before it takes one again.
"""

import enum
from collections import OrderedDict
from typing import Final

_MOST: Final = 10_000


class Copy(enum.Enum):
    """What a message is: new, or a copy of one that waits for its commit or is safe."""

    NONE = enum.auto()
    WAITING = enum.auto()
    SAFE = enum.auto()


class Deliveries:
    """The last messages of a connection by their packet ids. For the network thread alone."""

    def __init__(self) -> None:
        # Packet id → (topic, hash of the bytes, whether it is safe).
        self._known: OrderedDict[int, tuple[str, int, bool]] = OrderedDict()

    def clear(self) -> None:
        """Another connection has begun, and packet ids with it."""
        self._known.clear()

    def take(self, mid: int, topic: str, payload: bytes, *, again: bool) -> Copy:
        """Notes a message that came; `again` is the broker's own word."""
        said = hash(payload)
        before = self._known.get(mid)
        if again and before is not None and before[:2] == (topic, said):
            return Copy.SAFE if before[2] else Copy.WAITING
        self._known[mid] = (topic, said, False)
        self._known.move_to_end(mid)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return Copy.NONE

    def safe(self, mid: int) -> None:
        """Notes that a message has been committed and acknowledged."""
        before = self._known.get(mid)
        if before is not None:
            self._known[mid] = (before[0], before[1], True)

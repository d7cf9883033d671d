"""What came on one connection, so that a second copy of it is known.

nats-server delivers again, marked as a repeat, what is not acknowledged within seconds. On one
connection that is always a copy of what has come already: it waits here for its commit, or its
acknowledgement and the copy have crossed. Read twice, a door that has closed meanwhile
would seem to be open again, and its next opening would be no news. The copy may carry another
packet id than the first, so that only its bytes tell.

A repeat of what came on an earlier connection is not known here, and is read.
"""

import enum
from collections import OrderedDict
from typing import Final

_MOST: Final = 10_000

Key = tuple[str, int]


class Copy(enum.Enum):
    """What a repeat is: nothing that came before, or a copy of what waits or is safe."""

    UNKNOWN = enum.auto()
    WAITING = enum.auto()
    SAFE = enum.auto()


class Deliveries:
    """The last messages of a connection. For the network thread alone."""

    def __init__(self) -> None:
        self._is_safe: OrderedDict[Key, bool] = OrderedDict()

    def clear(self) -> None:
        """Another connection has begun."""
        self._is_safe.clear()

    def first(self, topic: str, payload: bytes) -> Key:
        """Notes a message that is no repeat; returns what `safe` wants to know."""
        key = (topic, hash(payload))
        self._is_safe.pop(key, None)
        self._is_safe[key] = False
        if len(self._is_safe) > _MOST:
            self._is_safe.popitem(last=False)
        return key

    def safe(self, key: Key) -> None:
        """Notes that a message has been committed and acknowledged."""
        if key in self._is_safe:
            self._is_safe[key] = True

    def again(self, topic: str, payload: bytes) -> Copy:
        """What a message is that the broker calls a repeat."""
        is_safe = self._is_safe.get((topic, hash(payload)))
        if is_safe is None:
            return Copy.UNKNOWN
        return Copy.SAFE if is_safe else Copy.WAITING

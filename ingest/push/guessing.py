"""How often somebody may show a wrong secret.

Secrets have 192 random bits, which nobody guesses: this bounds the work and the dead letters
of a device that is set up wrongly, or of somebody who tries. Failures are counted for a
device *at an address*, so that nobody elsewhere can lock a device out; an address with many
names is slowed as well.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

# Failures at once, and seconds until one more is free: for (device, address), for an address.
PAIR: Final = (5, 10.0)
ADDRESS: Final = (60, 1.0)
_REMEMBERED: Final = 10_000


class Guessing:
    """Token buckets; `monotonic` gives seconds. Safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        # The moment at which all failures of a key are forgotten.
        self._until: OrderedDict[tuple[str, str], float] = OrderedDict()

    def wait_s(self, device: str, address: str) -> float:
        """Seconds until the next attempt is looked at; 0 for now."""
        now = self._monotonic()
        with self._lock:
            return max(self._wait(key, bucket, now) for key, bucket in _keys(device, address))

    def failed(self, device: str, address: str) -> None:
        """Counts a wrong secret."""
        now = self._monotonic()
        with self._lock:
            for key, (_, each_s) in _keys(device, address):
                self._until[key] = max(self._until.pop(key, now), now) + each_s
            while len(self._until) > _REMEMBERED:
                self._until.popitem(last=False)

    def _wait(self, key: tuple[str, str], bucket: tuple[int, float], now: float) -> float:
        most, each_s = bucket
        return max(0.0, self._until.get(key, now) - now - (most - 1) * each_s)


def _keys(device: str, address: str) -> tuple[tuple[tuple[str, str], tuple[int, float]], ...]:
    return ((device, address), PAIR), (("", address), ADDRESS)

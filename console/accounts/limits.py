"""How often somebody may try to sign in.

Failures are counted for (name, address), never for a name alone: whoever types wrong
passwords for somebody else's name from elsewhere slows only himself. The price is that
an attacker with many addresses gets a few tries from each; the length of passwords and
the cost of Argon2id are what holds there. A whole address is slowed only mildly and
briefly, since a control room or a mobile network may share one.

Counts live in this process: a restart forgets them, which costs an attacker nothing he
could rely on and a locked-out colleague nothing at all.
"""

import datetime as dt
import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_FAILURES = 5
FIRST_WAIT = dt.timedelta(seconds=2)
LONGEST_WAIT = dt.timedelta(minutes=5)
FORGOTTEN_AFTER = dt.timedelta(minutes=30)
ADDRESS_FAILURES = 60
ADDRESS_WAIT = dt.timedelta(seconds=15)
REMEMBERED = 20_000

_DOUBLINGS = 12


class TooManyAttemptsError(Exception):
    """Try again after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many attempts, again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class _Count:
    failures: int
    last: dt.datetime


class SignInLimiter:
    """Counts failures and says when the next attempt is due. Safe to share between threads."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, name: str, address: str, at: dt.datetime) -> None:
        """Raises `TooManyAttemptsError` while it is too early for another attempt."""
        network = _network(address)
        with self._lock:
            wait = max(
                self._wait(self._counts.get((name, network)), at, _pair_wait),
                self._wait(self._counts.get(("", network)), at, _address_wait),
            )
        if wait > dt.timedelta():
            raise TooManyAttemptsError(int(wait.total_seconds()) + 1)

    def failed(self, name: str, address: str, at: dt.datetime) -> None:
        """Counts a failure for the pair and for the address."""
        network = _network(address)
        with self._lock:
            for key in ((name, network), ("", network)):
                count = self._counts.pop(key, None)
                if count is None or at - count.last > FORGOTTEN_AFTER:
                    count = _Count(0, at)
                self._counts[key] = _Count(count.failures + 1, at)
            while len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forgets the pair's failures; the address keeps its own."""
        with self._lock:
            self._counts.pop((name, _network(address)), None)

    @staticmethod
    def _wait(count: _Count | None, at: dt.datetime, rule: Callable[[int], dt.timedelta]) -> dt.timedelta:
        if count is None or at - count.last > FORGOTTEN_AFTER:
            return dt.timedelta()
        return count.last + rule(count.failures) - at


def _pair_wait(failures: int) -> dt.timedelta:
    if failures < FREE_FAILURES:
        return dt.timedelta()
    doublings = min(failures - FREE_FAILURES, _DOUBLINGS)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _address_wait(failures: int) -> dt.timedelta:
    return ADDRESS_WAIT if failures >= ADDRESS_FAILURES else dt.timedelta()


def _network(address: str) -> str:
    # One subscriber holds a whole /64 of IPv6: an address of it is no identity.
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)

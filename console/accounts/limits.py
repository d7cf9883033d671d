"""How often somebody may try to sign in, such that nobody can use it to keep others out.

Failures are counted for (name, address), never for a name alone: whoever types wrong
passwords for somebody else's name from elsewhere slows only himself. Who shares the
victim's address (a control room, a mobile network) would slow the victim too, so a browser
that has signed in under the name before carries a cookie that says so and is counted by
itself: nobody else's failures touch it, from whatever address. A stolen cookie is worth a
count of its own and nothing more; it opens nothing.

The price is that an attacker with many addresses gets a few tries from each; the length of
passwords and the cost of Argon2id are what holds there. A whole address is slowed only
mildly and briefly. Codes of the second factor are few (a million), so they are counted for
the user as well, wherever they come from: but a code is asked only of those who know the
password, and a known browser is exempt from that count too.

Counts lie in the database, for any number of console processes; each is a keyed hash and a
number, forgotten half an hour after the last failure. Attempts that run at the same moment
can each pass before any has failed: their number is bounded by the places for hashing.
"""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.accounts.models import SignInFailure
from storage import Database
from storage.keys import current_ring

FREE_FAILURES: Final = 5
FIRST_WAIT: Final = dt.timedelta(seconds=2)
LONGEST_WAIT: Final = dt.timedelta(minutes=5)
FORGOTTEN_AFTER: Final = dt.timedelta(minutes=30)
ADDRESS_FAILURES: Final = 60
ADDRESS_WAIT: Final = dt.timedelta(seconds=15)
CODE_FAILURES: Final = 10

_DOUBLINGS: Final = 12
_NONE: Final = dt.timedelta()


class TooManyAttemptsError(Exception):
    """Try again after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many attempts, again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries: a name and an address, and the known browser it is (a hash), if it is one."""

    name: str
    address: str
    device: str | None = None
    # A user whose code is tried, when the password held.
    code_of: str | None = None


def counts(attempt: Attempt) -> dict[tuple[str, ...], str]:
    """What a failure of an attempt is counted for, and the rule of each. Nothing of it is a name alone."""
    if attempt.device is not None:
        # Its own count and no other: see above.
        return {("device", attempt.name, attempt.device): "pair"}
    network = _network(attempt.address)
    keys = {("pair", attempt.name, network): "pair", ("address", network): "address"}
    if attempt.code_of is not None:
        keys["code", attempt.code_of] = "code"
    return keys


def wait_after(rule: str, failures: int) -> dt.timedelta:
    """How long after the last of so many failures the next attempt is due."""
    if rule == "address":
        return ADDRESS_WAIT if failures >= ADDRESS_FAILURES else _NONE
    free = CODE_FAILURES if rule == "code" else FREE_FAILURES
    if failures < free:
        return _NONE
    doublings = min(failures - free, _DOUBLINGS)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


class SignInLimiter:
    """Counts failures in the database and says when the next attempt is due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self, attempt: Attempt, at: dt.datetime) -> None:
        """Raises `TooManyAttemptsError` while it is too early for another attempt."""
        rules = {_hashed(key): rule for key, rule in counts(attempt).items()}
        with self._database.read() as session:
            rows = session.scalars(
                select(SignInFailure).where(
                    SignInFailure.key.in_(rules), SignInFailure.last >= at - FORGOTTEN_AFTER
                )
            )
            wait = max(
                (row.last + wait_after(rules[row.key], row.failures) - at for row in rows), default=_NONE
            )
        if wait > _NONE:
            raise TooManyAttemptsError(int(wait.total_seconds()) + 1)

    def failed(self, attempt: Attempt, at: dt.datetime) -> None:
        """Counts a failure, and forgets those whose time is over."""
        try:
            self._count(attempt, at)
        except IntegrityError:
            # Another process counted the first failure of the same key at this moment.
            self._count(attempt, at)

    def _count(self, attempt: Attempt, at: dt.datetime) -> None:
        with self._database.write() as session:
            session.execute(delete(SignInFailure).where(SignInFailure.last < at - FORGOTTEN_AFTER))
            for key in sorted(map(_hashed, counts(attempt))):
                row = session.get(SignInFailure, key, with_for_update=True)
                if row is None:
                    session.add(SignInFailure(key=key, failures=1, last=at))
                else:
                    row.failures, row.last = row.failures + 1, at

    def succeeded(self, attempt: Attempt) -> None:
        """Forgets the attempt's own failures; the address keeps its own."""
        with self._database.write() as session:
            self.forget(session, attempt)

    @staticmethod
    def forget(session: Session, attempt: Attempt) -> None:
        """`succeeded` within a transaction of the caller's."""
        own = [_hashed(key) for key, rule in counts(attempt).items() if rule != "address"]
        session.execute(delete(SignInFailure).where(SignInFailure.key.in_(own)))


def _hashed(key: tuple[str, ...]) -> str:
    return current_ring().fingerprint("sign_in_failure", "\n".join(key))[:64]


def _network(address: str) -> str:
    # One subscriber holds a whole /64 of IPv6: an address of it is no identity.
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)

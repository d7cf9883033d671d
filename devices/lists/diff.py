"""What a terminal's list lacks and what is too much on it: a comparison of values."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from devices.lists.wanted import Holder, Wanted

Fingerprint = Callable[[Wanted], str]


@dataclass(frozen=True, slots=True)
class Known:
    """What is believed of one entry on a terminal; see `devices.enrolments.TerminalEnrolment`.

    `face` and `card` may lie there, `fingerprint` is what was confirmed. `leaving`: an order
    to forget it is under way. `on_its_way`: it is part of the batch in flight.
    """

    holder: Holder
    ref: str
    face: bool = False
    card: bool = False
    fingerprint: str | None = None
    sent: str | None = None
    failures: int = 0
    next_try_at: dt.datetime | None = None
    refused_picture: str | None = None
    leaving: bool = False
    on_its_way: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """An entry to be sent, new or in place of what lies there. `ref` None: it gets one."""

    wanted: Wanted
    ref: str | None
    fingerprint: str
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done now; entries that have to wait are in neither."""

    put: tuple[Put, ...]
    remove: tuple[Known, ...]


def compare(
    wanted: Mapping[Holder, Wanted],
    known: Iterable[Known],
    at: dt.datetime,
    fingerprint: Fingerprint,
) -> Changes:
    """What brings a terminal from what is known to what is wanted.

    What is taken away from an entry, a face or a card, goes by forgetting the whole entry:
    a terminal that is sent less keeps what it had. Whoever is about to be forgotten waits
    for that, and comes back under another reference.
    """
    there = {one.holder: one for one in known}
    put: list[Put] = []
    remove = [one for holder, one in there.items() if holder not in wanted and not one.leaving]
    for holder, entry in wanted.items():
        before = there.get(holder)
        if before is None:
            put.append(Put(entry, None, fingerprint(entry)))
            continue
        if before.leaving:
            continue
        now = _without_refused_picture(entry, before, at)
        if now is None:
            continue
        if (before.face and now.picture is None) or (before.card and now.card is None):
            remove.append(before)
            continue
        mark = fingerprint(now)
        waits = before.sent == mark and before.next_try_at is not None and at < before.next_try_at
        if mark != before.fingerprint and not before.on_its_way and not waits:
            put.append(Put(now, before.ref, mark, before.failures))
    # Those whom the terminal has refused before come last: they must not keep others out.
    put.sort(key=lambda one: (one.failures, one.wanted.holder))
    remove.sort(key=lambda one: one.holder)
    return Changes(tuple(put), tuple(remove))


def _without_refused_picture(entry: Wanted, before: Known, at: dt.datetime) -> Wanted | None:
    """Whoever has a card opens with it until the picture is tried again; None: nothing to send till then."""
    refused = entry.picture is not None and entry.picture == before.refused_picture
    if not refused or before.next_try_at is None or at >= before.next_try_at:
        return entry
    return replace(entry, picture=None) if entry.card is not None else None

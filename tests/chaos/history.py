"""What devices were told and phones got, held against what the database holds: the promises, checked. Pure.

- What was acknowledged is stored, and what is stored was said, once.
- A door that was forced and known in time is one incident, and no other door's. One that came late is none:
  late records complete history and raise nothing.
- Whoever is due to hear of an incident does; a notification comes at most once more for each fault.
- An urgent one (S1, S2) is at its phones within `DELAY_S` of what it takes without faults, whatever single
  fault happens meanwhile. Single is a fault that no other one is near: what happens in a storm of faults
  is counted beside it, and promised nothing.
"""

import bisect
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tests.chaos.phones import Letter

DELAY_S: Final = 10.0
EFFECT_S: Final = 12.0
"""For so long after its end a fault may still be felt: what comes later is none of its."""
RESEND_S: Final = 60.0
"""So long after a fault a second letter may still be its doing: a try that nobody settles is lost for 30 s."""
MOST_SHOWN: Final = 30
_TOLD, _ACKNOWLEDGED = 1, 2
_PARTS: Final = re.compile(r"[:/@.]")


class Fault(msgspec.Struct, frozen=True):
    """A fault that happened, from `start` to `end` (seconds since 1970). A kill's end is its moment."""

    what: str
    target: str
    start: float
    end: float

    @property
    def name(self) -> str:
        return f"{self.what} {self.target}"


@dataclass(frozen=True, slots=True)
class Door:
    """A door that was forced at `at`, by our clock, and whether the broker has said that it has it."""

    device: str
    number: str
    at: float
    acknowledged: bool = False


@dataclass
class History:
    """What devices said and were told: flags by device and record number, and each door by both."""

    said: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    doors: dict[tuple[str, str], Door] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    broken_acknowledged: set[str] = field(default_factory=set)
    waits_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def tell(self, device: str, number: int) -> None:
        self._mark(device, number, _TOLD)

    def acknowledge(self, device: str, number: int) -> None:
        self._mark(device, number, _TOLD | _ACKNOWLEDGED)

    def is_said(self, device: str, number: int) -> bool:
        flags = self.said.get(device)
        return flags is not None and number < len(flags) and bool(flags[number])

    def counts(self) -> tuple[int, int]:
        """How many records were said, and how many of them acknowledged."""
        said = sum(len(flags) - flags.count(0) for flags in self.said.values())
        acknowledged = sum(flags.count(_TOLD | _ACKNOWLEDGED) for flags in self.said.values())
        return said, acknowledged

    def _mark(self, device: str, number: int, flag: int) -> None:
        flags = self.said[device]
        if number >= len(flags):
            flags.extend(bytes(number + 1 - len(flags)))
        flags[number] |= flag


@dataclass(frozen=True, slots=True)
class RaisedIncident:
    """An incident of a forced door, and the events that it stands on. `raised_at` is of the evaluator's clock."""

    id: str
    severity: int
    events: tuple[str, ...]


@dataclass
class Written:
    """What the database holds. `stored` counts rows by device and record as the device calls it."""

    stored: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    # Of every event of a forced door: its id, whose record it is, and whether it came late.
    doors: dict[str, tuple[str, str, bool]] = field(default_factory=dict)
    incidents: list[RaisedIncident] = field(default_factory=list)
    # Notification → incident, responder, purpose; try → notification.
    notifications: dict[str, tuple[str | None, str | None, str]] = field(default_factory=dict)
    attempts: dict[str, str] = field(default_factory=dict)
    # Digests of what lies among the dead letters.
    refused: set[str] = field(default_factory=set)


class Felt(msgspec.Struct):
    """What single faults of one name did to urgent incidents: how many doors were forced in them, how long
    the slowest took beyond the usual, and how many were later than promised."""

    faults: int = 0
    single: int = 0
    doors: int = 0
    worst_s: float = 0.0
    too_late: int = 0


class Verdict(msgspec.Struct):
    """Counts, and the first differences in words. `clean` says whether every promise but the delay was kept."""

    said: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    invented: int = 0
    refused: int = 0
    refusals_lost: int = 0
    doors: int = 0
    doors_late: int = 0
    incidents: int = 0
    incidents_missing: int = 0
    incidents_doubled: int = 0
    incidents_invented: int = 0
    notifications_due: int = 0
    notifications_missing: int = 0
    letters: int = 0
    letters_extra: int = 0
    letters_beyond_faults: int = 0
    letters_invented: int = 0
    faults: int = 0
    usual_s: float | None = None
    slowest_s: float | None = None
    felt: dict[str, Felt] = {}
    differences: list[str] = []

    @property
    def clean(self) -> bool:
        return not (
            self.lost
            + self.doubled
            + self.invented
            + self.refusals_lost
            + self.incidents_missing
            + self.incidents_doubled
            + self.incidents_invented
            + self.notifications_missing
            + self.letters_beyond_faults
            + self.letters_invented
        )

    @property
    def too_late(self) -> int:
        return sum(felt.too_late for felt in self.felt.values())

    def differ(self, what: str) -> None:
        if len(self.differences) < MOST_SHOWN:
            self.differences.append(what)


def check(
    history: History,
    written: Written,
    letters: Sequence[Letter],
    faults: Sequence[Fault],
    desk: Mapping[str, str],
) -> Verdict:
    """`desk` is who is due to hear of every forced door, responder → name of the phone."""
    verdict = Verdict(faults=len(faults))
    _events(history, written, verdict)
    raised = _incidents(history, written, verdict)
    _notifications(written, letters, faults, desk, raised, verdict)
    _delays(history, written, letters, faults, desk, raised, verdict)
    return verdict


def _events(history: History, written: Written, verdict: Verdict) -> None:
    verdict.said, verdict.acknowledged = history.counts()
    found: dict[str, bytearray] = {device: bytearray(len(flags)) for device, flags in history.said.items()}
    for device, records in written.stored.items():
        for record, times in records.items():
            verdict.stored += times
            number = number_of(history, device, record)
            if number is None:
                verdict.invented += times
                verdict.differ(f"invented: {device} {record}")
                continue
            seen = found[device][number] + times
            found[device][number] = min(seen, 255)
            if seen > 1:
                verdict.doubled += times if seen > times else times - 1
                verdict.differ(f"doubled: {device} {record} is stored {seen} times")
    for device, flags in history.said.items():
        for number, flag in enumerate(flags):
            if flag & _ACKNOWLEDGED and not found[device][number]:
                verdict.lost += 1
                verdict.differ(f"lost: {device} {number}")
    verdict.refused = len(written.refused)
    for digest in history.broken_acknowledged - written.refused:
        verdict.refusals_lost += 1
        verdict.differ(f"lost: a broken message {digest}")


def number_of(history: History, device: str, record: str) -> int | None:
    """A record's number as its device counts; an adapter may have put its own words around it."""
    for part in (record, *_PARTS.split(record)):
        digits = part.removeprefix("n-")
        if digits.isascii() and digits.isdigit() and history.is_said(device, int(digits)):
            return int(digits)
    return None


def _incidents(history: History, written: Written, verdict: Verdict) -> dict[tuple[str, str], RaisedIncident]:
    """The incident of each door."""
    raised: dict[tuple[str, str], RaisedIncident] = {}
    verdict.doors = len(history.doors)
    verdict.incidents = len(written.incidents)
    standing: dict[str, list[RaisedIncident]] = defaultdict(list)
    for incident in written.incidents:
        if not any(event in written.doors for event in incident.events):
            verdict.incidents_invented += 1
            verdict.differ(f"incident {incident.id} stands on no door")
        if len(set(incident.events)) > 1:
            # Two doors in one, though no two have a key in common.
            verdict.incidents_missing += len(set(incident.events)) - 1
            verdict.differ(f"incident {incident.id} is of {len(set(incident.events))} doors")
        for event in incident.events:
            standing[event].append(incident)
    for event, (device, number, late) in written.doors.items():
        of_it = standing[event]
        if late:
            verdict.doors_late += 1
            if of_it:
                verdict.incidents_invented += 1
                verdict.differ(f"door {device} {number} came late and raised {of_it[0].id}")
            continue
        if not of_it:
            verdict.incidents_missing += 1
            verdict.differ(f"door {device} {number} raised nothing")
        else:
            raised[device, number] = of_it[0]
        if len(of_it) > 1:
            verdict.incidents_doubled += len(of_it) - 1
            verdict.differ(f"door {device} {number} raised {len(of_it)}")
    return raised


def _notifications(
    written: Written,
    letters: Sequence[Letter],
    faults: Sequence[Fault],
    desk: Mapping[str, str],
    raised: Mapping[tuple[str, str], RaisedIncident],
    verdict: Verdict,
) -> None:
    verdict.letters = len(letters)
    came: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        notification = written.attempts.get(letter.attempt)
        if notification is None:
            verdict.letters_invented += 1
            verdict.differ(f"a letter to {letter.phone} of a try that is not written: {letter.attempt}")
        else:
            came[notification].append(letter)
    due = {(incident.id, responder) for incident in raised.values() for responder in desk}
    verdict.notifications_due = len(due)
    told = {
        (incident, responder)
        for notification, (incident, responder, purpose) in written.notifications.items()
        if purpose == "incident" and came.get(notification)
    }
    for incident, responder in sorted(due - told):  # type: ignore[operator]
        verdict.notifications_missing += 1
        verdict.differ(f"{responder} was not told of {incident}")
    for notification, of_it in came.items():
        extra = len(of_it) - 1
        if not extra:
            continue
        verdict.letters_extra += extra
        first, last = min(one.at for one in of_it), max(one.at for one in of_it)
        near = [fault for fault in faults if fault.start <= last and fault.end + RESEND_S >= first]
        if extra > len(near):
            verdict.letters_beyond_faults += extra - len(near)
            verdict.differ(f"{notification} came {len(of_it)} times over {len(near)} faults")
    if verdict.letters_extra > len(faults):
        verdict.letters_beyond_faults = max(
            verdict.letters_beyond_faults, verdict.letters_extra - len(faults)
        )
        verdict.differ(f"{verdict.letters_extra} letters more than due over {len(faults)} faults")


def _delays(
    history: History,
    written: Written,
    letters: Sequence[Letter],
    faults: Sequence[Fault],
    desk: Mapping[str, str],
    raised: Mapping[tuple[str, str], RaisedIncident],
    verdict: Verdict,
) -> None:
    took = _took(history, written, letters, desk, raised)
    calm = [s for door, s in took.items() if s is not None and not _near(history.doors[door].at, faults)]
    reached = [s for s in took.values() if s is not None]
    usual = statistics.median(calm or reached) if reached else None
    verdict.usual_s = usual
    verdict.slowest_s = max(reached, default=None)
    for fault in faults:
        verdict.felt.setdefault(fault.name, Felt()).faults += 1
    at = sorted(history.doors.values(), key=lambda door: door.at)
    moments = [door.at for door in at]
    for fault in single(faults):
        felt = verdict.felt[fault.name]
        felt.single += 1
        low = bisect.bisect_left(moments, fault.start - 1.0)
        high = bisect.bisect_right(moments, fault.end + EFFECT_S)
        for door in at[low:high]:
            key = door.device, door.number
            delay = took.get(key)
            felt.doors += 1
            beyond = float("inf") if delay is None or usual is None else max(0.0, delay - usual)
            if beyond != float("inf"):
                felt.worst_s = max(felt.worst_s, beyond)
            if beyond > DELAY_S:
                felt.too_late += 1
                words = "never" if delay is None else f"{beyond:.1f} s late"
                verdict.differ(f"door {door.device} {door.number} at {door.at:.1f} told {words}: {fault}")


def _took(
    history: History,
    written: Written,
    letters: Sequence[Letter],
    desk: Mapping[str, str],
    raised: Mapping[tuple[str, str], RaisedIncident],
) -> dict[tuple[str, str], float | None]:
    """Seconds from a door's first word until the last phone of the desk had its letter; None: never."""
    came: dict[tuple[str, str], float] = {}
    for letter in letters:
        incident, responder, purpose = written.notifications.get(
            written.attempts.get(letter.attempt, ""), (None, None, "")
        )
        if incident is not None and responder is not None and purpose == "incident":
            key = incident, responder
            came[key] = min(came.get(key, letter.at), letter.at)
    took: dict[tuple[str, str], float | None] = {}
    for door, said in history.doors.items():
        incident = raised.get(door)
        each = [came.get((incident.id, who)) if incident is not None else None for who in desk]
        whole = [at for at in each if at is not None]
        took[door] = max(whole) - said.at if whole and len(whole) == len(each) else None
    return took


def single(faults: Iterable[Fault]) -> list[Fault]:
    """Those that no other one's effect touches."""
    ordered = sorted(faults, key=lambda fault: fault.start)
    found = []
    until = float("-inf")
    for index, fault in enumerate(ordered):
        following = ordered[index + 1].start if index + 1 < len(ordered) else float("inf")
        if fault.start >= until and following >= fault.end + EFFECT_S:
            found.append(fault)
        until = max(until, fault.end + EFFECT_S)
    return found


def _near(at: float, faults: Sequence[Fault]) -> bool:
    return any(fault.start - 1.0 <= at <= fault.end + EFFECT_S for fault in faults)

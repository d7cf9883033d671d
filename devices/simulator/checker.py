"""The history against the database: nothing that was acknowledged is missing, nothing is there twice.

An event is known by what the device itself calls it: who, what kind, its record number, the
time that the message carried. Nothing of an adapter is used for that.
"""

import datetime as dt
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from bus.deadletters import DeadLetter
from devices.simulator.history import Entry
from storage.events import EventRow

MOST_SHOWN: Final = 20
_PARTS: Final = re.compile(r"[:/@]")
_NOT_YET: Final = "broker_auth_failed"
_LONG_AGO: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Verdict(msgspec.Struct):
    """Counts of happenings, and the first differences in words.

    `lost` were acknowledged and are not there; `doubled` are there more often than they
    happened; `invented` never happened. `unanswered` left a device, were never acknowledged and
    are not there: nothing was promised. `suppressed` were counted by flood control instead of
    stored. `strange_letters` are dead letters of messages that were whole.
    """

    happened: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    invented: int = 0
    refused: int = 0
    unanswered: int = 0
    suppressed: int = 0
    broken: int = 0
    letters: int = 0
    lost_letters: int = 0
    strange_letters: int = 0
    differences: list[str] = []

    @property
    def clean(self) -> bool:
        """Whether the database holds what the devices were told, and nothing else."""
        wrong = self.lost + self.doubled + self.invented + self.lost_letters + self.strange_letters
        return not wrong

    def differ(self, what: str) -> None:
        if len(self.differences) < MOST_SHOWN:
            self.differences.append(what)


_Key = tuple[str, str, str | None, dt.datetime | None]


@dataclass(slots=True)
class _Told:
    """All happenings of one key: how many, how many of them were acknowledged, and what is stored."""

    happenings: set[int | None] = field(default_factory=set)
    acknowledged: set[int | None] = field(default_factory=set)
    refused: set[int | None] = field(default_factory=set)
    mad: bool = False
    stored: int = 0


def check(
    entries: Iterable[Entry], session: Session, devices: Collection[str], since: dt.datetime
) -> Verdict:
    """Compares what the devices say with events and dead letters that came since."""
    verdict = Verdict()
    told, digests, acknowledged_digests = _gathered(entries)
    _match(told, session, devices, since, verdict)
    _judge(told, verdict, _suppressed(session, devices, since))
    _letters(session, digests, acknowledged_digests, devices, since, verdict)
    return verdict


def _gathered(entries: Iterable[Entry]) -> tuple[dict[_Key, _Told], set[str], set[str]]:
    told: dict[_Key, _Told] = defaultdict(_Told)
    digests: set[str] = set()
    acknowledged_digests: set[str] = set()
    for entry in entries:
        if entry.what == "broken" and entry.digest:
            digests.add(entry.digest)
        elif entry.what == "broken_acknowledged" and entry.digest:
            acknowledged_digests.add(entry.digest)
        elif entry.kind is not None:
            one = told[entry.device, entry.kind, entry.number, entry.said]
            one.happenings.add(entry.happening)
            one.mad = one.mad or entry.mad
            if entry.what == "acknowledged":
                one.acknowledged.add(entry.happening)
            elif entry.what == "refused":
                one.refused.add(entry.happening)
    return told, digests, acknowledged_digests


def _match(
    told: dict[_Key, _Told], session: Session, devices: Collection[str], since: dt.datetime, verdict: Verdict
) -> None:
    rows = session.execute(
        select(EventRow.device_id, EventRow.type, EventRow.record_id, EventRow.device_time).where(
            EventRow.received_at >= since
        )
    )
    ours = set(devices)
    for device, kind, record, device_time in rows:
        # What Ringward notes of a device by itself (it came, it went, it floods) no device has told.
        if device not in ours or record.startswith(f"{kind}@"):
            continue
        verdict.stored += 1
        key = _key_of(told, device, kind, record, device_time)
        if key is None:
            verdict.invented += 1
            verdict.differ(f"invented: {device} {kind} {record} {device_time.isoformat()}")
        else:
            told[key].stored += 1


def _key_of(told: dict[_Key, _Told], device: str, kind: str, record: str, at: dt.datetime) -> _Key | None:
    parts = _PARTS.split(record)
    names = [record, *parts, *(part.partition(".")[0] for part in parts)]
    for number in (*dict.fromkeys(names), None):
        for said in (at, None):
            key = (device, kind, number, said)
            if key in told:
                return key
    return None


def _judge(told: dict[_Key, _Told], verdict: Verdict, suppressed: Counter[str]) -> None:
    missing_of_mad: Counter[str] = Counter()
    for (device, kind, number, said), one in told.items():
        count = len(one.happenings)
        verdict.happened += count
        verdict.acknowledged += len(one.acknowledged)
        verdict.refused += len(one.refused - one.acknowledged)
        what = f"{device} {kind} {number} {(said or _LONG_AGO).isoformat()}"
        if one.stored > count:
            verdict.doubled += one.stored - count
            verdict.differ(f"doubled: {what} is stored {one.stored} times")
        missing = len(one.acknowledged) - one.stored
        if missing > 0 and suppressed[device]:
            missing_of_mad[device] += missing
        elif missing > 0:
            verdict.lost += missing
            verdict.differ(f"lost: {what}")
        verdict.unanswered += max(0, count - max(len(one.acknowledged), one.stored))
    for device, missing in missing_of_mad.items():
        verdict.suppressed += min(missing, suppressed[device])
        if missing > suppressed[device]:
            verdict.lost += missing - suppressed[device]
            verdict.differ(f"lost: {missing} of {device}, of which {suppressed[device]} were counted")


def _suppressed(session: Session, devices: Collection[str], since: dt.datetime) -> Counter[str]:
    """How many events of each device flood control has counted instead of stored."""
    found: Counter[str] = Counter()
    ours = set(devices)
    rows = session.execute(
        select(EventRow.device_id, EventRow.body).where(
            EventRow.received_at >= since, EventRow.type == "device.fault"
        )
    )
    for device, body in rows:
        counts = body.get("attributes", {}).get("suppressed")
        if device in ours and isinstance(counts, dict):
            found[device] += sum(counts.values())
    return found


def _letters(
    session: Session,
    digests: set[str],
    acknowledged: set[str],
    devices: Collection[str],
    since: dt.datetime,
    verdict: Verdict,
) -> None:
    verdict.broken = len(digests)
    found: set[str] = set()
    ours = set(devices)
    for letter in session.scalars(select(DeadLetter).where(DeadLetter.received_at >= since)):
        if letter.raw is None:
            # The broker's own refusals: of them only the log knows. A sign-in that came before the
            # broker had read its users is tried again, and no message.
            if letter.device_id in ours and letter.reason != _NOT_YET:
                verdict.strange_letters += 1
                verdict.differ(f"letter: {letter.device_id} {letter.reason} {letter.topic[:80]}")
            continue
        verdict.letters += 1
        digest = hashlib.blake2b(letter.raw, digest_size=16).hexdigest()
        found.add(digest)
        if digest not in digests:
            verdict.strange_letters += 1
            verdict.differ(
                f"letter: {letter.device_id} {letter.reason} {letter.detail[:80]} {letter.topic[:80]}"
            )
    for digest in acknowledged - found:
        verdict.lost_letters += 1
        verdict.differ(f"lost: a broken message {digest}")

"""The database held against what each device was told."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from bus.deadletters import DeadLetter
from storage import Database, MediaStore
from storage.events import EventRow
from storage.media import MediaNotFoundError
from tests.chaos.history import Entry


@dataclass
class Verdict:
    """`lost`, `doubled` and the rest name (device, record); all of them must be empty."""

    told: int = 0
    acknowledged: int = 0
    stored: int = 0
    refused: int = 0
    lost: list[tuple[str, str]] = field(default_factory=list)
    doubled: list[tuple[str, str]] = field(default_factory=list)
    # Stored, and never said by any device.
    invented: list[tuple[str, str]] = field(default_factory=list)
    # Stored with another time than the device wrote.
    mistimed: list[tuple[str, str]] = field(default_factory=list)
    # Stored without the picture that it names.
    blind: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.invented or self.mistimed or self.blind)


def check(entries: Iterable[Entry], database: Database, media: MediaStore) -> Verdict:
    """Every acknowledged record is once among the events or the refused messages, and nothing is twice."""
    said: dict[tuple[str, str], dt.datetime | None] = {}
    safe: set[tuple[str, str]] = set()
    for entry in entries:
        key = entry.device, entry.number
        if entry.what == "told":
            said[key] = entry.said
        else:
            safe.add(key)
    verdict = Verdict(told=len(said), acknowledged=len(safe))
    stored: Counter[tuple[str, str]] = Counter()
    with database.read() as session:
        rows = session.execute(
            select(EventRow.device_id, EventRow.record_id, EventRow.device_time, EventRow.body).where(
                EventRow.type.not_like("device.%")
            )
        )
        for row in rows:
            key = row.device_id, row.record_id
            stored[key] += 1
            if key not in said:
                verdict.invented.append(key)
            elif said[key] != row.device_time:
                verdict.mistimed.append(key)
            if not all(_readable(media, picture["media_id"]) for picture in row.body.get("pictures") or ()):
                verdict.blind.append(key)
        letters = {
            (letter.device_id or "", _record_in(letter.raw)) for letter in session.scalars(select(DeadLetter))
        }
    verdict.stored = len(stored)
    verdict.refused = len(letters)
    verdict.lost = sorted(safe - stored.keys() - letters)
    verdict.doubled = sorted(
        [key for key, times in stored.items() if times > 1] + list(letters & stored.keys())
    )
    return verdict


def _readable(media: MediaStore, media_id: str) -> bool:
    try:
        return len(media.get(media_id)) > 0
    except (MediaNotFoundError, OSError):
        return False


def _record_in(raw: bytes | None) -> str:
    """The record of a native message that was refused."""
    found: Any = msgspec.json.decode(raw or b"{}")
    return str(found.get("id", ""))

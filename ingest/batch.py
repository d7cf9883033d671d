"""What one commit will hold, gathered before the database is touched."""

import datetime as dt
import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from devices.adapters.contract import CommandResult, Reading
from devices.directory import DeviceFacts
from devices.observations import Heard
from ingest.arrival import Arrival, Settled
from ingest.flooding import FloodControl
from ingest.rows import Prepared


class Origin(enum.Enum):
    """Where a batch comes from. Of what was put aside before only the events count, and all of them."""

    DEVICES = enum.auto()
    # The last of what a device sent too much of.
    FLOOD = enum.auto()
    # Dead letters that are read again.
    LETTERS = enum.auto()


@dataclass(slots=True)
class Batch:
    """Numbers are positions in `arrivals`; `settled` has one entry for each of them."""

    arrivals: Sequence[Arrival]
    flood: FloodControl
    origin: Origin = Origin.DEVICES
    events: dict[str, tuple[int, Prepared]] = field(default_factory=dict)
    # Told more than once within the batch under one id: sorted out with what is stored.
    further: list[tuple[int, Prepared]] = field(default_factory=list)
    unnamed: list[tuple[int, Reading, DeviceFacts]] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    amendments: list[Prepared] = field(default_factory=list)
    # (device, online, its clock's drift and whether that is sure, when).
    states: list[tuple[DeviceFacts, bool, tuple[dt.timedelta, bool] | None, dt.datetime]] = field(
        default_factory=list
    )
    # (adapter, gateway, name) → (when, facts): a stranger that floods is noted once a batch.
    candidates: dict[tuple[str, str | None, str], tuple[dt.datetime, dict[str, Any]]] = field(
        default_factory=dict
    )
    results: list[tuple[str, CommandResult, dt.datetime]] = field(default_factory=list)
    # What devices that nobody believes yet have shown, and what the others say of themselves anew.
    heard: list[Heard] = field(default_factory=list)
    facts: list[tuple[DeviceFacts, dict[str, Any], dt.datetime]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    last_seen: dict[str, dt.datetime] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    # Ids of the events of an arrival, by its position; kept for dead letters alone.
    became: dict[int, list[str]] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        return self.origin is Origin.DEVICES

    def add(self, position: int, prepared: Prepared) -> None:
        """Takes in an event that has its identity."""
        if self.origin is Origin.LETTERS:
            self.became.setdefault(position, []).append(prepared.message.id)
        if not prepared.message.late:
            self.last_seen[prepared.message.device_id] = prepared.message.received_at
        if prepared.message.id in self.events:
            self.further.append((position, prepared))
        else:
            self.events[prepared.message.id] = (position, prepared)

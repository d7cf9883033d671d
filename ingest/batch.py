"""What one commit will hold, gathered before the database is touched."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from devices.adapters.contract import CommandResult, Reading
from devices.directory import DeviceFacts
from ingest.arrival import Arrival, Settled
from ingest.rows import Prepared


@dataclass(slots=True)
class Batch:
    """Numbers are positions in `arrivals`; `settled` has one entry for each of them."""

    arrivals: Sequence[Arrival]
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
    candidates: list[tuple[str, str | None, str, dt.datetime, dict[str, Any]]] = field(default_factory=list)
    results: list[tuple[str, CommandResult, dt.datetime]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    last_seen: dict[str, dt.datetime] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)

    def add(self, position: int, prepared: Prepared) -> None:
        """Takes in an event that has its identity."""
        if not prepared.message.late:
            self.last_seen[prepared.message.device_id] = prepared.message.received_at
        if prepared.message.id in self.events:
            self.further.append((position, prepared))
        else:
            self.events[prepared.message.id] = (position, prepared)

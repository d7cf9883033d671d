"""The recent past of a compound, by place and time."""

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from alerts.rules.observation import Observation

_Key = tuple[dt.datetime, str]


class Recent:
    """Observations of the last `horizon`, each once, whatever order they came in."""

    def __init__(self, horizon: dt.timedelta) -> None:
        self._horizon = horizon
        self._places: defaultdict[str, list[tuple[_Key, Observation]]] = defaultdict(list)
        self._known: dict[str, Observation] = {}

    def add(self, observation: Observation) -> bool:
        """Remembers it; False when it was there already. What amends takes the place of what it amends."""
        before = self._known.get(observation.id)
        if before is not None:
            if not observation.amends:
                return False
            entries = self._places[before.place]
            entries[:] = [entry for entry in entries if entry[1].id != before.id]
        self._known[observation.id] = observation
        bisect.insort(
            self._places[observation.place],
            ((observation.at, observation.id), observation),
            key=lambda entry: entry[0],
        )
        return True

    def is_superseded(self, observation: Observation) -> bool:
        """Whether an amendment has taken the observation's place."""
        return self._known.get(observation.id, observation) is not observation

    def at_place(self, place: str, start: dt.datetime, end: dt.datetime) -> Iterator[Observation]:
        """What happened at a lane or device from `start` to `end`, both included, in order."""
        entries = self._places.get(place, [])
        first = bisect.bisect_left(entries, (start, ""), key=lambda entry: entry[0])
        for (moment, _), observation in entries[first:]:
            if moment > end:
                return
            yield observation

    def forget_before(self, now: dt.datetime) -> None:
        """Drops what no rule can ask for any more."""
        limit = now - self._horizon
        for place in list(self._places):
            kept = [entry for entry in self._places[place] if entry[0][0] >= limit]
            if kept:
                self._places[place] = kept
            else:
                del self._places[place]
        self._known = {known: seen for known, seen in self._known.items() if seen.at >= limit}

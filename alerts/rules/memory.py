"""The recent past of a compound, by place, zone, subject, type and time."""

import bisect
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Reversible, Sequence
from operator import itemgetter

from alerts.rules.observation import Observation
from alerts.rules.rule import Signal
from alerts.rules.site import Site

_Entry = tuple[dt.datetime, str, Observation]
# How much of event time passes between two clearings-out.
_PRUNE_EVERY = dt.timedelta(minutes=5)
_LAST_ID = "\U0010ffff"
_observed: Callable[[_Entry], Observation] = itemgetter(2)
CONDITIONS = frozenset({"device.offline", "device.online", "device.tamper", "video.occlusion", "video.lost"})
"""What a device's sight depends on."""


class _Span:
    """Observations of a time in order; also from the last one back, for whoever needs the last one."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._entries = entries

    def __iter__(self) -> Iterator[Observation]:
        return map(_observed, self._entries)

    def __reversed__(self) -> Iterator[Observation]:
        return map(_observed, reversed(self._entries))


_NONE = _Span(())


class Recent:
    """Observations of the last `horizon`, each once, whatever order they came in. A `View` for rules."""

    def __init__(self, horizon: dt.timedelta, site: Site | None = None) -> None:
        self.site = site or Site()
        self._horizon = horizon
        self._index: dict[tuple[str, str], list[_Entry]] = {}
        self._known: dict[str, _Entry] = {}
        # The same by time: what is forgotten next stands in front.
        self._ordered: list[_Entry] = []
        # A device's last word on its own condition is kept however old it is: it still holds.
        self._last_words: dict[str, _Entry] = {}
        self._late: dict[str, dt.datetime] = {}
        self._pruned: dt.datetime | None = None
        self._signals: list[tuple[dt.datetime, tuple[str, str, str], Signal]] = []
        self._said: set[tuple[str, str, str]] = set()
        self._settled: dict[str, dt.datetime] = {}
        # (subject, zone) → evenings on which it was seen there at night.
        self._nights: dict[tuple[str, str], set[dt.date]] = {}
        # The engine's, which knows the rules.
        self.rehearsal: Callable[[Iterable[Observation]], Sequence[Signal]] = lambda _: ()

    def __len__(self) -> int:
        return len(self._known)

    def observations(self) -> list[Observation]:
        """Everything that is remembered, in order of time."""
        return [entry[2] for entry in sorted(self._known.values(), key=lambda entry: entry[:2])]

    def late_records(self) -> list[Observation]:
        """Records that came too late to be news, in the order in which they came in."""
        entries = [entry for key, kept in self._index.items() if key[0] == "late" for entry in kept]
        return [entry[2] for entry in sorted(entries, key=lambda entry: entry[:2])]

    def settled_known(self) -> dict[str, dt.datetime]:
        """Keys whose incidents somebody closed, and up to when."""
        return dict(self._settled)

    def add(self, observation: Observation) -> bool:
        """Remembers it; False when it was there already. What amends takes the place of what it amends."""
        before = self._known.get(observation.id)
        if before is not None:
            if not observation.amends:
                return False
            self._drop_from_index(before)
            place = bisect.bisect_left(self._ordered, before[:2])
            if place < len(self._ordered) and self._ordered[place] is before:
                del self._ordered[place]
        entry = (observation.at, observation.id, observation)
        self._known[observation.id] = entry
        ordered = self._ordered
        if not ordered or ordered[-1] < entry:
            ordered.append(entry)
        else:
            bisect.insort(ordered, entry)
        index = self._index
        for key in _keys(observation):
            kept = index.get(key)
            if kept is None:
                index[key] = [entry]
            elif kept[-1] < entry:
                kept.append(entry)
            else:
                bisect.insort(kept, entry)
        return True

    def add_late(self, observation: Observation) -> bool:
        """Remembers a record that is history, apart from all others; False when it was there already."""
        if observation.id in self._late:
            return False
        entry = (observation.received_at, observation.id, observation)
        self._late[observation.id] = entry[0]
        bisect.insort(self._index.setdefault(("late", observation.device), []), entry)
        return True

    def is_superseded(self, observation: Observation) -> bool:
        """Whether an amendment has taken the observation's place."""
        entry = self._known.get(observation.id)
        return entry is not None and entry[2] is not observation

    def at_place(self, place: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        return self._between(("place", place), start, end)

    def at_device(self, device: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        return self._between(("device", device), start, end)

    def in_zone(self, zone: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        return self._between(("zone", zone), start, end)

    def of_subject(self, subject: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        return self._between(("subject", subject), start, end)

    def of_type(self, kind: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        return self._between(("type", kind), start, end)

    def conditions(self, device: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        return self._between(("condition", device), start, end)

    def late_of(self, device: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        return self._between(("late", device), start, end)

    def rehearse(self, observations: Iterable[Observation]) -> Sequence[Signal]:
        return self.rehearsal(observations)

    def signals(self, start: dt.datetime, end: dt.datetime) -> Sequence[Signal]:
        said = self._signals
        first = bisect.bisect_left(said, start, key=_moment)
        last = bisect.bisect_right(said, end, lo=first, key=_moment)
        return [entry[2] for entry in said[first:last] if not self._is_settled(entry[2])]

    def nights(self, subject: str, zone: str, since: dt.date, until: dt.date) -> int:
        return sum(since <= evening <= until for evening in self._nights.get((subject, zone), ()))

    def note_night(self, subject: str, zone: str, evening: dt.date) -> None:
        """Somebody was seen in a building's zone in the night that began on that evening."""
        self._nights.setdefault((subject, zone), set()).add(evening)

    def nights_known(self) -> list[tuple[str, str, list[dt.date]]]:
        """(subject, zone, evenings): all that `note_night` was told."""
        return [(*where, sorted(evenings)) for where, evenings in self._nights.items()]

    def note_signal(self, signal: Signal) -> bool:
        """Remembers what was said; False when it was said before."""
        identity = (signal.rule, signal.anchor.id, signal.stage)
        if identity in self._said:
            return False
        self._said.add(identity)
        bisect.insort(self._signals, (signal.anchor.at, identity, signal), key=lambda entry: entry[:2])
        return True

    def settle(self, key: str, at: dt.datetime) -> None:
        """Somebody has closed the incident of a key: what was said up to then leads to nothing more."""
        self._settled[key] = max(at, self._settled.get(key, at))

    def forget_before(self, now: dt.datetime) -> None:
        """Drops what no rule can ask for any more, now and then; it costs what there is to drop."""
        pruned = self._pruned
        if pruned is not None and now - pruned < _PRUNE_EVERY:
            return
        self._pruned = now
        limit = now - self._horizon
        self._forget_observations(limit)
        if self._late:
            self._forget_late(limit)
        self._signals = [entry for entry in self._signals if entry[0] >= limit]
        self._said = {entry[1] for entry in self._signals}
        self._settled = {key: at for key, at in self._settled.items() if at >= limit}
        # Nights end with a day, and there are many of them.
        if pruned is None or limit.date() != (pruned - self._horizon).date():
            self._forget_nights(limit.date() - dt.timedelta(days=31))

    def _forget_observations(self, limit: dt.datetime) -> None:
        ordered = self._ordered
        count = bisect.bisect_left(ordered, (limit, ""))
        gone = ordered[:count]
        del ordered[:count]
        for device, entry in list(self._last_words.items()):
            if self._index["condition", device][-1] is not entry:
                del self._last_words[device]
                gone.append(entry)
        for entry in gone:
            observation = entry[2]
            if observation.type in CONDITIONS:
                device = observation.device
                if self._index["condition", device][-1] is entry:
                    self._last_words[device] = entry
                    continue
            del self._known[observation.id]
            self._drop_from_index(entry)

    def _drop_from_index(self, entry: _Entry) -> None:
        index = self._index
        for key in _keys(entry[2]):
            entries = index[key]
            # The oldest goes first.
            place = 0 if entries[0] is entry else bisect.bisect_left(entries, entry[:2])
            del entries[place]
            if not entries:
                del index[key]

    def _forget_late(self, limit: dt.datetime) -> None:
        bound = (limit, "")
        for key in [key for key in self._index if key[0] == "late"]:
            entries = self._index[key]
            del entries[: bisect.bisect_left(entries, bound)]
            if not entries:
                del self._index[key]
        self._late = {known: at for known, at in self._late.items() if at >= limit}

    def _forget_nights(self, oldest: dt.date) -> None:
        for where in list(self._nights):
            kept = {evening for evening in self._nights[where] if evening >= oldest}
            if kept:
                self._nights[where] = kept
            else:
                del self._nights[where]

    def _is_settled(self, signal: Signal) -> bool:
        closed = self._settled.get(signal.dedupe_key)
        return closed is not None and signal.anchor.at <= closed

    def _between(self, key: tuple[str, str], start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        entries = self._index.get(key)
        if entries is None:
            return _NONE
        first = bisect.bisect_left(entries, (start, ""))
        return _Span(entries[first : bisect.bisect_right(entries, (end, _LAST_ID), first)])


def _keys(observation: Observation) -> list[tuple[str, str]]:
    keys = [
        ("place", observation.lane or observation.device),
        ("device", observation.device),
        ("zone", observation.zone),
        ("type", observation.type),
    ]
    if observation.type in CONDITIONS:
        keys.append(("condition", observation.device))
    if (
        observation.person_id is not None
        or observation.plate is not None
        or observation.visit is not None
        or observation.token is not None
        or observation.credential_id is not None
    ):
        keys += [("subject", subject) for subject in observation.subjects]
    return keys


def _moment(entry: tuple[dt.datetime, tuple[str, str, str], Signal]) -> dt.datetime:
    return entry[0]

"""From an arrival to what the commit will hold: decoded, believed or not, with its time and pictures."""

import datetime as dt
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bus.messages import Picture
from devices import points, standing
from devices.adapters import named_in
from devices.adapters.canonical import CRITICAL
from devices.adapters.contract import Adapter, Decoded, Incoming, Reading, RefusedError, SignOfLife
from devices.clocks import Clocks
from devices.directory import DeviceDirectory, DeviceFacts
from ingest import identity, routes
from ingest.arrival import Arrival, Settled
from ingest.batch import Batch, Origin
from ingest.lightly import without_pictures
from ingest.pictures import Pictures
from ingest.refusals import as_known, incoming, refuse
from ingest.routes import Route
from ingest.rows import Prepared, prepare
from ingest.timing import Timing, settle
from ingest.watching import watched
from storage import MediaStore

log = structlog.get_logger(__name__)

# A broker gives a dead connection up after one and a half of its keep-alives, which are a minute
# by the usual default: until then its last will may come, whoever has connected meanwhile.
WILL_AFTER_BIRTH: Final = dt.timedelta(seconds=90)
ALARM_AGAIN_AFTER: Final = dt.timedelta(minutes=10)
_LONG_AGO: Final = dt.datetime(1, 1, 1, tzinfo=dt.UTC)


class _NotBelievedError(RefusedError):
    """A registered device that nobody has approved, or that somebody has turned off."""

    def __init__(self, reason: str, speaker: DeviceFacts) -> None:
        super().__init__(reason, speaker.device_id)
        self.speaker = speaker


class _Times(NamedTuple):
    """An event's times: what the device said, as UTC, what we make of it, and all marks."""

    device_time: dt.datetime | None
    marks: tuple[str, ...]
    timing: Timing


class Reader:
    """Reads arrivals into a batch. Pictures are on the disk once `settle_pictures` has returned."""

    def __init__(self, media: MediaStore, directory: DeviceDirectory, clocks: Clocks) -> None:
        self._pictures = Pictures(media)
        self._directory = directory
        self._clocks = clocks
        # When a device said last that it had just connected.
        self._births: dict[str, dt.datetime] = {}
        # What each says of itself, so that only news are compared with what is stored.
        self._said: dict[str, dict[str, Any]] = {}

    def begin(self) -> None:
        """Another batch, or the same once more."""
        self._pictures.begin()

    def settle_pictures(self) -> None:
        """Waits for the disk. Raises what the disk raises."""
        self._pictures.settle()

    def take(self, position: int, arrival: Arrival, batch: Batch) -> Settled:
        """Reads one arrival. Raises only what the disk or the database raises."""
        route: Route | None = None
        try:
            route = routes.find(self._directory, arrival.topic, arrival.signed_in)
            if route.device is not None and batch.flood.is_flooding(
                route.device.device_id, arrival.received_at
            ):
                settled = self._take_lightly(arrival, route, batch)
                if settled is not None:
                    return settled
            adapter, decoded = _read(route, incoming(route, arrival))
            return self._understand(position, arrival, route, adapter, decoded, batch)
        except _NotBelievedError as refused:
            return refuse(batch, arrival, route, refused, refused.speaker)
        except RefusedError as refused:
            if route is not None and _is_our_own(arrival, route, refused):
                return Settled()
            return refuse(batch, arrival, route, refused, self._whose(route))
        except (OSError, SQLAlchemyError):
            # The disk or the database, not the message: nothing of this batch may be acknowledged.
            raise
        except Exception as error:
            # A message that we trip over must not be delivered for ever, nor disappear.
            log.exception("ingest.not_understood")
            unread = RefusedError("not_understood", type(error).__name__)
            return refuse(batch, arrival, route, unread, self._whose(route))

    def _whose(self, route: Route | None) -> DeviceFacts | None:
        """Whose topic it is, for whoever looks at a message that nobody could read."""
        if route is None or route.device is not None:
            return None
        for adapter in route.adapters:
            name = named_in(adapter, route.topic)
            device = None if name is None else self._directory.speaking(adapter.name, name)
            if device is not None:
                return device
        return None

    def _take_lightly(self, arrival: Arrival, route: Route, batch: Batch) -> Settled | None:
        """Settles what is one event to be dropped, its pictures unread; None if it has to be read whole."""
        light = without_pictures(arrival.payload)
        device = route.device
        if light is None or device is None or not device.trusted or not batch.is_live:
            return None
        try:
            adapter, decoded = _read(route, msgspec.structs.replace(incoming(route, arrival), body=light))
        except RefusedError:
            return None
        if len(decoded.readings) != 1 or decoded.signs or decoded.results:
            return None
        (reading,) = decoded.readings
        if reading.device is not None or reading.point is not None or reading.type in CRITICAL:
            return None
        if self._has_room(batch, arrival, device, reading, self._times(arrival, device, reading)):
            return None
        return _answer(route, adapter, decoded)

    def remember(self, batch: Batch) -> None:
        """After the commit: what devices say of themselves has been looked at."""
        for device, said, _ in batch.facts:
            self._said[device.device_id] = said

    def name(self, session: Session, batch: Batch) -> None:
        """Gives an identity to what came without one, and finds what only repeats a state."""
        known = points.known(session, (device.device_id for _, _, device in batch.unnamed))
        changed: dict[tuple[str, str], tuple[str, dt.datetime]] = {}
        # What a device said of its states long ago changes nothing of how they stand now.
        once: dict[tuple[str, str], tuple[str, dt.datetime]] = {}
        begun: dict[tuple[str, str, str], dt.datetime] = {}
        for position, reading, device in batch.unnamed:
            arrival = batch.arrivals[position]
            if reading.point is not None:
                what, value = reading.point
                key = (device.device_id, what)
                so_far = once if batch.origin is Origin.LETTERS else known
                before = so_far.get(key)
                if _only_repeats(before, reading, value, arrival.received_at):
                    batch.last_seen.setdefault(device.device_id, arrival.received_at)
                    continue
                times = self._times(arrival, device, reading)
                # The end of what is known to have begun; of anything else it is how things stand.
                ends = reading.rests and before is not None and bool(reading.attributes.get("ended"))
                is_event = ends or not reading.rests
                if is_event and not self._has_room(batch, arrival, device, reading, times):
                    continue
                so_far[key] = (value, arrival.received_at)
                if so_far is known:
                    changed[key] = (value, arrival.received_at)
                if not is_event or (before is None and arrival.retained and reading.type not in CRITICAL):
                    # Nothing is wrong; or how things stand on the first day, which is no change.
                    continue
            elif arrival.retained and reading.record_id is None:
                # Remembered by the broker, and nothing tells it from the one that we have.
                continue
            named = identity.named(session, arrival, device, reading)
            if named is None:
                continue
            if named.within_s is not None:
                named = self._joined(session, device, named, begun)
            times = self._times(arrival, device, named)
            batch.add(position, self._prepare(arrival, device, named, times))
        points.keep(session, changed)

    def _joined(
        self,
        session: Session,
        device: DeviceFacts,
        reading: Reading,
        begun: dict[tuple[str, str, str], dt.datetime],
    ) -> Reading:
        """A telling of a thing under the time at which it began; `begun` is what this batch holds."""
        told = reading.device_time
        if told is None or reading.within_s is None:
            return reading
        if told.tzinfo is None:
            told = _in_zone(told, device.time_zone)
        key = (device.device_id, reading.record_id or "", reading.type)
        first = begun.get(key)
        if first is None or abs(told - first).total_seconds() > reading.within_s:
            first = identity.begun(session, device, reading, told)
        if first is None:
            begun[key] = told
            return reading
        begun[key] = first
        return msgspec.structs.replace(reading, device_time=first, as_of=told)

    def _understand(
        self,
        position: int,
        arrival: Arrival,
        route: Route,
        adapter: Adapter,
        decoded: Decoded,
        batch: Batch,
    ) -> Settled:
        sender = self._sender(arrival, route, adapter, decoded, batch)
        if batch.is_live:
            batch.heard += watched(self._directory, arrival, sender, decoded)
        _trust(sender)
        for sign in decoded.signs:
            device = sender if sign.device is None else self._directory.behind(sender.device_id, sign.device)
            if device is None:
                batch.candidates[adapter.name, sender.device_id, sign.device or ""] = (
                    arrival.received_at,
                    sign.facts,
                )
            elif device.trusted and batch.is_live:
                self._take_sign(arrival, device, sign, batch)
        for result in decoded.results:
            device = (
                sender if result.device is None else self._directory.behind(sender.device_id, result.device)
            )
            is_news = batch.is_live and not (arrival.retained or arrival.late)
            if device is not None and device.trusted and is_news:
                batch.results.append((device.device_id, result, arrival.received_at))
        strangers: dict[str, None] = {}
        aside: RefusedError | None = None
        speaker: DeviceFacts | None = None
        for reading in decoded.readings:
            device = (
                sender if reading.device is None else self._directory.behind(sender.device_id, reading.device)
            )
            if device is None:
                strangers[reading.device or ""] = None
                continue
            try:
                _trust(device)
            except RefusedError as refused:
                aside, speaker = refused, device
                continue
            self._take_reading(position, arrival, device, reading, batch)
        if strangers:
            for name in strangers:
                batch.candidates[adapter.name, sender.device_id, name] = (arrival.received_at, {})
            aside, speaker = RefusedError("unknown_device", ", ".join(strangers)[:200]), sender
        if aside is None and decoded.partial is not None:
            aside, speaker = RefusedError(*decoded.partial), sender
        if aside is not None:
            return refuse(batch, arrival, route, aside, speaker)
        return _answer(route, adapter, decoded)

    def _sender(
        self, arrival: Arrival, route: Route, adapter: Adapter, decoded: Decoded, batch: Batch
    ) -> DeviceFacts:
        """The registered device that speaks, believed or not. Raises `RefusedError`."""
        device = route.device
        if device is None and decoded.sender is not None:
            device = self._directory.speaking(adapter.name, decoded.sender)
        if device is None:
            name = decoded.sender or ""
            facts = next((sign.facts for sign in decoded.signs if sign.device is None), {})
            batch.candidates[adapter.name, None, name] = (arrival.received_at, facts)
            raise RefusedError("unknown_device", name[:64])
        return device

    def _take_reading(
        self, position: int, arrival: Arrival, device: DeviceFacts, reading: Reading, batch: Batch
    ) -> None:
        if reading.point is not None:
            # Whether it is an event at all shows when it is compared with the last one.
            batch.unnamed.append((position, reading, device))
            return
        times = self._times(arrival, device, reading)
        if not self._has_room(batch, arrival, device, reading, times):
            return
        if "bad_base64" in reading.marks:
            # The event counts without its picture; the bytes stay for whoever mends the device.
            kept = RefusedError("bad_base64", "the event was kept without the picture")
            refuse(batch, arrival, None, kept, device)
        if reading.record_id is None or reading.within_s is not None:
            batch.unnamed.append((position, reading, device))
            return
        batch.add(position, self._prepare(arrival, device, reading, times))

    def _has_room(
        self, batch: Batch, arrival: Arrival, device: DeviceFacts, reading: Reading, times: _Times
    ) -> bool:
        """Whether an event is to be stored, or is one too many of its device."""
        timing = times.timing
        if not batch.is_live or batch.flood.admits(
            device, reading.type, arrival, timing.device_time, late=timing.late
        ):
            return True
        if not timing.late:
            batch.last_seen[device.device_id] = arrival.received_at
        return False

    def _times(self, arrival: Arrival, device: DeviceFacts, reading: Reading) -> _Times:
        device_time, marks = reading.device_time, reading.marks
        zone_assumed = device_time is not None and device_time.tzinfo is None
        if device_time is not None and zone_assumed:
            device_time = _in_zone(device_time, device.time_zone)
            marks = (*marks, "zone_assumed")
        as_of = reading.as_of
        if as_of is not None and as_of.tzinfo is None:
            as_of = _in_zone(as_of, device.time_zone)
        timing = settle(
            as_of or device_time,
            arrival.received_at,
            flagged_late=reading.late or arrival.late,
            known_offset=self._clocks.known(device.device_id),
            zone_assumed=zone_assumed,
        )
        if as_of is not None and device_time is not None:
            timing = msgspec.structs.replace(timing, device_time=device_time)
        return _Times(device_time, marks, timing)

    def _prepare(self, arrival: Arrival, device: DeviceFacts, reading: Reading, times: _Times) -> Prepared:
        pictures = []
        for role, content in reading.pictures:
            stored = self._pictures.put(content)
            pictures.append(Picture(role, stored.media_id, stored.size))
        return prepare(
            device, reading, times.device_time, times.marks, times.timing, arrival.received_at, pictures
        )

    def _take_sign(self, arrival: Arrival, device: DeviceFacts, sign: SignOfLife, batch: Batch) -> None:
        if (arrival.retained and sign.online) or arrival.late:
            # What the broker remembers of a device is no sign of life.
            return
        at = arrival.received_at
        said = standing.telling(sign.facts)
        if said and self._said.get(device.device_id) != said:
            batch.facts.append((device, said, at))
        if sign.birth:
            self._births[device.device_id] = at
        elif not sign.online and at - self._births.get(device.device_id, _LONG_AGO) < WILL_AFTER_BIRTH:
            # Of the connection before, which the broker gave up only now. If not, silence will tell.
            return
        clock = None
        if sign.online and sign.device_time is not None:
            device_time = sign.device_time
            if device_time.tzinfo is None:
                device_time = _in_zone(device_time, device.time_zone)
            clock = self._clocks.observe(device.device_id, device_time - at)
        batch.states.append((device, sign.online, clock, at))


def _answer(route: Route, adapter: Adapter, decoded: Decoded) -> Settled:
    answers = decoded.answers
    if route.root is not None:
        answers = tuple(as_known(answer, adapter, route.root) for answer in answers)
    return Settled(answers, decoded.reply)


def _read(route: Route, message: Incoming) -> tuple[Adapter, Decoded]:
    """The first adapter of the route that says the message is its own, and what it read."""
    *others, last = route.adapters
    for adapter in others:
        try:
            return adapter, adapter.decode(message)
        except RefusedError as refused:
            if refused.reason != "wrong_topic":
                raise
    return last, last.decode(message)


def _only_repeats(
    before: tuple[str, dt.datetime] | None, reading: Reading, value: str, at: dt.datetime
) -> bool:
    """Whether a device says once more what it has said of a state.

    An alarm that goes on counts again after a while: the message that it was over may be the
    one that was lost, and an alarm too many joins the incident that is open.
    """
    if before is None or before[0] != value:
        return False
    return reading.type not in CRITICAL or reading.rests or at - before[1] < ALARM_AGAIN_AFTER


def _is_our_own(arrival: Arrival, route: Route, refused: RefusedError) -> bool:
    """Whether a refused message is a command of ours that a gateway's wide topic brought back."""
    gateway = any(adapter.gateway for adapter in route.adapters)
    return refused.reason == "command_not_event" and arrival.signed_in is None and gateway


def _trust(device: DeviceFacts) -> None:
    """Raises `RefusedError` unless the device is to be believed."""
    if not device.enabled:
        raise _NotBelievedError("disabled_device", device)
    if not device.trusted:
        raise _NotBelievedError("quarantined_device", device)


def _in_zone(local: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """A time without a zone, as aware UTC. Raises `RefusedError`."""
    try:
        return local.replace(tzinfo=zone).astimezone(dt.UTC)
    except OverflowError:
        raise RefusedError("invalid_field", "the device's time is out of range") from None

"""From an arrival to what the commit will hold: decoded, believed or not, with its time and pictures."""

import datetime as dt
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bus.messages import Picture
from devices import points
from devices.adapters.canonical import CRITICAL
from devices.adapters.contract import Adapter, Decoded, Reading, RefusedError, SignOfLife
from devices.clocks import Clocks
from devices.directory import DeviceDirectory, DeviceFacts
from ingest import identity, routes
from ingest.arrival import Arrival, Settled
from ingest.batch import Batch
from ingest.refusals import as_known, incoming, refuse
from ingest.routes import Route
from ingest.rows import Prepared, prepare
from ingest.timing import settle
from storage import MediaStore

log = structlog.get_logger(__name__)

# A broker gives a dead connection up after one and a half of its keep-alives, which are a minute
# by the usual default: until then its last will may come, whoever has connected meanwhile.
WILL_AFTER_BIRTH: Final = dt.timedelta(seconds=90)
_LONG_AGO: Final = dt.datetime(1, 1, 1, tzinfo=dt.UTC)


class Reader:
    """Reads arrivals into a batch. Pictures are on the disk when it returns."""

    def __init__(self, media: MediaStore, directory: DeviceDirectory, clocks: Clocks) -> None:
        self._media = media
        self._directory = directory
        self._clocks = clocks
        # When a device said last that it had just connected.
        self._births: dict[str, dt.datetime] = {}

    def take(self, position: int, arrival: Arrival, batch: Batch) -> Settled:
        """Reads one arrival. Raises only what the disk or the database raises."""
        route: Route | None = None
        try:
            route = routes.find(self._directory, arrival.topic, arrival.signed_in)
            adapter, decoded = _read(route, arrival)
            return self._understand(position, arrival, route, adapter, decoded, batch)
        except RefusedError as refused:
            return refuse(batch, arrival, route, refused)
        except (OSError, SQLAlchemyError):
            # The disk or the database, not the message: nothing of this batch may be acknowledged.
            raise
        except Exception as error:
            # A message that we trip over must not be delivered for ever, nor disappear.
            log.exception("ingest.not_understood")
            return refuse(batch, arrival, route, RefusedError("not_understood", type(error).__name__))

    def name(self, session: Session, batch: Batch) -> None:
        """Gives an identity to what came without one, and finds what only repeats a state."""
        known = points.known(session, (device.device_id for _, _, device in batch.unnamed))
        changed: dict[tuple[str, str], tuple[str, dt.datetime]] = {}
        for position, reading, device in batch.unnamed:
            arrival = batch.arrivals[position]
            if reading.point is not None:
                what, value = reading.point
                key = (device.device_id, what)
                before = known.get(key)
                known[key] = value
                if before == value:
                    batch.last_seen.setdefault(device.device_id, arrival.received_at)
                    continue
                changed[key] = (value, arrival.received_at)
                if before is None and arrival.retained and reading.type not in CRITICAL:
                    # How things stand on the first day is no change.
                    continue
            elif arrival.retained:
                # Remembered by the broker, and nothing tells it from the one that we have.
                continue
            named = identity.named(session, arrival, device, reading)
            if named is None:
                continue
            batch.add(position, self._prepare(arrival, device, named))
        points.keep(session, changed)

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
        for sign in decoded.signs:
            device = sender if sign.device is None else self._directory.behind(sender.device_id, sign.device)
            if device is None:
                batch.candidates.append(
                    (adapter.name, sender.device_id, sign.device or "", arrival.received_at, sign.facts)
                )
            elif device.trusted:
                self._take_sign(arrival, device, sign, batch)
        for result in decoded.results:
            device = (
                sender if result.device is None else self._directory.behind(sender.device_id, result.device)
            )
            if device is not None and device.trusted and not (arrival.retained or arrival.late):
                batch.results.append((device.device_id, result, arrival.received_at))
        strangers: dict[str, None] = {}
        aside: RefusedError | None = None
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
                aside = refused
                continue
            self._take_reading(position, arrival, device, reading, batch)
        if strangers:
            batch.candidates += [
                (adapter.name, sender.device_id, name, arrival.received_at, {}) for name in strangers
            ]
            aside = RefusedError("unknown_device", ", ".join(strangers)[:200])
        if aside is not None:
            return refuse(batch, arrival, route, aside)
        answers = decoded.answers
        if route.root is not None:
            answers = tuple(as_known(answer, adapter, route.root) for answer in answers)
        return Settled(answers, decoded.reply)

    def _sender(
        self, arrival: Arrival, route: Route, adapter: Adapter, decoded: Decoded, batch: Batch
    ) -> DeviceFacts:
        """The registered device that speaks. Raises `RefusedError` unless it is to be believed."""
        device = route.device
        if device is None and decoded.sender is not None:
            device = self._directory.speaking(adapter.name, decoded.sender)
        if device is None:
            name = decoded.sender or ""
            facts = next((sign.facts for sign in decoded.signs if sign.device is None), {})
            batch.candidates.append((adapter.name, None, name, arrival.received_at, facts))
            raise RefusedError("unknown_device", name[:64])
        _trust(device)
        return device

    def _take_reading(
        self, position: int, arrival: Arrival, device: DeviceFacts, reading: Reading, batch: Batch
    ) -> None:
        if "bad_base64" in reading.marks:
            # The event counts without its picture; the bytes stay for whoever mends the device.
            refuse(batch, arrival, None, RefusedError("bad_base64", "the event was kept without the picture"))
        if reading.point is not None or reading.record_id is None:
            batch.unnamed.append((position, reading, device))
            return
        batch.add(position, self._prepare(arrival, device, reading))

    def _prepare(self, arrival: Arrival, device: DeviceFacts, reading: Reading) -> Prepared:
        device_time, marks = reading.device_time, reading.marks
        if device_time is not None and device_time.tzinfo is None:
            device_time = _in_zone(device_time, device.time_zone)
            marks = (*marks, "zone_assumed")
        timing = settle(
            device_time,
            arrival.received_at,
            flagged_late=reading.late or arrival.late,
            known_offset=self._clocks.known(device.device_id),
            zone_assumed="zone_assumed" in marks,
        )
        pictures = []
        for role, content in reading.pictures:
            stored = self._media.put(content)
            pictures.append(Picture(role, stored.media_id, stored.size))
        return prepare(device, reading, device_time, marks, timing, arrival.received_at, pictures)

    def _take_sign(self, arrival: Arrival, device: DeviceFacts, sign: SignOfLife, batch: Batch) -> None:
        if (arrival.retained and sign.online) or arrival.late:
            # What the broker remembers of a device is no sign of life.
            return
        at = arrival.received_at
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


def _read(route: Route, arrival: Arrival) -> tuple[Adapter, Decoded]:
    """The first adapter of the route that says the message is its own, and what it read."""
    message = incoming(route, arrival)
    *others, last = route.adapters
    for adapter in others:
        try:
            return adapter, adapter.decode(message)
        except RefusedError as refused:
            if refused.reason != "wrong_topic":
                raise
    return last, last.decode(message)


def _trust(device: DeviceFacts) -> None:
    """Raises `RefusedError` unless the device is to be believed."""
    if not device.enabled:
        raise RefusedError("disabled_device", device.device_id)
    if not device.trusted:
        raise RefusedError("quarantined_device", device.device_id)


def _in_zone(local: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """A time without a zone, as aware UTC. Raises `RefusedError`."""
    try:
        return local.replace(tzinfo=zone).astimezone(dt.UTC)
    except OverflowError:
        raise RefusedError("invalid_field", "the device's time is out of range") from None

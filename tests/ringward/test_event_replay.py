import base64
import datetime as dt
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import delete, select

from bus.messages import Picture, decode, encode
from devices.adapters.canonical import EVENT_TYPES
from devices.adapters.native import decode_event
from devices.directory import DeviceDirectory
from ingest.arrival import Arrival
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.rows import event_row, prepare
from ingest.timing import settle
from ringward.replay import event_message, replay
from storage import Database, MediaStore
from storage.events import EventRow, OutboxRow, store
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, JPEG, facts, settle_in
from tests.support.native import event, topic

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
payloads = st.fixed_dictionaries(
    {"id": texts.filter(bool), "type": st.sampled_from(sorted(EVENT_TYPES))},
    optional={
        "at": st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2099, 1, 1), timezones=st.timezones()).map(
            dt.datetime.isoformat
        ),
        "late": st.booleans(),
        "direction": st.sampled_from(["in", "out", None]),
        "track": texts,
        "credential": st.fixed_dictionaries({"kind": texts}, optional={"ref": texts}),
        "plate": st.fixed_dictionaries(
            {}, optional={"text": texts, "confidence": st.floats(0, 1), "color": texts}
        ),
        "match": st.fixed_dictionaries(
            {}, optional={"person_ref": texts, "score": st.floats(0, 1), "liveness": st.booleans()}
        ),
        "attributes": st.dictionaries(texts, values, max_size=3),
        "vendor": values,
    },
).map(lambda value: json.dumps(value).encode())
pictures = st.lists(st.builds(Picture, role=texts, media_id=texts, size=st.integers(0, 2**40)), max_size=2)
offsets = st.none() | st.timedeltas(dt.timedelta(days=-400), dt.timedelta(days=400))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(payloads, pictures, offsets, st.sampled_from(["cam-1", "door-1"]))
def test_stored_event_is_read_back_as_the_message_it_was(
    database: Database, payload: bytes, taken: list[Picture], offset: dt.timedelta | None, device_id: str
) -> None:
    with database.read() as session:
        if session.scalar(select(EventRow.id).limit(1)) is None and not DeviceDirectory(database).all():
            settle_in(database)
    device = facts(database, device_id)
    decoded = decode_event(payload)
    device_time = decoded.device_time
    if device_time is not None and device_time.tzinfo is None:
        device_time = device_time.replace(tzinfo=dt.UTC)
    timing = settle(device_time, NOON, flagged_late=decoded.late, known_offset=offset)
    prepared = prepare(device, decoded, device_time, decoded.marks, timing, NOON, taken)
    with database.write() as session:
        session.execute(delete(EventRow))
        store(session, [event_row(prepared)])
    with database.read() as session:
        message = event_message(session.scalars(select(EventRow)).one())
    assert message == prepared.message
    assert message == decode(encode(prepared.message))


def test_what_went_to_the_bus_is_what_is_replayed(either_database: Database, media: MediaStore) -> None:
    settle_in(either_database)
    intake = Intake(
        either_database, media, DeviceDirectory(either_database), IntakeMetrics(CollectorRegistry())
    )
    picture = {"role": "face", "jpeg": base64.b64encode(JPEG).decode()}
    arrivals = [
        Arrival(topic(), event("r-2", "face.captured", NOON, images=[picture], track="t-1"), NOON),
        Arrival(
            topic("cam-2"),
            event("r-1", "plate.recognised", NOON - dt.timedelta(seconds=3), plate={"text": "云M12345"}),
            NOON,
        ),
        Arrival(topic("door-1"), event("r-0", "door.opened", NOON - dt.timedelta(hours=2), late=True), NOON),
    ]
    intake.process(arrivals)
    with either_database.read() as session:
        told = [decode(payload) for payload in session.scalars(select(OutboxRow.payload))]
    told = [message for message in told if getattr(message, "type", "device.").partition(".")[0] != "device"]
    replayed = replay(either_database, COMPOUND, NOON - dt.timedelta(days=1))
    own = [message for message in replayed if not message.type.startswith("device.")]
    assert own == sorted(told, key=lambda message: message.at)
    assert [message.type for message in own] == ["door.opened", "plate.recognised", "face.captured"]


def test_replay_begins_where_it_is_told(either_database: Database, media: MediaStore) -> None:
    settle_in(either_database)
    intake = Intake(
        either_database, media, DeviceDirectory(either_database), IntakeMetrics(CollectorRegistry())
    )
    minutes = [NOON - dt.timedelta(minutes=number) for number in range(3)]
    intake.process([Arrival(topic("door-1"), event(f"r-{at:%M}", at=at, late=True), NOON) for at in minutes])
    assert [message.at for message in replay(either_database, COMPOUND, minutes[1])] == [
        minutes[1],
        minutes[0],
    ]
    assert replay(either_database, "meilin", minutes[2]) == []

"""A door opens for whoever was recognised before it in time and may enter, once, and for nothing else."""

import datetime as dt

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select, update

from bus.messages import EventStored
from devices import openings
from devices.commands.models import CommandState, DeviceCommand
from devices.models import Device, DeviceStatus, Stage
from devices.opening import Opener, OpeningMetrics
from devices.stages import By
from registry.credentials import issuing
from registry.credentials.issuing import NewCredential
from registry.errors import MissingError, RefusedError
from registry.faces.consents import withdraw
from registry.models import (
    Compound,
    ConsentPurpose,
    Credential,
    CredentialKind,
    CredentialStatus,
    PassKind,
    Person,
    Vehicle,
    VehicleKind,
    VisitorPass,
    Zone,
)
from storage.audit import AuditRow
from tests.support.compound import COMPOUND
from tests.support.passages import STRANGER, Street

BY = By("u-1", "administrator")


class House(Street):
    """A street whose cameras at building 1 and at the gate may open the door before them."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.metrics = CollectorRegistry()
        self.opener = Opener(self.database, self.clock, OpeningMetrics(self.metrics))
        self.opens("hall-1", "door-1")
        self.opens("gate-1", "barrier")

    def opens(self, camera, opener, door=0):
        with self.database.write() as session:
            camera, opener = session.get_one(Device, camera), session.get_one(Device, opener)
            openings.allow(session, camera, opener, door, self.clock.now(), BY)

    def comes(self, *args, **more):
        """Somebody passes; whether a door was asked to open for what was told of it."""
        return [self.opener.handle(sighting) for sighting in self.sees(*args, **more)]

    def commands(self):
        with self.database.read() as session:
            rows = list(session.scalars(select(DeviceCommand).order_by(DeviceCommand.asked_at)))
            session.expunge_all()
        return rows

    def counted(self, result):
        labels = {"result": result}
        return self.metrics.get_sample_value("ringward_devices_opening_sightings_total", labels) or 0


@pytest.fixture
def house(database, media, ring, clock):
    made = House(database, media, ring, clock)
    made.lives("ann", 500)
    made.lives("ben", 1500, "d2")
    return made


def test_resident_recognised_in_time_is_let_in_once_though_told_twice(house):
    (sighting,) = house.sees(510, "hall-1")
    assert sighting.valid_until == sighting.at + house.policy.deadline
    assert house.opener.handle(sighting)
    house.clock.advance(0.1)
    assert not house.opener.handle(sighting)
    (command,) = house.commands()
    assert (command.device, command.kind, command.arguments) == ("door-1", "open", {"door": 0})
    assert (command.state, command.asked_by) == (CommandState.PENDING, "ringward")
    # A command that waits does not outlive whoever stands there.
    assert command.expires_at == sighting.valid_until
    assert command.reason == f"sighting {sighting.id}"
    assert house.counted("opened") == house.counted("repeated") == 1


def test_camera_that_nobody_told_to_opens_nothing(house):
    assert house.comes(1510, "hall-2") == [False]
    with house.database.write() as session:
        assert openings.never(session, session.get_one(Device, "hall-1"), house.clock.now(), BY)
        assert not openings.never(session, session.get_one(Device, "hall-1"), house.clock.now(), BY)
    assert house.comes(510, "hall-1") == [False]
    assert house.commands() == []


@pytest.mark.parametrize("seconds", [3, 4, 3600])
def test_stale_sighting_opens_nothing(house, seconds):
    (sighting,) = house.sees(510, "hall-1")
    house.clock.advance(seconds)
    assert not house.opener.handle(sighting)
    assert house.commands() == []
    assert house.counted("stale") == 1


def test_decision_that_was_made_after_the_deadline_opens_nothing(house):
    message = house.passes(510, "hall-1")
    house.clock.advance(3)
    house.worker.handle(message)
    (sighting,) = house.told()
    assert (sighting.outcome, sighting.valid_until) == ("identified", None)
    assert not house.opener.handle(sighting)


def test_cameras_own_deadline_goes_first(house):
    house.view("hall-1", deadline_ms=800)
    (sighting,) = house.sees(510, "hall-1")
    assert sighting.valid_until == sighting.at + dt.timedelta(milliseconds=800)


def test_clock_that_runs_ahead_makes_nobody_stand_there_longer(house):
    (sighting,) = house.sees(510, "hall-1", ago=-10)
    assert sighting.valid_until == house.clock.now() + house.policy.deadline


def test_late_record_opens_nothing(house):
    (sighting,) = house.sees(510, "hall-1", late=True)
    assert (sighting.outcome, sighting.late, sighting.valid_until) == ("identified", True, None)
    assert not house.opener.handle(sighting)
    forged = msgspec.structs.replace(sighting, valid_until=house.clock.now() + dt.timedelta(seconds=3))
    assert not house.opener.handle(forged)


@pytest.mark.parametrize("face", [STRANGER, 900, 930])
def test_unknown_and_uncertain_open_nothing(house, face):
    assert house.comes(face, "hall-1") == [False]
    assert house.commands() == []


def test_child_opens_nothing(house):
    house.lives("kid", 2200, household="h-ann", under_14=True)
    (sighting,) = house.sees(2200, "hall-1")
    assert (sighting.reasons, sighting.valid_until) == (("under_14",), None)
    assert not house.opener.handle(sighting)
    # Also where somebody else names the child.
    until = house.clock.now() + dt.timedelta(seconds=3)
    forged = msgspec.structs.replace(sighting, outcome="identified", person_id="kid", valid_until=until)
    assert not house.opener.handle(forged)
    assert house.counted("not_entitled") == 1


def test_excluded_pair_opens_nothing(house):
    house.lives("cat", 580)
    house.confused("ann", "cat")
    assert house.comes(500, "hall-1") == [False]
    assert house.decisions()[-1].reasons == ["excluded_pair"]


def test_whoever_only_the_watch_list_names_is_not_let_in(house):
    house.wanted("ann", ["building"])
    house.opens("hall-2", "door-2")
    house.view("hall-2", fpir=1e-5)
    # Of two people, and of the one who is looked for, 0.3738 is far, and near enough.
    (sighting,) = house.sees(500 + 376, "hall-2")
    assert sighting.reasons[:2] == ("within_threshold", "watchlist_gallery")
    assert sighting.valid_until is None
    assert not house.opener.handle(sighting)
    until = house.clock.now() + dt.timedelta(seconds=3)
    assert not house.opener.handle(msgspec.structs.replace(sighting, valid_until=until))
    assert house.counted("watchlist") == 1


def test_whoever_lives_in_another_building_is_not_let_in(house):
    (sighting,) = house.sees(1510, "hall-1")
    assert (sighting.outcome, sighting.person_id) == ("identified", "ben")
    assert not house.opener.handle(sighting)
    assert house.counted("not_entitled") == 1
    # But at the gate, where both may enter.
    assert house.comes(1510, "gate-1") == [True]


def test_passage_that_becomes_certain_in_time_opens_and_after_the_deadline_does_not(house):
    house.opens("hall-2", "door-2")
    assert house.comes(1930, "hall-2", track="t1", quality=60) == []
    assert [house.opener.handle(one) for one in house.waits(0.5)] == [False]
    house.clock.advance(0.5)
    (amended,) = house.sees(1500, "hall-2", track="t1")
    assert (amended.amends, amended.person_id) == (True, "ben")
    assert amended.valid_until == house.decisions()[0].at + house.policy.deadline
    assert house.opener.handle(amended)

    house.clock.advance(60)
    house.sees(930, "hall-1", track="t2", quality=60)
    house.waits(1)
    house.clock.advance(1.5)
    house.sees(940, "hall-1", track="t2", quality=60)
    house.clock.advance(1.5)
    (amended,) = house.sees(450, "hall-1", track="t2", quality=100)
    assert (amended.amends, amended.person_id, amended.valid_until) == (True, "ann", None)
    assert not house.opener.handle(amended)
    assert len(house.commands()) == 1


def test_member_of_a_household_is_let_in_where_all_of_it_are(house):
    house.lives("mia", 520, household="h-ann")
    (sighting,) = house.sees(510, "hall-1")
    assert (sighting.outcome, sighting.person_id, sighting.household_id) == ("household", None, "h-ann")
    assert house.opener.handle(sighting)
    with house.database.write() as session:
        issuing.issue(
            session, session.get_one(Person, "mia"), NewCredential(CredentialKind.FACE), at=house.clock.now()
        )
        session.execute(
            update(Credential)
            .where(Credential.person == "mia", Credential.kind == CredentialKind.FACE)
            .values(status=CredentialStatus.SUSPENDED)
        )
    house.clock.advance(5)
    (sighting,) = house.sees(510, "hall-1")
    assert sighting.outcome == "household"
    assert not house.opener.handle(sighting)


def test_whoever_has_taken_back_consent_since_is_not_let_in(house):
    (sighting,) = house.sees(510, "hall-1")
    with house.database.write() as session:
        person = session.get_one(Person, "ann")
        withdraw(session, person, ConsentPurpose.FACE_ACCESS, at=house.clock.now())
    assert not house.opener.handle(sighting)


@pytest.mark.parametrize(
    ("device", "change", "result"),
    [
        ("hall-1", {"stage": Stage.QUARANTINED}, "not_trusted"),
        ("door-1", {"enabled": False}, "not_trusted"),
    ],
)
def test_device_that_is_not_believed_opens_nothing(house, device, change, result):
    (sighting,) = house.sees(510, "hall-1")
    with house.database.write() as session:
        session.execute(update(Device).where(Device.id == device).values(change))
    assert not house.opener.handle(sighting)
    assert house.counted(result) == 1


def test_door_that_is_away_is_not_asked(house):
    (sighting,) = house.sees(510, "hall-1")
    with house.database.write() as session:
        session.execute(update(DeviceStatus).where(DeviceStatus.device_id == "door-1").values(online=False))
    assert not house.opener.handle(sighting)
    assert house.counted("opener_offline") == 1
    assert house.commands() == []


def test_nobody_on_the_way_out_opens_anything(house):
    house.opens("gate-out", "barrier")
    assert house.comes(510, "gate-out") == [False]
    assert house.counted("way_out") == 1


def plate_at(house, text):
    """A plate camera reads; the sighting of it."""
    message = house.passes(
        None, "gate-1", kind="plate.recognised", pictures=(), plate={"text": text, "confidence": 0.9}
    )
    assert isinstance(message, EventStored)
    house.worker.handle(message)
    (sighting,) = house.told()
    return sighting


def test_registered_car_and_a_guests_are_let_in_and_no_other(house):
    now = house.clock.now()
    with house.database.write() as session:
        session.add_all(
            [
                Vehicle(id="v1", compound=COMPOUND, plate="云M12345"),
                Vehicle(id="v2", compound=COMPOUND, plate="云M22222", kind=VehicleKind.TEMPORARY),
                VisitorPass(
                    id="w1",
                    compound=COMPOUND,
                    kind=PassKind.VISITOR,
                    host_household="h-ann",
                    plate="京H99999",
                    starts_at=now - dt.timedelta(hours=1),
                    ends_at=now + dt.timedelta(hours=1),
                ),
            ]
        )
    mine = plate_at(house, "云M12345")
    assert mine.valid_until == mine.at + house.policy.deadline
    assert house.opener.handle(mine)
    assert house.opener.handle(plate_at(house, "京H99999"))
    house.view("gate-1", deadline_ms=900)
    mine = plate_at(house, "云M12345")
    assert mine.valid_until == mine.at + dt.timedelta(milliseconds=900)
    near = plate_at(house, "云M1234S")
    assert (near.outcome, near.valid_until) == ("uncertain", None)
    for sighting in (near, plate_at(house, "云M99999"), plate_at(house, "云M22222")):
        assert not house.opener.handle(sighting)
    assert len(house.commands()) == 2


def test_what_may_open_is_refused_where_it_cannot_and_written_down_where_it_can(house):
    at = house.clock.now()
    with house.database.write() as session:
        session.add(Compound(id="meilin", name="…"))
        session.flush()
        session.add(Zone(id="far", compound="meilin", name="…", ring="building", kind="x", outline=[]))
        session.flush()
        far = Device(
            id="far", compound="meilin", zone="far", kind="door", name="far", heartbeat_s=30, secret_hash="x"
        )
        blind = Device(
            id="blind", compound=COMPOUND, zone="z1", kind="sensor", name="s", heartbeat_s=30,
            secret_hash="x", adapter="chirpstack", external_id="s1",
        )  # fmt: skip
        session.add_all([far, blind])
        session.flush()
        camera, door = session.get_one(Device, "hall-1"), session.get_one(Device, "door-1")
        with pytest.raises(MissingError):
            openings.allow(session, camera, far, 0, at, BY)
        for refused, code in (
            (lambda: openings.allow(session, blind, door, 0, at, BY), "opening_no_camera"),
            (lambda: openings.allow(session, camera, blind, 0, at, BY), "opening_unsupported"),
            (lambda: openings.allow(session, camera, door, 4, at, BY), "opening_door_bad"),
        ):
            with pytest.raises(RefusedError) as error:
                refused()
            assert error.value.code == code
    with house.database.read() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "device.opens")).all()
        assert [(row.subject, row.detail) for row in rows] == [
            ("device:hall-1", "door-1 door 0"),
            ("device:gate-1", "barrier door 0"),
        ]

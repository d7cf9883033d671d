"""What was done of a plan, on a real database: once, by somebody, and doors that open."""

import datetime as dt

import pytest
from sqlalchemy import select
from timeline import COMPOUND, START

from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.plans import progress
from alerts.plans.models import PlanStep
from alerts.plans.plan import Do, Plan, Step, StepError, StepKind, Taken
from alerts.rules.site import Site, SiteDevice, SiteZone
from devices.commands.models import DeviceCommand
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from storage import Database, new_id
from storage.audit import AuditRow

OPERATOR = Actor("operator-1", "operator")
OTHER = Actor("operator-2", "operator")
FIRE = Plan(
    "fire",
    frozenset({"R-C09"}),
    (
        Step("look", StepKind.ASK, answers=("fire", "nothing")),
        Step("doors", StepKind.RELEASE, ("look", frozenset({"fire"})), scope="building"),
        Step("count", StepKind.DO),
    ),
)
SITE = Site(
    {"hall": SiteZone("hall", "building", "building"), "gate": SiteZone("gate", "entrance", "gate")},
    {
        "hall-door": SiteDevice("hall-door", "hall", "door"),
        "hall-camera": SiteDevice("hall-camera", "hall", "scene_camera"),
        "gate-barrier": SiteDevice("gate-barrier", "gate", "barrier"),
    },
)


@pytest.fixture
def incident(database: Database) -> str:
    one = Incident(
        id=new_id(), compound=COMPOUND, rule="R-C09", kind="fire", ring="building", zone="hall",
        device_id="hall-camera", severity=1, state="raised", version=1, happened_at=START, raised_at=START,
        last_signal_at=START, reason="fire", reason_args={},
    )  # fmt: skip
    with database.write() as session:
        for name, zone, kind in (
            ("hall-door", "hall", DeviceKind.DOOR),
            ("hall-camera", "hall", DeviceKind.SCENE_CAMERA),
            ("gate-barrier", "gate", DeviceKind.BARRIER),
        ):
            session.add(
                Device(
                    id=name, compound=COMPOUND, zone=zone, kind=kind, name=name, secret_hash="",
                    stage=Stage.APPROVED,
                )
            )  # fmt: skip
            session.flush()
            session.add(DeviceStatus(device_id=name, online=True, since=START, last_seen=START))
        session.add(one)
        session.flush()
        return one.id


def do(
    database: Database, incident: str, step: str, wanted: Taken, actor: Actor = OPERATOR, **more: object
) -> str:
    with database.write() as session:
        row = progress.take(session, FIRE, incident, step, wanted, actor, START, site=SITE, **more)
        return row.state


def test_steps_are_written_with_who_did_them(database: Database, incident: str) -> None:
    do(database, incident, "look", Taken(Do.DONE, "nothing"))
    do(database, incident, "count", Taken(Do.SKIPPED), OTHER, note="nobody was inside")
    with database.read() as session:
        rows = {row.step: row for row in session.scalars(select(PlanStep))}
        assert (rows["look"].answer, rows["look"].actor) == ("nothing", "operator-1")
        assert (rows["count"].state, rows["count"].note) == ("skipped", "nobody was inside")
        trail = [row.detail for row in session.scalars(select(AuditRow).order_by(AuditRow.seq))]
    assert trail == ["fire.look", "fire.count"]


def test_step_of_another_plan_neither_counts_nor_is_written_over(database: Database, incident: str) -> None:
    other = Plan("crowd", frozenset({"R-C04"}), (Step("look", StepKind.DO), Step("watch", StepKind.DO)))
    do(database, incident, "look", Taken(Do.DONE, "nothing"))
    with database.write() as session:
        assert progress.taken(session, incident, other) == {}
        progress.take(session, other, incident, "look", Taken(Do.DONE), OTHER, START, site=SITE)
    with database.read() as session:
        assert progress.taken(session, incident, FIRE) == {"look": Taken(Do.DONE, "nothing")}
        assert progress.taken(session, incident, other) == {"look": Taken(Do.DONE)}
        done = {(row.plan, row.actor) for row in session.scalars(select(PlanStep))}
    assert done == {("fire", "operator-1"), ("crowd", "operator-2")}


def test_the_second_of_two_hands_is_told_that_it_was_done(database: Database, incident: str) -> None:
    do(database, incident, "look", Taken(Do.DONE, "fire"))
    with pytest.raises(StepError) as refused:
        do(database, incident, "look", Taken(Do.DONE, "nothing"), OTHER)
    assert refused.value.code == "taken_already"
    with database.read() as session:
        assert session.scalars(select(PlanStep.answer)).all() == ["fire"]


def test_release_asks_the_doors_of_the_building_and_no_others(database: Database, incident: str) -> None:
    do(database, incident, "look", Taken(Do.DONE, "fire"))
    assert do(database, incident, "doors", Taken(Do.DONE)) == Do.DONE
    with database.read() as session:
        commands = [(one.device, one.kind, one.asked_by) for one in session.scalars(select(DeviceCommand))]
    assert commands == [("hall-door", "hold", "operator-1")]


def test_a_door_that_cannot_be_asked_is_named_and_the_step_stays_to_be_done(
    database: Database, incident: str
) -> None:
    with database.write() as session:
        session.get_one(DeviceStatus, "hall-door").online = False
    do(database, incident, "look", Taken(Do.DONE, "fire"))
    assert do(database, incident, "doors", Taken(Do.DONE)) == Do.FAILED
    with database.read() as session:
        row = session.get_one(PlanStep, (incident, FIRE.id, "doors"))
        assert row.note == "0 of 1 asked to open; by hand: hall-door"
    with database.write() as session:
        session.get_one(DeviceStatus, "hall-door").online = True
    with database.write() as session:
        later = START + dt.timedelta(seconds=20)
        again = progress.take(session, FIRE, incident, "doors", Taken(Do.DONE), OPERATOR, later, site=SITE)
        assert again.state == Do.DONE


@pytest.mark.parametrize("ended", [state for state in State if not state.is_open])
def test_plan_of_what_is_over_opens_no_door(database: Database, incident: str, ended: State) -> None:
    do(database, incident, "look", Taken(Do.DONE, "fire"))
    with database.write() as session:
        session.get_one(Incident, incident).state = ended
    with pytest.raises(StepError) as refused:
        do(database, incident, "doors", Taken(Do.DONE))
    assert refused.value.code == "incident_ended"
    with database.read() as session:
        assert session.scalars(select(DeviceCommand)).all() == []
        assert session.scalars(select(PlanStep.step)).all() == ["look"]


def test_nothing_is_commanded_where_the_step_is_skipped(database: Database, incident: str) -> None:
    do(database, incident, "look", Taken(Do.DONE, "fire"))
    do(database, incident, "doors", Taken(Do.SKIPPED), note="they stand open")
    with database.read() as session:
        assert session.scalars(select(DeviceCommand)).all() == []

"""Any report is the same with a drill in the data and without: exercises are counted as exercises alone."""

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alerts.drills import playing
from alerts.drills.scenarios import SCENARIOS
from alerts.incidents import raising
from alerts.incidents.actions import take_step
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step
from alerts.incidents.models import Incident
from alerts.intake import facts
from alerts.intake.kinds import ReportKind
from alerts.intake.taking import Reporter, Told, take
from alerts.review import month
from alerts.rulebook import health, heldback
from alerts.rules import Observation, Signal
from storage import Database, KeyRing

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
END = NOW + dt.timedelta(days=1)
WHO = Actor("operator-1", "operator")

STEPS = st.lists(
    st.sampled_from([State.ACKNOWLEDGED, State.CONFIRMED, State.RESOLVED, State.FALSE_ALARM]), max_size=3
)
REAL = st.lists(st.tuples(st.sampled_from(["R-C08", "R-B05"]), st.integers(1, 4), STEPS), max_size=4)


def lives(database: Database, incidents: list[str], steps: list[State], at: dt.datetime) -> None:
    for to in steps:
        for incident in incidents:
            reason = FalseAlarmReason.STAFF if to is State.FALSE_ALARM else None
            with database.write() as session:
                try:
                    take_step(session, incident, Step(to, reason), WHO, at)
                except Exception:  # noqa: BLE001 - a step that is refused is no step
                    continue


def play(database: Database, real: list, drill: tuple[str, list[State]] | None) -> None:
    at = NOW
    for number, (rule, severity, steps) in enumerate(real):
        at += dt.timedelta(minutes=7)
        seen = Observation(
            id=f"o-{number}", type="x", at=at, received_at=at, device="d-1", zone="hall", ring="building"
        )
        signal = Signal(rule, "kind", severity, f"k{number}", dt.timedelta(0), seen, (), "sos", {})
        with database.write() as session:
            incident = raising.apply_all(session, "willow", [signal], at)[0].incident.id
        if drill is not None and number == 0:
            practise(database, *drill, at)
        lives(database, [incident], steps, at + dt.timedelta(seconds=30))
    with database.write() as session:
        take(session, "willow", Reporter("u1", "guard"), Told(ReportKind.NOISE, zone="hall"), at)
    if drill is not None and not real:
        practise(database, *drill, at)


def practise(database: Database, scenario: str, steps: list[State], at: dt.datetime) -> None:
    with database.write() as session:
        drill = playing.start(session, "willow", scenario, WHO, at).id
    with database.write() as session:
        playing.keep(session, at + dt.timedelta(minutes=10))
        ids = [one.id for one in playing.incidents_of(session, drill)]
    lives(database, ids, steps, at + dt.timedelta(minutes=11))
    with database.write() as session:
        playing.end(session, "willow", drill, WHO, at + dt.timedelta(minutes=12))


def counted(database: Database) -> object:
    with database.read() as session:
        made = month.figures(session, "willow", dt.date(2026, 11, 1), END)
        return (
            # Said apart, and nowhere else.
            dataclasses.replace(made, drills=0, drill_responses=()),
            health.health(session, "willow", END),
            heldback.report(session, "willow", NOW, END),
            facts.reports(session, "willow", NOW, END),
            facts.disputes(session, "willow", NOW, END),
            facts.work_orders(session, "willow", NOW, END),
        )


@pytest.fixture
def fresh(founded_file: Path, tmp_path: Path, ring: KeyRing):
    made = []

    def new() -> Database:
        path = tmp_path / f"{len(made)}.db"
        shutil.copy(founded_file, path)
        made.append(Database.at(path))
        return made[-1]

    yield new
    for database in made:
        database.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(real=REAL, scenario=st.sampled_from(sorted(SCENARIOS)), steps=STEPS)
def test_every_count_is_the_same_with_a_drill_and_without(fresh, real, scenario, steps):
    without, with_one = fresh(), fresh()
    play(without, real, None)
    play(with_one, real, (scenario, steps))
    with with_one.read() as session:
        assert session.scalars(select(Incident.id).where(Incident.drill)).first() is not None
    assert counted(without) == counted(with_one)

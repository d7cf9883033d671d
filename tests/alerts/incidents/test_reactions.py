"""Reactions: what follows from a change follows once, in order, whoever reacts and whatever fails."""

import datetime as dt
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from saying import moment, raise_one, said, write
from sqlalchemy import select
from sqlalchemy.orm import Session
from timeline import COMPOUND, OPERATOR, START

from alerts import reactions
from alerts.incidents.actions import take_step
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step
from alerts.incidents.models import Incident
from alerts.reactions import Changed, IncidentChange
from storage import Database


def now() -> dt.datetime:
    return START


class Following:
    def __init__(self) -> None:
        self.seen: list[tuple[str, int, str | None]] = []

    def __call__(self, _session: Session, changed: Changed, _now: dt.datetime) -> None:
        step = None if changed.step is None else str(changed.step.to_state)
        self.seen.append((changed.incident.id, changed.version, step))


def step(database: Database, incident: str, to: State, **how: object) -> None:
    with database.write() as session:
        take_step(session, incident, Step(to, **how), OPERATOR, moment(1))


def test_every_change_is_followed_once_and_in_its_order(database: Database) -> None:
    incident = raise_one(database, "a").id
    write(database, said("a", 1), at=1)
    step(database, incident, State.ACKNOWLEDGED)
    following = Following()
    assert reactions.waiting(database)
    assert reactions.react(database, [("it", following)], now) == 3
    assert following.seen == [
        (incident, 1, "raised"),
        (incident, 2, None),
        (incident, 3, "acknowledged"),
    ]
    assert not reactions.waiting(database)
    assert reactions.react(database, [("it", following)], now) == 0


def test_a_change_whose_commit_failed_is_none(database: Database) -> None:
    incident = raise_one(database, "a").id
    reactions.react(database, [], now)

    def half_way() -> None:
        with database.write() as session:
            take_step(session, incident, Step(State.ACKNOWLEDGED), OPERATOR, moment(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert not reactions.waiting(database)


def test_one_that_fails_writes_nothing_is_counted_and_stops_no_other(database: Database) -> None:
    raise_one(database, "a")

    def fails(session: Session, changed: Changed, at: dt.datetime) -> None:
        session.add(IncidentChange(incident="left over", version=1, compound=COMPOUND, at=at))
        session.flush()
        raise ValueError(changed.incident.id)

    failed: list[str] = []
    following = Following()
    reactions.react(database, [("fails", fails), ("it", following)], now, failed.append)
    assert (failed, len(following.seen)) == (["fails"], 1)
    assert not reactions.waiting(database)


def test_what_one_began_and_did_not_end_is_followed_by_the_next(database: Database) -> None:
    raise_one(database, "a")

    def is_killed(_session: Session, _changed: Changed, _at: dt.datetime) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reactions.react(database, [("it", is_killed)], now)
    following = Following()
    reactions.react(database, [("it", following)], now)
    assert len(following.seen) == 1


def test_a_reaction_may_change_the_incident_which_is_followed_the_next_time(database: Database) -> None:
    incident = raise_one(database, "a").id

    def ends(session: Session, changed: Changed, at: dt.datetime) -> None:
        if changed.step is not None and changed.step.to_state == State.RAISED:
            gone = Step(State.FALSE_ALARM, reason=FalseAlarmReason.ANIMAL)
            take_step(session, changed.incident.id, gone, OPERATOR, at)

    following = Following()
    reactions.react(database, [("ends", ends), ("it", following)], now)
    assert following.seen == [(incident, 1, "raised")]
    reactions.react(database, [("ends", ends), ("it", following)], now)
    assert following.seen[-1] == (incident, 2, "false_alarm")


def test_many_processes_follow_each_change_once_and_an_incidents_in_their_order(
    each_database: Database,
) -> None:
    incidents = [raise_one(each_database, f"key-{number}").id for number in range(30)]
    for incident in random.Random(3).sample(incidents, 30):
        step(each_database, incident, State.ACKNOWLEDGED)
    followings = [Following() for _ in range(6)]
    order: list[tuple[str, int]] = []

    def follow(following: Following) -> None:
        def both(session: Session, changed: Changed, at: dt.datetime) -> None:
            following(session, changed, at)
            order.append((changed.incident.id, changed.version))

        while reactions.react(each_database, [("it", both)], now):
            pass

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(follow, followings))
    assert sorted(order) == sorted((incident, version) for incident in incidents for version in (1, 2))
    for incident in incidents:
        assert order.index((incident, 1)) < order.index((incident, 2))
    with each_database.read() as session:
        assert len(session.scalars(select(Incident)).all()) == 30

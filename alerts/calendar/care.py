"""People who are looked after: since when, and while they have said that they are away."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from alerts.absences import CareAbsence
from alerts.calendar.places import Places
from alerts.knowing import Register
from alerts.rules import Observation
from registry.models import Consent, ConsentPurpose, Person

AGAIN: Final = dt.timedelta(hours=12)
"""How often an absence that goes on is said again: rules remember no more than a day."""


def between(session: Session, places: Places, start: dt.datetime, end: dt.datetime) -> Iterator[Observation]:
    """`care.began` when somebody agreed to be looked after, `care.ended` when they no longer do.

    `care.away` while an absence holds, and once more with `ended` when it is over.
    """
    began = _consents(session, places, Consent.given_at, start, end)
    ended = _consents(session, places, Consent.withdrawn_at, start, end)
    away = session.scalars(
        select(CareAbsence).where(
            CareAbsence.compound == places.compound,
            CareAbsence.starts_at < end,
            CareAbsence.declared_at < end,
            CareAbsence.ends_at >= start,
        )
    ).all()
    if not began and not ended and not away:
        return
    people = {person for _, person, _ in (*began, *ended)} | {absence.person for absence in away}
    at_home = _AtHome(session, places, people)
    for kind, consents in (("care.began", began), ("care.ended", ended)):
        for consent, person, moment in consents:
            yield at_home.observation(kind, moment, person, consent)
    for absence in away:
        # One that was declared when it had begun could not be told before.
        first = max(absence.starts_at, absence.declared_at)
        number = max(0, -((first - start) // AGAIN))
        while (moment := first + number * AGAIN) < min(end, absence.ends_at):
            yield at_home.observation(
                "care.away", moment, absence.person, absence.id, str(number), until=absence.ends_at
            )
            number += 1
        if start <= absence.ends_at < end:
            yield at_home.observation(
                "care.away", absence.ends_at, absence.person, absence.id, "over", ended=True
            )


def touched(start: dt.datetime, end: dt.datetime) -> Iterator[Select[str]]:
    """Compounds of which `between` may have something to say."""
    for moment in (Consent.given_at, Consent.withdrawn_at):
        yield select(Consent.compound).where(
            Consent.purpose == ConsentPurpose.ELDER_CARE, moment >= start, moment < end
        )
    yield select(CareAbsence.compound).where(CareAbsence.starts_at < end, CareAbsence.ends_at >= start)


def _consents(
    session: Session,
    places: Places,
    moment: InstrumentedAttribute[Any],
    start: dt.datetime,
    end: dt.datetime,
) -> list[tuple[str, str, dt.datetime]]:
    """(consent, person, when) of people who are registered still."""
    query = (
        select(Consent.id, Consent.person, moment)
        .join(Person, Person.id == Consent.person)
        .where(
            Consent.compound == places.compound,
            Consent.purpose == ConsentPurpose.ELDER_CARE,
            moment >= start,
            moment < end,
            Person.erased_at.is_(None),
        )
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


class _AtHome:
    """What the register says of these people, and the zone of the building that each lives in."""

    def __init__(self, session: Session, places: Places, people: set[str]) -> None:
        self._places = places
        self._register = Register(session, places.compound)
        self._register.people.learn(people)
        query = select(Person.id, Person.household).where(Person.id.in_(people))
        self._households = {row.id: row.household for row in session.execute(query) if row.household}
        self._register.homes.learn((), set(self._households.values()))

    def observation(
        self,
        kind: str,
        at: dt.datetime,
        person: str,
        *identity: str,
        until: dt.datetime | None = None,
        ended: bool = False,
    ) -> Observation:
        household = self._households.get(person)
        dwelling = self._register.homes.of_household(household) if household is not None else None
        return self._places.observation(
            kind,
            at,
            *identity,
            zone=dwelling.zone if dwelling is not None else self._places.gate,
            person_id=person,
            household_id=household,
            person=self._register.people.facts(person, at),
            dwelling=dwelling,
            until=until,
            attributes={"ended": True} if ended else {},
        )

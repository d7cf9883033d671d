"""A dwelling changes hands: some move out of it, somebody comes, the household and the dwelling follow.

All or nothing, in the caller's transaction: a tenant who has left while the next is not yet in the
registry is how people end up with keys to other people's homes.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.people import households, residences
from registry.people.ages import is_under_14
from registry.people.models import Household, Person, Residence, ResidenceKind
from registry.places import housing
from registry.places.models import Dwelling, DwellingState
from registry.rows import find

COMES_AS: Final = (
    ResidenceKind.TENANT,
    ResidenceKind.OWNER_OCCUPIER,
    ResidenceKind.LODGER,
    ResidenceKind.DORMITORY,
    ResidenceKind.FAMILY_MEMBER,
)
"""As what somebody moves in; a registration elsewhere is a correction and no move."""

_LET: Final = frozenset({ResidenceKind.TENANT, ResidenceKind.LODGER, ResidenceKind.DORMITORY})


@dataclass(frozen=True, slots=True)
class Leaver:
    """A residence that ends, at the version that was read."""

    residence: str
    version: int


@dataclass(frozen=True, slots=True)
class Comer:
    """Who comes in, as what, from when until when (None: for good)."""

    person: str
    kind: ResidenceKind
    since: dt.date
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of it: residences that ended and that began, and the newcomers' household."""

    ended: Sequence[Residence]
    begun: Sequence[Residence]
    household: Household | None


def change_over(
    session: Session,
    dwelling: Dwelling,
    version: int,
    *,
    leaving: Sequence[Leaver],
    last_day: dt.date | None,
    coming: Sequence[Comer],
    today: dt.date,
) -> Changed:
    """Ends residences on a day, begins others, and says anew what the dwelling is used for.

    The first of those who come and is no child heads a new household here, unless they keep house
    with somebody already. Raises `turnover_nothing` where nobody leaves or comes, `turnover_last_day`
    where somebody leaves and no day is said, `turnover_kind`, and what `residences.add` and
    `residences.end` raise.
    """
    if not leaving and not coming:
        raise RefusedError("turnover_nothing")
    if leaving and last_day is None:
        raise RefusedError("turnover_last_day")
    ended = [_end(session, dwelling, leaver, last_day, today) for leaver in leaving if last_day is not None]
    begun = []
    for comer in coming:
        if comer.kind not in COMES_AS:
            raise RefusedError("turnover_kind")
        person = find(session, Person, dwelling.compound, comer.person, "person")
        begun.append(
            residences.add(session, person, dwelling.id, comer.kind, comer.since, comer.until, today=today)
        )
    _unsettle(session, dwelling, ended)
    household = _keep_house(session, dwelling, [comer.person for comer in coming], today)
    _use(session, dwelling, version, today)
    return Changed(ended, begun, household)


def _end(
    session: Session, dwelling: Dwelling, leaver: Leaver, last_day: dt.date, today: dt.date
) -> Residence:
    row = find(session, Residence, dwelling.compound, leaver.residence, "residence")
    if row.dwelling != dwelling.id:
        raise MissingError("residence")
    residences.end(session, row, leaver.version, last_day, today=today)
    return row


def _unsettle(session: Session, dwelling: Dwelling, ended: Sequence[Residence]) -> None:
    """A household of which nobody stays lives here no more; where else nobody has said."""
    leavers = {residence.person for residence in ended}
    if not leavers:
        return
    for household in session.scalars(
        select(Household).where(Household.compound == dwelling.compound, Household.dwelling == dwelling.id)
    ).all():
        members = {person.id for person in households.members(session, household)}
        if not members & leavers:
            continue
        staying = session.scalar(
            select(Residence.id)
            .where(
                Residence.dwelling == dwelling.id,
                Residence.person.in_(members),
                Residence.kind != ResidenceKind.REGISTERED_ABSENT,
                or_(Residence.until.is_(None), Residence.until > _last(ended)),
            )
            .limit(1)
        )
        if staying is None:
            households.settle(session, household, household.version, None)


def _last(ended: Sequence[Residence]) -> dt.date:
    return max(residence.until for residence in ended if residence.until is not None)


def _keep_house(
    session: Session, dwelling: Dwelling, people: Sequence[str], today: dt.date
) -> Household | None:
    alone = [person for one in people if (person := session.get_one(Person, one)).household is None]
    head = next((person for person in alone if not is_under_14(person, today)), None)
    if head is None:
        return None
    return households.create(
        session,
        dwelling.compound,
        head=head.id,
        members=[person.id for person in alone],
        dwelling=dwelling.id,
        today=today,
    )


def _use(session: Session, dwelling: Dwelling, version: int, today: dt.date) -> None:
    """What the dwelling is used for from now on, by who is tied to it today or will be."""
    if dwelling.state == DwellingState.SHOP:
        return
    kinds = {
        ResidenceKind(kind)
        for kind in session.scalars(
            select(Residence.kind).where(
                Residence.dwelling == dwelling.id,
                Residence.kind != ResidenceKind.REGISTERED_ABSENT,
                or_(Residence.until.is_(None), Residence.until >= today),
            )
        )
    }
    state = DwellingState.VACANT
    if kinds:
        state = DwellingState.LET if kinds & _LET else DwellingState.OCCUPIED
    facts = replace(housing.facts_of(dwelling), state=state)
    housing.edit_dwelling(session, dwelling, version, facts, today=today)

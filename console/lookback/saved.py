"""Keeping views of the history: under a name, for oneself or for all, one of them to begin with."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.lookback.filters import HistoryFilters
from console.lookback.models import DefaultView, SavedView
from console.permissions import Action, allowed
from devices.models import Device
from registry import lookups
from registry.errors import MissingError, RefusedError
from registry.models import Person, Zone
from registry.plates import is_well_formed, normalise
from storage import new_id

NAME_MAX: Final = 40
VIEWS_MAX: Final = 30
"""As many as fit above a list; more is a heap that nobody finds anything in."""

_NUMBER: Final = re.compile(r"\d{7,}")


@dataclass(frozen=True, slots=True)
class View:
    """A kept view as one user sees it. `mine`: they may take it away."""

    id: str
    name: str
    filters: HistoryFilters
    shared: bool
    mine: bool
    is_default: bool


def views(session: Session, compound: str, user: User) -> list[View]:
    """One's own and the shared ones, by name. What a newer version cannot read any more is left out."""
    first = session.scalar(
        select(DefaultView.view).where(DefaultView.compound == compound, DefaultView.user == user.id)
    )
    found = []
    for row in session.scalars(_visible(compound, user)):
        try:
            filters = HistoryFilters.model_validate(row.filters)
        except ValueError:
            continue
        mine = row.owner == user.id or (row.shared and allowed(user, Action.VIEWS_SHARE))
        found.append(View(row.id, row.name, filters, row.shared, mine, row.id == first))
    return sorted(found, key=lambda view: (view.name, view.id))


def keep(
    session: Session,
    compound: str,
    user: User,
    name: str,
    filters: HistoryFilters,
    *,
    shared: bool,
    at: dt.datetime,
) -> SavedView:
    """Keeps a view; one of the same name of the same user is replaced.

    Raises `RefusedError`: `view_unnamed`, `view_names_person` for a name that holds somebody's name, a
    plate or a number, `view_unknown_place`, `views_full`, `view_not_shared` for whoever may not share.
    """
    spelt = " ".join(name.split())
    if not spelt or len(spelt) > NAME_MAX:
        raise RefusedError("view_unnamed")
    if _names_somebody(session, compound, spelt):
        raise RefusedError("view_names_person")
    if shared and not allowed(user, Action.VIEWS_SHARE):
        raise RefusedError("view_not_shared")
    _refuse_unknown(session, compound, filters)
    own = session.scalars(
        select(SavedView).where(SavedView.compound == compound, SavedView.owner == user.id)
    ).all()
    row = next((one for one in own if one.name == spelt), None)
    if row is None:
        if len(own) >= VIEWS_MAX:
            raise RefusedError("views_full")
        row = SavedView(id=new_id(), compound=compound, owner=user.id, name=spelt, made_at=at)
        session.add(row)
    row.filters, row.shared = filters.kept(), shared
    session.flush()
    return row


def remove(session: Session, compound: str, user: User, view_id: str) -> None:
    """Takes away one's own view, or a shared one by whoever may share. Raises `MissingError`."""
    row = session.get(SavedView, view_id)
    if row is None or row.compound != compound:
        raise MissingError("view")
    if row.owner != user.id and not (row.shared and allowed(user, Action.VIEWS_SHARE)):
        raise MissingError("view")
    session.execute(delete(DefaultView).where(DefaultView.view == row.id))
    session.delete(row)
    session.flush()


def begin_with(session: Session, compound: str, user: User, view_id: str | None) -> None:
    """The view that one's history opens with; None: the last day. Raises `MissingError`."""
    session.execute(delete(DefaultView).where(DefaultView.compound == compound, DefaultView.user == user.id))
    if view_id is None:
        return
    if session.scalar(_visible(compound, user).where(SavedView.id == view_id)) is None:
        raise MissingError("view")
    session.add(DefaultView(id=new_id(), compound=compound, user=user.id, view=view_id))
    session.flush()


def _visible(compound: str, user: User) -> Select[SavedView]:
    return select(SavedView).where(
        SavedView.compound == compound, or_(SavedView.owner == user.id, SavedView.shared.is_(True))
    )


def _names_somebody(session: Session, compound: str, name: str) -> bool:
    """A name is read by many and kept for long: nobody's name, plate or number belongs in it."""
    words: Sequence[str] = [name, *re.split(r"[\s,，、/:：;；|()（）-]+", name)]
    if any(_NUMBER.search(word) or is_well_formed(normalise(word) or "") for word in words):
        return True
    keys = {lookups.name_key(compound, word) for word in words if len(word) > 1}
    return (
        session.scalar(
            select(Person.id).where(Person.compound == compound, Person.name_key.in_(keys)).limit(1)
        )
        is not None
    )


def _refuse_unknown(session: Session, compound: str, filters: HistoryFilters) -> None:
    for column, owner, values in (
        (Zone.id, Zone.compound, filters.zone),
        (Device.id, Device.compound, filters.device),
    ):
        known = set(session.scalars(select(column).where(owner == compound, column.in_(values))))
        if known != set(values):
            raise RefusedError("view_unknown_place")

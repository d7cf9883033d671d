"""Accounts: who may sign in, made and changed by those in whose care they are."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from console.accounts import people
from console.accounts.models import Role, User
from console.accounts.people import AccountRefusedError, Change, Wanted
from console.accounts.service import NameTakenError
from console.accounts.views import Asked, in_care, listed
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError, not_found

router = APIRouter(prefix="/users", tags=["users"])
Reader = Annotated[User, may(Action.USERS_READ)]
Editor = Annotated[User, may(Action.USERS_EDIT, proven=True)]
Id = Annotated[str, Path(max_length=32)]
Short = Annotated[str, Field(min_length=1, max_length=64)]


class UserView(BaseModel):
    """`state`: `active`, `inactive`, `waiting` (the set-up link is open) or `no_link`."""

    id: str
    name: str
    role: Role
    compounds: list[str] | None
    state: str
    second_factor: bool
    provider: bool
    last_seen: dt.datetime | None


class Users(BaseModel):
    """`next_after` is the name after which there is more; None on the last page."""

    items: list[UserView]
    next_after: str | None


class UserGiven(BaseModel):
    """A new account. No `compounds`: all of them."""

    name: Short
    role: Role
    compounds: list[Short] = Field(default=[], max_length=100)
    responder: Short | None = None
    person: Short | None = None
    device: Short | None = None


class UserMade(BaseModel):
    """`setup_path` is shown this once; None for a terminal, which comes with a token."""

    id: str
    setup_path: str | None


class RoleGiven(BaseModel):
    role: Role


class PlaceGiven(BaseModel):
    compounds: list[Short] = Field(default=[], max_length=100)
    responder: Short | None = None


class ActiveGiven(BaseModel):
    active: bool


@router.get("")
def list_users(
    here: Here,
    user: Reader,
    role: Role | None = None,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Users:
    """The accounts in my care, by name."""
    with here.database.read() as session:
        found, more = listed(
            session, user, Asked(role=role or "", after=after, limit=limit), here.clock.now()
        )
    items = [
        UserView(
            id=one.id,
            name=one.name,
            role=Role(one.role),
            compounds=None if one.compounds is None else list(one.compounds),
            state=one.state,
            second_factor=one.factor,
            provider=one.linked,
            last_seen=one.last_seen,
        )
        for one in found
    ]
    return Users(items=items, next_after=more)


@router.post("", status_code=201)
def make_user(here: Here, user: Editor, given: UserGiven) -> UserMade:
    """A new account and the path of its one-time set-up link."""
    wanted = Wanted(given.name, given.role, given.compounds, given.responder, given.person, given.device)
    try:
        with here.database.write() as session:
            change = Change(session, session.get_one(User, user.id), here.clock.now())
            made, token = people.make(change, wanted)
            return UserMade(id=made.id, setup_path=f"/setup/{token}" if token else None)
    except AccountRefusedError as error:
        raise _refused(error) from None
    except NameTakenError:
        raise ProblemError(409, "name_taken", "Another account has this name") from None
    except ValueError:
        raise ProblemError(422, "no_such_place", "There is no such compound, person or device") from None


@router.put("/{user_id}/role", status_code=204)
def set_role(here: Here, user: Editor, user_id: Id, given: RoleGiven) -> Response:
    """Another role. Never one's own, and never the last administrator's."""
    return _change(here, user, user_id, lambda change, of: people.set_role(change, of, given.role))


@router.put("/{user_id}/place", status_code=204)
def set_place(here: Here, user: Editor, user_id: Id, given: PlaceGiven) -> Response:
    """Which compounds the account sees and which responder it is."""
    return _change(
        here, user, user_id, lambda change, of: people.set_place(change, of, given.compounds, given.responder)
    )


@router.put("/{user_id}/active", status_code=204)
def set_active(here: Here, user: Editor, user_id: Id, given: ActiveGiven) -> Response:
    """Ends an account or takes it back into use."""
    return _change(here, user, user_id, lambda change, of: people.set_active(change, of, active=given.active))


@router.post("/{user_id}/setup-link", status_code=201)
def reissue_link(here: Here, user: Editor, user_id: Id) -> UserMade:
    """A new one-time set-up link; earlier ones stop working."""
    try:
        with here.database.write() as session:
            of = _of(session, user, user_id)
            change = Change(session, session.get_one(User, user.id), here.clock.now())
            return UserMade(id=user_id, setup_path=f"/setup/{people.reissue(change, of)}")
    except AccountRefusedError as error:
        raise _refused(error) from None


@router.delete("/{user_id}/second-factor", status_code=204)
def reset_second_factor(here: Here, user: Editor, user_id: Id) -> Response:
    """Takes a lost second factor away."""
    return _change(here, user, user_id, people.reset_factor)


@router.delete("/{user_id}/sessions", status_code=204)
def end_user_sessions(here: Here, user: Editor, user_id: Id) -> Response:
    """Signs somebody out everywhere."""

    def work(change: Change, of: User) -> None:
        people.end_sessions(change, of)

    return _change(here, user, user_id, work)


def _change(here: Here, user: User, user_id: str, work: Callable[[Change, User], None]) -> Response:
    try:
        with here.database.write() as session:
            of = _of(session, user, user_id)
            work(Change(session, session.get_one(User, user.id), here.clock.now()), of)
    except AccountRefusedError as error:
        raise _refused(error) from None
    except ValueError:
        raise ProblemError(422, "no_such_place", "There is no such compound or responder") from None
    return Response(status_code=204)


def _of(session: Session, by: User, user_id: str) -> User:
    found = session.get(User, user_id)
    if found is None or not in_care(by, found):
        raise not_found("user")
    return found


def _refused(error: AccountRefusedError) -> ProblemError:
    return ProblemError(409, error.code, "The account stays as it is")

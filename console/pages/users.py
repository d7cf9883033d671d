"""Who may sign in here: the list, a new account with its link, one account, and who may do what."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import segno
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team
from console.accounts import factors, people, service
from console.accounts.models import Role, User
from console.accounts.people import MADE_BY, AccountRefusedError, Change, Wanted
from console.accounts.provider import provider_key
from console.accounts.service import SETUP_LINK_LIFETIME, NameTakenError
from console.accounts.views import Asked, in_care, listed
from console.context import rooms
from console.pages.view import frame, render
from console.permissions import ALLOWED, Action, may
from console.problems import not_found
from registry.models import Compound

router = APIRouter(prefix="/console")
Reader = Annotated[User, may(Action.USERS_READ)]
Editor = Annotated[User, may(Action.USERS_EDIT, proven=True)]
Short = Annotated[str, Form(max_length=128)]

_DONE: Final = frozenset({"role", "place", "ended", "active", "inactive", "factor", "linked", "unlinked"})
PAGE: Final = 50


@router.get("/users")
def users(
    request: Request,
    user: Reader,
    q: Annotated[str, Query(max_length=64)] = "",
    role: str = "",
    state: str = "",
    after: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The accounts in one's care, by name."""
    here = rooms(request)
    asked = Asked(q.strip(), role if role in list(Role) else "", state, after, PAGE)
    with here.database.read() as session:
        found, more = listed(session, user, asked, here.clock.now())
        places = {row.id: row.name for row in session.execute(select(Compound.id, Compound.name))}
    return render(
        frame(request),
        "users.html",
        users=found,
        compounds=places,
        more=more,
        asked=asked,
        roles=[one for one in Role if one in MADE_BY[Role(user.role)]],
        provider=here.provider is not None,
    )


@router.get("/users/new")
def new_form(request: Request, user: Reader) -> Response:
    """What a new account needs."""
    return _new(request, user, Wanted("", Role.VOLUNTEER))


@router.post("/users")
def make(
    request: Request,
    user: Editor,
    name: Short = "",
    role: Annotated[Role, Form()] = Role.VOLUNTEER,
    compounds: Annotated[list[str] | None, Form()] = None,
    responder: Short = "",
    person: Short = "",
    device: Short = "",
) -> Response:
    """Makes it and shows the link to hand over, this once."""
    here = rooms(request)
    wanted = Wanted(
        name, role, compounds or (), responder.strip() or None, person.strip() or None, device.strip() or None
    )
    try:
        with here.database.write() as session:
            made, token = people.make(Change(session, _by(session, user), here.clock.now()), wanted)
            made_id = made.id
    except AccountRefusedError as error:
        return _new(request, user, wanted, refused=error.code)
    except NameTakenError:
        return _new(request, user, wanted, refused="name_taken")
    except ValueError:
        return _new(request, user, wanted, refused=_missing(wanted))
    return (
        RedirectResponse(f"/console/users/{made_id}", 303)
        if token is None
        else _link(request, made_id, token)
    )


@router.get("/users/{user_id}")
def one(request: Request, user: Reader, user_id: str, done: str = "") -> Response:
    """One account: what it is, where it is signed in, and what can be done about it."""
    return _one(request, user, user_id, done=done if done in _DONE else None)


@router.post("/users/{user_id}/role")
def change_role(request: Request, user: Editor, user_id: str, role: Annotated[Role, Form()]) -> Response:
    return _changed(request, user, user_id, "role", lambda change, of: people.set_role(change, of, role))


@router.post("/users/{user_id}/place")
def change_place(
    request: Request,
    user: Editor,
    user_id: str,
    compounds: Annotated[list[str] | None, Form()] = None,
    responder: Short = "",
) -> Response:
    def work(change: Change, of: User) -> None:
        people.set_place(change, of, compounds or (), responder.strip() or None)

    return _changed(request, user, user_id, "place", work)


@router.post("/users/{user_id}/active")
def change_active(request: Request, user: Editor, user_id: str, active: Annotated[bool, Form()]) -> Response:
    def work(change: Change, of: User) -> None:
        people.set_active(change, of, active=active)

    return _changed(request, user, user_id, "active" if active else "inactive", work)


@router.post("/users/{user_id}/sessions/end")
def end_sessions(request: Request, user: Editor, user_id: str) -> Response:
    def work(change: Change, of: User) -> None:
        people.end_sessions(change, of)

    return _changed(request, user, user_id, "ended", work)


@router.post("/users/{user_id}/second-factor/reset")
def reset_factor(request: Request, user: Editor, user_id: str) -> Response:
    return _changed(request, user, user_id, "factor", people.reset_factor)


@router.post("/users/{user_id}/provider")
def link_provider(request: Request, user: Editor, user_id: str, value: Short = "") -> Response:
    """Links the account to who it is at the organisation's sign-in; nothing typed unlinks it."""
    provider = rooms(request).provider
    if provider is None:
        raise not_found("page")
    given = value.strip()
    key = provider_key(provider.settings.issuer, provider.settings.claim, given) if given else None

    def work(change: Change, of: User) -> None:
        people.link_provider(change, of, key)

    return _changed(request, user, user_id, "linked" if key else "unlinked", work)


@router.post("/users/{user_id}/link")
def reissue(request: Request, user: Editor, user_id: str) -> Response:
    """A new set-up link, shown this once."""
    here = rooms(request)
    try:
        with here.database.write() as session:
            change = Change(session, _by(session, user), here.clock.now())
            token = people.reissue(change, _of(session, user, user_id))
    except AccountRefusedError as error:
        return _one(request, user, user_id, refused=error.code, status=409)
    return _link(request, user_id, token)


@router.get("/roles")
def roles(request: Request, user: Reader) -> Response:
    """Who may do what, as the routes ask for it."""
    del user
    shown = [role for role in Role if role is not Role.DEVICE]
    rows = [(action.value, [role in ALLOWED[action] for role in shown]) for action in Action]
    return render(frame(request), "roles.html", roles=shown, rows=rows)


def _changed(
    request: Request, by: User, user_id: str, done: str, work: Callable[[Change, User], None]
) -> Response:
    here = rooms(request)
    try:
        with here.database.write() as session:
            of = _of(session, by, user_id)
            work(Change(session, _by(session, by), here.clock.now()), of)
    except AccountRefusedError as error:
        return _one(request, by, user_id, refused=error.code, status=409)
    except ValueError:
        return _one(request, by, user_id, refused="no_such_place", status=422)
    return RedirectResponse(f"/console/users/{user_id}?done={done}", 303)


def _by(session: Session, user: User) -> User:
    return session.get_one(User, user.id)


def _of(session: Session, by: User, user_id: str) -> User:
    """The account, for those in whose care it is; others do not learn that there is one."""
    found = session.get(User, user_id)
    if found is None or not in_care(by, found):
        raise not_found("user")
    return found


def _missing(wanted: Wanted) -> str:
    if not service.spell(wanted.name):
        return "name_empty"
    return {Role.RESIDENT: "no_person", Role.DEVICE: "no_device"}.get(wanted.role, "no_such_place")


@dataclass(frozen=True, slots=True)
class _Choices:
    roles: list[Role]
    compounds: list[tuple[str, str]]
    responders: list[tuple[str, str]]


def _choices(session: Session, user: User) -> _Choices:
    places = session.execute(select(Compound.id, Compound.name).order_by(Compound.id))
    seen = [(row.id, row.name) for row in places if user.compounds is None or row.id in user.compounds]
    crew = session.execute(
        select(Responder.id, Responder.name, Team.name.label("team"))
        .join(Team, Team.id == Responder.team)
        .where(Team.compound.in_([one for one, _ in seen]))
        .order_by(Team.name, Responder.id)
        .limit(500)
    )
    return _Choices(
        [role for role in Role if role in MADE_BY[Role(user.role)]],
        seen,
        [(row.id, f"{row.team} · {row.name}") for row in crew],
    )


def _new(request: Request, user: User, wanted: Wanted, *, refused: str | None = None) -> Response:
    with rooms(request).database.read() as session:
        choices = _choices(session, user)
    return render(
        frame(request),
        "user_new.html",
        status=422 if refused else 200,
        wanted=wanted,
        refused=refused,
        choices=choices,
        everywhere=user.compounds is None,
    )


def _one(
    request: Request,
    user: User,
    user_id: str,
    *,
    done: str | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here = rooms(request)
    with here.database.read() as session:
        of = _of(session, user, user_id)
        facts = {
            "of": of,
            "sessions": service.sessions_of(session, of.id, here.clock.now()),
            "factor": factors.enrolled(session, of.id),
            "factor_needed": factors.needed(of.role, here.second_factor_roles),
            "choices": _choices(session, user),
        }
        session.expunge_all()
    return render(
        frame(request),
        "user.html",
        status=status,
        done=done,
        refused=refused,
        self_shown=user_id == user.id,
        everywhere=user.compounds is None,
        provider=here.provider.settings if here.provider else None,
        **facts,
    )


def _link(request: Request, user_id: str, token: str) -> Response:
    here = rooms(request)
    with here.database.read() as session:
        of = session.get_one(User, user_id)
        session.expunge(of)
    address = f"{(here.public_url or str(request.base_url)).rstrip('/')}/setup/{token}"
    return render(
        frame(request),
        "user_link.html",
        of=of,
        address=address,
        drawn=segno.make(address, error="m", micro=False).svg_data_uri(border=2),
        until=here.clock.now() + SETUP_LINK_LIFETIME,
    )

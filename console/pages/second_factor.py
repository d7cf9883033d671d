"""Enrolling a code app, its recovery codes, and taking it away again.

Reached also by those who must have one and have none yet, before anything else.
"""

from typing import Annotated

import segno
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts import factors
from console.accounts.factors import CodeRefusedError, EnrolmentOverError
from console.accounts.models import User
from console.context import rooms
from console.pages.navigation import home_of
from console.pages.view import frame, render
from console.security import FACTOR_PATH, enrolling_user, proved
from storage.audit import AuditEntry, append

router = APIRouter(prefix=FACTOR_PATH, dependencies=[Depends(proved)])
Enrolling = Annotated[User, Depends(enrolling_user)]


@router.get("")
def enrol_form(request: Request, user: Enrolling) -> Response:
    """A QR and a key for the app; where there is one already, what can be done about it."""
    return _page(request, user)


@router.post("")
def enrol(request: Request, user: Enrolling, code: Annotated[str, Form(max_length=32)] = "") -> Response:
    """Puts the app into force by its first code and shows the recovery codes, this once."""
    here = rooms(request)
    try:
        with here.database.write() as session:
            codes = factors.confirm(session, session.get_one(User, user.id), code, here.clock.now())
    except CodeRefusedError:
        return _page(request, user, refused="code", status=422)
    except EnrolmentOverError:
        return _page(request, user, refused="over", status=409)
    return _codes(request, user, codes)


@router.post("/codes")
def renew(request: Request, user: Enrolling) -> Response:
    """New recovery codes instead of those that are used or lost."""
    here = rooms(request)
    with here.database.write() as session:
        mine = session.get_one(User, user.id)
        if factors.enrolled(session, user.id) is None:
            return RedirectResponse(FACTOR_PATH, 303)
        codes = factors.renew_recovery_codes(session, mine)
        entry = AuditEntry(user.id, user.role, "factor.codes_renewed", "sign_in", f"user:{user.id}")
        append(session, here.clock.now(), entry)
    return _codes(request, user, codes)


@router.post("/remove")
def remove(request: Request, user: Enrolling) -> Response:
    """Takes the app away; who must have one is asked to enrol another."""
    here = rooms(request)
    with here.database.write() as session:
        factors.remove(session, session.get_one(User, user.id), here.clock.now(), by=user.id, role=user.role)
    return RedirectResponse("/account?done=factor_removed", 303)


def _page(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    needed = factors.needed(user.role, here.second_factor_roles)
    with here.database.write() as session:
        in_force = factors.enrolled(session, user.id)
        left = factors.codes_left(session, user.id)
        enrolment = None
        if in_force is None:
            mine = session.get_one(User, user.id)
            enrolment = factors.begin(session, mine, here.clock.now(), view.compound_name)
    drawn = segno.make(enrolment.uri, error="m", micro=False).svg_data_uri(border=2) if enrolment else ""
    key = enrolment.secret if enrolment else ""
    return render(
        view,
        "second_factor.html",
        status=status,
        refused=refused,
        needed=needed,
        in_force=in_force,
        codes_left=left,
        drawn=drawn,
        key=" ".join(key[start : start + 4] for start in range(0, len(key), 4)),
    )


def _codes(request: Request, user: User, codes: list[str]) -> Response:
    return render(frame(request), "recovery_codes.html", codes=codes, user=user, home=home_of(user.role))

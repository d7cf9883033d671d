"""The audit log to read: who looked at or changed what, whether the chain holds, what to ask about."""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api import audits
from console.api.purposes import Look, Purpose, note_look
from console.context import Rooms, rooms
from console.pages import staffnames
from console.pages.answers import said
from console.pages.moments import moment
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from privacy.unexplained import WITHIN, Entry, unexplained
from storage.audit import AuditRow
from storage.auditsearch import AuditFilter, entries, matching

router = APIRouter()
Auditor = Annotated[User, may(Action.AUDIT_READ)]
Exporter = Annotated[User, may(Action.AUDIT_READ, proven=True)]
Text = Annotated[str, Query(max_length=64)]
Typed = Annotated[str, Form(max_length=128)]

_SHOWN: Final = 50
_EXPORTED: Final = 50_000
_DAYS: Final = (1, 7, 30)
# So many entries are looked through for looks that nothing explains; a busy month has fewer.
_LOOKED_THROUGH: Final = 20_000
_QUESTIONS: Final = 100
# Beginnings by which a spreadsheet takes a text for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_OTHER_PURPOSES: Final = ("administration", "operation", "retention", "sign_in")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form above the list says, as it was typed."""

    actor: str = ""
    action: str = ""
    purpose: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""

    @property
    def query(self) -> str:
        """As the query of a link, without what is empty."""
        given = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return urlencode(given)

    @property
    def is_empty(self) -> bool:
        return not self.query


@router.get("/audit")
def audit(
    request: Request,
    user: Auditor,
    subject: Annotated[str, Query(max_length=128)] = "",
    actor: Text = "",
    action: Text = "",
    purpose: Text = "",
    since: Text = "",
    until: Text = "",
    cursor: Annotated[int | None, Query(ge=1)] = None,
    check: bool = False,
) -> Response:
    """The newest entries that fit; the chain is walked on request."""
    asked = Asked(actor.strip(), action, purpose, subject.strip(), since, until)
    return _page(request, user, asked, cursor, check=check)


@router.get("/audit/questions")
def questions(request: Request, user: Auditor, days: Annotated[int, Query(ge=1, le=30)] = 7) -> Response:
    """Looks at people that were said to be for an incident, with none within the hour."""
    here, view = rooms(request), frame(request)
    wanted = AuditFilter(
        since=view.now - dt.timedelta(days=days), compound=None if user.compounds is None else here.compound
    )
    with here.database.read() as session:
        columns = [getattr(AuditRow, name) for name in Entry.__slots__]
        query = matching(session, wanted).with_only_columns(*columns)
        rows = session.execute(query.order_by(AuditRow.seq.desc()).limit(_LOOKED_THROUGH)).all()
        found = unexplained(Entry(*row) for row in rows)
        people = _by_actor(found)
        known = staffnames.of(session, people)
    return render(
        view,
        "audit_questions.html",
        looks=found[:_QUESTIONS],
        total=len(found),
        people=people,
        known=known,
        days=days,
        choices=_DAYS,
        minutes=WITHIN // dt.timedelta(minutes=1),
        cut=len(rows) == _LOOKED_THROUGH,
        through=rows[-1].at if rows else None,
    )


@router.post("/audit/export")
def export(
    request: Request,
    user: Exporter,
    subject: Typed = "",
    actor: Typed = "",
    action: Typed = "",
    purpose: Typed = "",
    since: Typed = "",
    until: Typed = "",
) -> Response:
    """What the filter shows as CSV, the newest 50,000 at most; that it was taken is an entry itself."""
    here, view = rooms(request), frame(request)
    asked = Asked(actor.strip(), action, purpose, subject.strip(), since, until)
    with here.database.write() as session:
        wanted = _filter(session, here, user, view, asked)
        rows = entries(session, wanted, limit=_EXPORTED)
        session.expunge_all()
        # Which filters, not what was typed: it may be somebody's reference.
        which = "+".join(name for name in asked.__slots__ if getattr(asked, name)) or "all"
        look = Look("audit.exported", Purpose.REVIEW, "audit:csv", f"rows={len(rows)} by={which}")
        note_look(session, view.now, user, look)
    name = f"audit-{view.now.astimezone(view.zone):%Y%m%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingResponse(_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)


def _page(request: Request, user: User, asked: Asked, cursor: int | None, *, check: bool = False) -> Response:
    here, view = rooms(request), frame(request)
    made = said(lambda: _found(here, user, view, asked, cursor))
    items = list(made.answer or [])
    with here.database.read() as session:
        known = staffnames.of(session, (entry.actor for entry in items))
        staff = session.scalars(select(User.name).order_by(User.name).limit(500)).all()
    return render(
        view,
        "audit.html",
        status=made.status,
        refused=made.refused,
        entries=items[:_SHOWN],
        older=items[_SHOWN - 1].seq if len(items) > _SHOWN else None,
        newest=cursor is None,
        asked=asked,
        actions=_actions(view),
        purposes=[*Purpose, *_OTHER_PURPOSES],
        staff=staff,
        known=known,
        chain=audits.verification(here, user) if check else None,
    )


def _found(here: Rooms, user: User, view: Frame, asked: Asked, cursor: int | None) -> list[AuditRow]:
    with here.database.read() as session:
        wanted = _filter(session, here, user, view, asked)
        rows = list(entries(session, wanted, before=cursor, limit=_SHOWN + 1))
        session.expunge_all()
        return rows


def _filter(session: Session, here: Rooms, user: User, view: Frame, asked: Asked) -> AuditFilter:
    return AuditFilter(
        actors=audits.actors_of(session, asked.actor) if asked.actor else None,
        action=asked.action or None,
        purpose=asked.purpose or None,
        subject=asked.subject or None,
        since=moment(view, asked.since),
        until=moment(view, asked.until),
        compound=None if user.compounds is None else here.compound,
    )


def _actions(view: Frame) -> list[tuple[str, str]]:
    """Code and words of everything that the log may tell of, by the words."""
    named = ((key.removeprefix("did."), view.t(key)) for key in view.t.keys if key.startswith("did."))
    return sorted(named, key=lambda pair: pair[1].casefold())


def _by_actor(looks: list[Entry]) -> Mapping[str, int]:
    counted: dict[str, int] = {}
    for look in looks:
        counted[look.actor] = counted.get(look.actor, 0) + 1
    return dict(sorted(counted.items(), key=lambda pair: -pair[1]))


def _csv(rows: Sequence[AuditRow]) -> Iterator[str]:
    names = ("seq", "at", "actor", "role", "action", "purpose", "subject", "detail", "row_hash")
    line = io.StringIO()
    writer = csv.writer(line)
    # Excel takes a file for UTF-8 only with this in front.
    yield "\ufeff"
    writer.writerow(names)
    for row in rows:
        values = (getattr(row, name) for name in names)
        writer.writerow([_harmless(value) for value in values])
        if line.tell() > 64_000:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _harmless(value: object) -> str:
    text = value.isoformat() if isinstance(value, dt.datetime) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text

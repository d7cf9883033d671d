"""Drafts of the rules that are tried on the stored past before they are saved.

A trial is a row: whichever console process is asked sees how far it is, and whoever reads the past
(a process of its own, see `ringward.rehearsal.trial`) is told by the row to stop. It changes nothing
but itself. There is one at a time a compound; it ends by itself when it reads too much or too long,
and when nobody looks at its page any more.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.incidents.models import Evidence, Incident
from alerts.incidents.raising import said_id
from alerts.rehearsal.differing import Outlook
from alerts.rulebook import versions
from alerts.rulebook.models import RuleTrial, RuleVersion
from alerts.rulebook.versions import BadRulesError
from registry import rows
from registry.errors import RefusedError, StaleEditError
from storage import new_id

SPANS: Final = (1, 3, 7, 14, 31)
"""Days of the past that a draft is tried on."""

SEEN_MOST: Final = 3_000_000
"""Things seen that one trial reads: some weeks of a large compound."""

LASTS_MOST: Final = dt.timedelta(minutes=15)
LEFT_AFTER: Final = dt.timedelta(minutes=3)
"""A page in the background of a browser asks once a minute."""

_LOOKED_EVERY: Final = dt.timedelta(seconds=10)
SILENT_AFTER: Final = dt.timedelta(minutes=3)
"""Of whoever reads the past nothing was heard: its process is gone."""

KEPT: Final = dt.timedelta(days=1)
SHOWN_MOST: Final = 200
"""Differences that are told one by one."""

RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"


def ask(
    session: Session,
    compound: str,
    text: str,
    days: int,
    by: Actor,
    at: dt.datetime,
    *,
    base: int,
    rule: str | None = None,
) -> RuleTrial:
    """Writes down a trial of a draft on the last `days`; somebody has to begin it.

    `base` is the version that the draft is made of, 0 where nothing was set. Whoever asks again takes
    back what they had asked for. Raises `BadRulesError`, `StaleEditError`, `RefusedError`: trial_span,
    trial_same (the draft is what is in force), trial_running (somebody else's, with `trial`).
    """
    if days not in SPANS:
        raise RefusedError("trial_span")
    newest = versions.newest(session, compound)
    number = newest.number if newest is not None else 0
    if base != number:
        raise StaleEditError(number)
    reading = versions.check(session, compound, text)
    if reading.errors:
        raise BadRulesError(reading.findings)
    if newest is not None and newest.digest == versions.digest_of(text):
        raise RefusedError("trial_same")
    _sweep(session, compound, by, at)
    running = running_now(session, compound)
    if running is not None:
        raise RefusedError("trial_running", trial=running.id)
    row = RuleTrial(
        id=new_id(),
        compound=compound,
        rule=rule,
        base=base,
        text=text,
        starts_at=at - dt.timedelta(days=days),
        ends_at=at,
        asked_by=by.id,
        asked_at=at,
        state=RUNNING,
        looked_at=at,
        heard_at=at,
        done=0,
        seen=0,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        # Two asked at once: the database lets one through.
        raise RefusedError("trial_running") from None
    return row


def running_now(session: Session, compound: str) -> RuleTrial | None:
    """The trial that runs in a compound, if one does."""
    query = select(RuleTrial).where(RuleTrial.compound == compound, RuleTrial.state == RUNNING)
    return session.scalars(query).one_or_none()


def find(session: Session, compound: str, trial_id: str) -> RuleTrial:
    """Raises `MissingError("rule_trial")`."""
    return rows.find(session, RuleTrial, compound, trial_id, "rule_trial")


def wants_a_look(row: RuleTrial, at: dt.datetime) -> bool:
    """Whether it has to be noted that somebody looks, or that nobody is heard of any more."""
    return row.state == RUNNING and (at - row.looked_at > _LOOKED_EVERY or at - row.heard_at > SILENT_AFTER)


def look(session: Session, compound: str, trial_id: str, at: dt.datetime) -> RuleTrial:
    """The trial, noting that somebody looks at it. Raises `MissingError`."""
    row = find(session, compound, trial_id)
    if row.state == RUNNING:
        row.looked_at = at
        if at - row.heard_at > SILENT_AFTER:
            row.state, row.why, row.ended_at = FAILED, "broken", at
    return row


def cancel(session: Session, compound: str, trial_id: str, at: dt.datetime) -> RuleTrial:
    """Ends a trial that runs; of one that has ended nothing changes. Raises `MissingError`."""
    row = find(session, compound, trial_id)
    if row.state == RUNNING:
        row.state, row.why, row.ended_at = CANCELLED, "asked", at
    return row


def hear(
    session: Session, compound: str, trial_id: str, at: dt.datetime, *, done: int, seen: int
) -> str | None:
    """Notes how far the past has been read; why it must not be read further, None where it may be.

    `done` of a thousand. What it says is written into the row, too.
    """
    row = find(session, compound, trial_id)
    if row.state != RUNNING:
        return row.why or "asked"
    row.heard_at, row.done, row.seen = at, done, seen
    why = must_stop(seen=seen, lasted=at - row.asked_at, alone=at - row.looked_at)
    if why is not None:
        row.state, row.why, row.ended_at = CANCELLED if why == "left" else FAILED, why, at
    return why


def must_stop(*, seen: int, lasted: dt.timedelta, alone: dt.timedelta) -> str | None:
    """Why a trial must not go on; `alone` is for how long nobody has looked at it."""
    if seen > SEEN_MOST:
        return "too_much"
    if lasted > LASTS_MOST:
        return "too_long"
    return "left" if alone > LEFT_AFTER else None


def end(
    session: Session, compound: str, trial_id: str, at: dt.datetime, result: dict[str, Any] | None
) -> None:
    """Puts the result down; without one it broke. What was ended meanwhile stays as it is."""
    row = find(session, compound, trial_id)
    if row.state != RUNNING:
        return
    row.ended_at = row.heard_at = at
    if result is None:
        row.state, row.why = FAILED, "broken"
    else:
        row.state, row.done, row.result = DONE, 1000, result


def save(
    session: Session, compound: str, trial_id: str, by: Actor, at: dt.datetime, note: str
) -> RuleVersion:
    """Takes the draft of a trial in as the next version, audited (`versions.keep`).

    Raises `MissingError`, `BadRulesError`, `StaleEditError` where another version has come since,
    `RefusedError`: trial_not_done (nobody has seen what it would do), note_required.
    """
    row = find(session, compound, trial_id)
    if row.state != DONE:
        raise RefusedError("trial_not_done")
    if not note.strip():
        raise RefusedError("note_required")
    version, _ = versions.keep(session, compound, row.text, by, at, note=note.strip(), since=row.base)
    row.kept_as = version.number
    return version


def plain(session: Session, compound: str, outlook: Outlook) -> dict[str, Any]:
    """An outlook for the row, each difference with the incident that there really was of it."""
    known = _incidents(session, compound, [one.said for one in outlook.differences])
    return {
        "whole": outlook.whole,
        "same": outlook.same,
        "kinds": dict(outlook.kinds),
        "differences": [
            {
                "what": str(one.what),
                "rule": one.rule,
                "kind": one.kind,
                "zone": one.zone,
                "device": one.device,
                "at": one.at.isoformat(),
                "severity": one.severity,
                "was": one.was,
                "later_s": round(one.later_s, 1),
                "incident": next((known[said] for said in _ids(one.said) if said in known), None),
            }
            for one in outlook.differences
        ],
        "more": outlook.more,
    }


def _incidents(
    session: Session, compound: str, said: Sequence[frozenset[tuple[str, str, str]]]
) -> Mapping[str, str]:
    """Incidents by the signals that they stand on: of the same past they are the same."""
    ids = sorted({one for some in said for one in _ids(some)})
    found: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        query = (
            select(Evidence.signal_id, Evidence.incident)
            .join(Incident, Incident.id == Evidence.incident)
            .where(Incident.compound == compound, Evidence.signal_id.in_(ids[start : start + 500]))
        )
        found.update((row.signal_id, row.incident) for row in session.execute(query))
    return found


def _ids(said: frozenset[tuple[str, str, str]]) -> list[str]:
    return sorted(said_id(*one) for one in said)


def _sweep(session: Session, compound: str, by: Actor, at: dt.datetime) -> None:
    """Ends what nobody hears of any more and what the same person had asked for; forgets old ones."""
    mine = RuleTrial.compound == compound
    session.execute(
        update(RuleTrial)
        .where(mine, RuleTrial.state == RUNNING, RuleTrial.heard_at < at - SILENT_AFTER)
        .values(state=FAILED, why="broken", ended_at=at)
    )
    session.execute(
        update(RuleTrial)
        .where(mine, RuleTrial.state == RUNNING, RuleTrial.asked_by == by.id)
        .values(state=CANCELLED, why="asked", ended_at=at)
    )
    session.execute(
        delete(RuleTrial).where(
            mine,
            RuleTrial.state != RUNNING,
            or_(RuleTrial.ended_at.is_(None), RuleTrial.ended_at < at - KEPT),
        )
    )

"""What an order to erase does at once, in the transaction of whoever orders it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.erasure import forgetting, keeps, steps
from privacy.erasure.face import Forgotten, forget_face
from privacy.erasure.keeps import Keep, KeepReason
from privacy.erasure.marks import Marks
from privacy.erasure.steps import Steps
from privacy.models import Erasure, ErasureKind, StepState
from registry.faces import galleries, templates
from registry.models import Person
from storage import new_id
from storage.backups import BackupRun

DUE: Final = dt.timedelta(hours=24)
"""By when every place must have confirmed (L-02)."""

BUS_KEEPS: Final = dt.timedelta(days=7)
"""How long the bus keeps what was announced (`bus.broker.stream`); it forgets by itself."""


def start(
    session: Session,
    person: Person,
    kind: ErasureKind,
    *,
    at: dt.datetime,
    by: str,
    request: str | None = None,
    keyless: bool = False,
) -> Erasure:
    """Makes the erasure and does the database's part, or notes what keeps the person.

    `keyless`: the key is gone already, as after a restore, and nothing can keep anything.
    """
    erasure = Erasure(
        id=new_id(),
        compound=person.compound,
        person=person.id,
        kind=kind,
        request=request,
        ordered_at=at,
        ordered_by=by,
        due_at=at + DUE,
    )
    session.add(erasure)
    session.flush()
    todo = Steps(session, erasure, at)
    if kind is ErasureKind.FACE:
        _put_places(todo, forget_face(session, person, erasure.id, at))
    else:
        marks = forgetting.marks_of(session, person)
        found = [] if keyless else keeps.of_person(session, person, (*marks.vehicles, *marks.plates), at)
        if found:
            # The face is no evidence of anything, and its consent ends with the request.
            _put_places(todo, forget_face(session, person, erasure.id, at))
            put_kept(todo, found)
        else:
            forget(todo, person, marks)
    session.flush()
    return erasure


def forget(todo: Steps, person: Person, marks: Marks) -> None:
    """The database's part for a whole person whom nothing keeps."""
    sealed = marks.seal()
    ordered = todo.erasure
    gone = forgetting.forget_person(
        todo.session, person, marks, cause=ordered.id, by=ordered.ordered_by, at=todo.at
    )
    todo.put(steps.PASSAGES, marks=sealed, vehicles=marks.vehicles)
    _put_places(todo, gone)
    if marks.plates or marks.refs:
        until = (todo.at + BUS_KEEPS).isoformat()
        expires = {"reason": KeepReason.EXPIRES, "source": steps.BUS, "until": until}
        todo.put(steps.BUS, StepState.KEPT, keeps=[expires])


def put_kept(todo: Steps, found: Sequence[Keep]) -> None:
    """Notes what keeps the person; the database and the passages wait for it."""
    detail = [keep.as_detail() for keep in found]
    todo.put(
        steps.DATABASE,
        StepState.KEPT,
        keeps=detail,
        templates=_count(todo, steps.DATABASE, "templates"),
        exclusions=_count(todo, steps.DATABASE, "exclusions"),
    )
    todo.put(steps.PASSAGES, StepState.KEPT, keeps=detail)


def put_backups(todo: Steps) -> None:
    """A step for every place that holds a copy of the keys."""
    newest: dict[str, str] = {}
    for run in todo.session.scalars(select(BackupRun).order_by(BackupRun.started_at)):
        newest[run.destination] = run.label
    labels = list(newest.values())
    known = {step.detail.get("destination") for step in todo.under(steps.BACKUP)}
    for destination, label in newest.items():
        if destination not in known:
            name = label if labels.count(label) == 1 else f"{label}-{destination[:8]}"
            todo.put(f"{steps.BACKUP}:{name}", destination=destination)


def _put_places(todo: Steps, gone: Forgotten) -> None:
    """A step for every place that holds something of what has left the database."""
    todo.put(
        steps.DATABASE,
        templates=gone.templates + _count(todo, steps.DATABASE, "templates"),
        exclusions=gone.exclusions + _count(todo, steps.DATABASE, "exclusions"),
    )
    media = todo.get(steps.MEDIA)
    todo.put(
        steps.MEDIA,
        pending=_merged(media.detail.get("pending", ()) if media else (), gone.media),
        deleted=_count(todo, steps.MEDIA, "deleted"),
    )
    keys = todo.get(steps.KEYS)
    todo.put(steps.KEYS, subjects=_merged(keys.detail.get("subjects", ()) if keys else (), gone.subjects))
    compound = todo.erasure.compound
    revision = templates.revision(todo.session, compound)
    for holder in galleries.holders(todo.session, compound, todo.at):
        todo.put(f"{steps.GALLERY}:{holder.worker}", revision=revision)
    for device, order_id in gone.terminals.items():
        step = todo.get(f"{steps.TERMINAL}:{device}")
        if step is None or step.detail.get("order") != order_id:
            todo.put(f"{steps.TERMINAL}:{device}", order=order_id)
    put_backups(todo)


def _count(todo: Steps, place: str, name: str) -> int:
    step = todo.get(place)
    return int(step.detail.get(name, 0)) if step is not None else 0


def _merged(before: Iterable[str], more: Iterable[str]) -> list[str]:
    return sorted({*before, *more})

"""What each stage of an erasure does inside its transaction; `followup` calls them in order."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from devices.enrolments import DeleteOrder, OrderState
from privacy.erasure import forgetting, keeps, matters, passages, reviews, steps
from privacy.erasure.marks import Marks, opened
from privacy.erasure.ordering import forget, put_backups, put_kept
from privacy.erasure.steps import Steps
from privacy.models import ErasureStep, RequestState, StepState, SubjectRequest
from registry.faces.galleries import GONE_AFTER
from registry.models import GalleryHolder, Person
from storage.backups import BackupRun

log = structlog.get_logger(__name__)


def reconsider(todo: Steps) -> None:
    """A person who was kept is forgotten once nothing keeps them; what expires has expired."""
    bus = todo.get(steps.BUS)
    if bus is not None and bus.state == StepState.KEPT and _is_over(bus, todo.at):
        todo.put(steps.BUS, StepState.CONFIRMED)
    database = todo.get(steps.DATABASE)
    if database is None or database.state != StepState.KEPT:
        return
    person = todo.session.scalars(
        select(Person).where(Person.id == todo.erasure.person).with_for_update()
    ).first()
    if person is None or person.erased_at is not None:
        todo.put(steps.DATABASE)
        todo.put(steps.PASSAGES, StepState.CONFIRMED)
        return
    marks = forgetting.marks_of(todo.session, person)
    found = keeps.of_person(todo.session, person, (*marks.vehicles, *marks.plates), todo.at)
    if found:
        put_kept(todo, found)
    else:
        forget(todo, person, marks)
        todo.erasure.completed_at = None


def ask_holders(todo: Steps) -> None:
    """Whether galleries and terminals have said that they forgot, and backups have new copies of the keys."""
    for step in _waiting(todo, steps.GALLERY):
        worker = step.place.partition(":")[2]
        holder = todo.session.get(GalleryHolder, (worker, todo.erasure.compound), populate_existing=True)
        if holder is None or holder.seen_at <= todo.at - GONE_AFTER:
            todo.put(step.place, StepState.CONFIRMED, code="gone")
        elif holder.revision >= step.detail["revision"]:
            todo.put(step.place, StepState.CONFIRMED, code="read_again")
    for step in _waiting(todo, steps.TERMINAL):
        order = todo.session.get(DeleteOrder, step.detail["order"], populate_existing=True)
        if order is not None and order.state == OrderState.CONFIRMED:
            todo.put(step.place, StepState.CONFIRMED, code=order.result)
    keys = todo.get(steps.KEYS)
    if keys is None or keys.state != StepState.CONFIRMED:
        return
    for step in _waiting(todo, steps.BACKUP):
        destination = step.detail["destination"]
        copied = todo.session.scalar(
            select(func.max(BackupRun.keys_copied_at)).where(BackupRun.destination == destination)
        )
        if copied is not None and copied > keys.at:
            todo.put(step.place, StepState.CONFIRMED, destination=destination)


def has_work(todo: Steps) -> bool:
    """Whether something can be done here, or all that is open waits for others or for its time."""
    if todo.waits(steps.DATABASE, steps.PASSAGES, steps.MEDIA, steps.KEYS):
        return True
    passed = todo.get(steps.PASSAGES)
    kept = passed.detail.get("kept", {}) if passed is not None else {}
    if not kept:
        return False
    frozen = keeps.of_events(todo.session, todo.erasure.compound, todo.at)
    return any(event_id not in frozen for event_id in kept)


def marks_to_sweep(todo: Steps) -> Marks | None:
    """By what the passages are to be swept now; None where that is done or has to wait."""
    step = todo.get(steps.PASSAGES)
    if step is None or step.state == StepState.CONFIRMED or "marks" not in step.detail:
        return None
    if _waiting(todo, steps.GALLERY):
        return None
    # With the key gone, what was kept is known by its ids.
    return opened(todo.erasure.person, step.detail["marks"]) or Marks(
        todo.erasure.person, todo.erasure.compound, vehicles=step.detail["vehicles"]
    )


def events_to_sweep(session: Session, erasure_id: str, marks: Marks, at: dt.datetime) -> Sequence[str]:
    """The events that the person is to be taken out of: all at first, later those that were kept."""
    step = session.scalars(
        select(ErasureStep).where(ErasureStep.erasure == erasure_id, ErasureStep.place == steps.PASSAGES)
    ).one()
    if step.state == StepState.PENDING:
        return passages.find(session, marks)
    frozen = keeps.of_events(session, marks.compound, at)
    return [event_id for event_id in step.detail.get("kept", ()) if event_id not in frozen]


def sweep(todo: Steps, marks: Marks, event_ids: Sequence[str]) -> None:
    """Takes the person out of a batch of events; their pictures are to go next."""
    step = _step(todo, steps.PASSAGES)
    before: dict[str, bool] = step.detail.get("kept", {})
    frozen = keeps.of_events(todo.session, marks.compound, todo.at)
    own = {event_id for event_id in event_ids if before.get(event_id)}
    swept = passages.sweep(todo.session, marks, event_ids, frozen.keys(), own)
    kept = {e: is_own for e, is_own in before.items() if e not in event_ids} | swept.kept
    events = step.detail.get("events", 0) + swept.events
    todo.put(steps.PASSAGES, StepState(step.state), **{**step.detail, "kept": kept, "events": events})
    _add_pictures(todo, swept.media)


def end_sweep(todo: Steps, marks: Marks, letters: Sequence[str]) -> None:
    """The sweep is through: what is left now, something keeps. `letters` are refused messages."""
    passages.empty_letters(todo.session, letters)
    matters.sweep_incidents(todo.session, marks)
    reviews.sweep_reviews(todo.session, marks, todo.at)
    step = _step(todo, steps.PASSAGES)
    kept: dict[str, bool] = step.detail.get("kept", {})
    if not kept:
        todo.put(steps.PASSAGES, StepState.CONFIRMED, events=step.detail.get("events", 0))
        return
    frozen = keeps.of_events(todo.session, marks.compound, todo.at)
    grounds = {keep.source: keep.as_detail() for e, keep in frozen.items() if e in kept}
    todo.put(steps.PASSAGES, StepState.KEPT, **{**step.detail, "keeps": list(grounds.values())})


def pictures(todo: Steps) -> list[str]:
    """The pictures that are to be deleted from the media store."""
    step = todo.get(steps.MEDIA)
    pending: list[str] = step.detail.get("pending", []) if step is not None else []
    return pending


def pictures_gone(todo: Steps, gone: Collection[str]) -> None:
    """These are deleted; while passages are still swept, more may come."""
    step = todo.get(steps.MEDIA)
    if step is None or step.state == StepState.CONFIRMED:
        return
    left = [media_id for media_id in step.detail.get("pending", ()) if media_id not in gone]
    deleted = step.detail.get("deleted", 0) + len(gone)
    if left or todo.waits(steps.PASSAGES):
        todo.put(steps.MEDIA, pending=left, deleted=deleted)
    else:
        todo.put(steps.MEDIA, StepState.CONFIRMED, deleted=deleted)


def keys_to_shred(todo: Steps) -> list[str] | None:
    """Whose keys go now; None where they have gone, or are still needed."""
    step = todo.get(steps.KEYS)
    if step is None or step.state == StepState.CONFIRMED or todo.waits(steps.PASSAGES):
        return None
    subjects: list[str] = step.detail.get("subjects", [])
    return subjects


def keys_gone(todo: Steps) -> None:
    """The keys are shredded."""
    step = _step(todo, steps.KEYS)
    if step.state == StepState.PENDING:
        todo.put(steps.KEYS, StepState.CONFIRMED, keys=len(step.detail.get("subjects", ())))
    # A backup that was made since the order has a copy of the keys too.
    put_backups(todo)


def database_waits(todo: Steps) -> bool:
    """Whether all rows are written and only the old pages are left."""
    return todo.waits(steps.DATABASE) and not todo.waits(steps.PASSAGES)


def database_settled(todo: Steps) -> None:
    """The old pages are gone too."""
    step = _step(todo, steps.DATABASE)
    if step.state == StepState.PENDING:
        todo.put(steps.DATABASE, StepState.CONFIRMED, **step.detail)


def complete(todo: Steps) -> None:
    """Nothing is outstanding but what is kept."""
    erasure = todo.erasure
    if erasure.completed_at is None and not any(s.state == StepState.PENDING for s in todo.all()):
        erasure.completed_at = todo.at
        if erasure.request is not None:
            todo.session.execute(
                update(SubjectRequest)
                .where(SubjectRequest.id == erasure.request, SubjectRequest.state == RequestState.OPEN)
                .values(state=RequestState.DONE, closed_at=todo.at)
            )
        log.info("erasure.completed", erasure=erasure.id, kind=str(erasure.kind))


def _waiting(todo: Steps, kind: str) -> list[ErasureStep]:
    return [step for step in todo.under(kind) if step.state == StepState.PENDING]


def _step(todo: Steps, place: str) -> ErasureStep:
    step = todo.get(place)
    assert step is not None
    return step


def _add_pictures(todo: Steps, media: Iterable[str]) -> None:
    step = todo.get(steps.MEDIA)
    detail: dict[str, Any] = step.detail if step is not None else {}
    pending = sorted({*detail.get("pending", ()), *media})
    if pending != detail.get("pending", []):
        todo.put(steps.MEDIA, pending=pending, deleted=detail.get("deleted", 0))


def _is_over(step: ErasureStep, at: dt.datetime) -> bool:
    ends = [dt.datetime.fromisoformat(keep["until"]) for keep in step.detail.get("keeps", ())]
    return all(end <= at for end in ends)

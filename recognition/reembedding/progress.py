"""How far a compound is on its way to another engine, and whose photos have to be taken again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from recognition.models import EmbeddingPhoto, EmbeddingRun, RunState
from registry.models import FaceTemplate


@dataclass(frozen=True, slots=True)
class Progress:
    """Photos: how many there were, are embedded, and gave no template. Counts, of nobody."""

    engine: str
    engine_version: str
    state: RunState
    total: int
    done: int
    refused: int
    started_at: dt.datetime
    moved_at: dt.datetime
    finished_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RefusedPhoto:
    """A photo that the new engine can make nothing of; `reason` is a code, as at enrolment."""

    person_id: str
    media_id: str | None
    reason: str


def progress(session: Session, compound: str) -> Progress | None:
    """The run that was begun last; None where the gallery has never changed its engine."""
    run = _last(session, compound)
    if run is None:
        return None
    return Progress(
        run.engine,
        run.engine_version,
        RunState(run.state),
        run.total,
        run.done,
        run.refused,
        run.started_at,
        run.moved_at,
        run.finished_at,
    )


def refused_photos(session: Session, compound: str) -> Sequence[RefusedPhoto]:
    """Photos that gave no template in that run, by person; who withdrew since is not among them."""
    run = _last(session, compound)
    if run is None:
        return ()
    rows = session.execute(
        select(FaceTemplate.person, FaceTemplate.media_id, EmbeddingPhoto.reason)
        .join(EmbeddingPhoto, EmbeddingPhoto.template == FaceTemplate.id)
        .where(EmbeddingPhoto.run == run.id, EmbeddingPhoto.reason.is_not(None))
        .order_by(FaceTemplate.person, FaceTemplate.id)
    )
    return [RefusedPhoto(person, media_id, reason) for person, media_id, reason in rows if reason is not None]


def _last(session: Session, compound: str) -> EmbeddingRun | None:
    return session.scalars(
        select(EmbeddingRun)
        .where(EmbeddingRun.compound == compound)
        .order_by(EmbeddingRun.started_at.desc(), EmbeddingRun.id.desc())
        .limit(1)
    ).first()

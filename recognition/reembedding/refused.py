"""Whose photos have to be taken again, because the new engine can make nothing of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from recognition.models import EmbeddingPhoto, EmbeddingRun
from registry.models import FaceTemplate


@dataclass(frozen=True, slots=True)
class RefusedPhoto:
    """A photo that gave no template; `reason` is a code, as at enrolment."""

    person_id: str
    media_id: str | None
    reason: str


def refused_photos(session: Session, compound: str) -> Sequence[RefusedPhoto]:
    """Those of the run that was begun last, by person; who withdrew since is not among them."""
    run = session.scalars(
        select(EmbeddingRun.id)
        .where(EmbeddingRun.compound == compound)
        .order_by(EmbeddingRun.started_at.desc(), EmbeddingRun.id.desc())
        .limit(1)
    ).first()
    rows = session.execute(
        select(FaceTemplate.person, FaceTemplate.media_id, EmbeddingPhoto.reason)
        .join(EmbeddingPhoto, EmbeddingPhoto.template == FaceTemplate.id)
        .where(EmbeddingPhoto.run == run, EmbeddingPhoto.reason.is_not(None))
        .order_by(FaceTemplate.person, FaceTemplate.id)
    )
    return [RefusedPhoto(person, media_id, reason) for person, media_id, reason in rows if reason is not None]

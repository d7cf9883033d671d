"""Which photos an engine has made nothing of yet, and whose turn it is to embed one."""

import datetime as dt
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from recognition.models import EmbeddingPhoto, EmbeddingRun
from recognition.reembedding.choice import EngineKey
from registry.models import FaceTemplate

TRIES: Final = 2
"""A photo that has taken this many processes with it is not tried again."""

LOST_AFTER: Final = dt.timedelta(seconds=60)
"""Whoever began with a photo and has said nothing for this long has died of it, or beside it."""


def waiting(run: EmbeddingRun) -> Select[str]:
    """One former template of each photo that the run's engine has made nothing of, the oldest first.

    A person's photos without a stored picture count as one: nothing can be made of them.
    """
    ours, twin = aliased(FaceTemplate), aliased(FaceTemplate)
    made = exists().where(_same_photo(ours), by(ours, EngineKey(run.engine, run.engine_version)))
    refused = exists().where(
        EmbeddingPhoto.run == run.id,
        EmbeddingPhoto.reason.is_not(None),
        EmbeddingPhoto.template == twin.id,
        _same_photo(twin),
    )
    first = func.min(FaceTemplate.id)
    return (
        select(first)
        .where(
            FaceTemplate.compound == run.compound,
            ~by(FaceTemplate, EngineKey(run.engine, run.engine_version)),
            ~made,
            ~refused,
        )
        .group_by(FaceTemplate.person, FaceTemplate.media_id)
        .order_by(first)
    )


def by(template: Any, engine: EngineKey) -> ColumnElement[bool]:
    """Whether a template was made by an engine."""
    return and_(template.engine == engine.name, template.engine_version == engine.version)


def begin(session: Session, run: EmbeddingRun, template: str, now: dt.datetime) -> int | None:
    """Takes a photo's turn; which try it is, or None where another process is at it or was."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(EmbeddingPhoto).values(
        run=run.id, template=template, compound=run.compound, tries=1, begun_at=now, reason=None
    )
    return session.scalars(
        insert.on_conflict_do_update(
            index_elements=["run", "template"],
            set_={"tries": EmbeddingPhoto.tries + 1, "begun_at": now},
            where=and_(EmbeddingPhoto.reason.is_(None), EmbeddingPhoto.begun_at <= now - LOST_AFTER),
        ).returning(EmbeddingPhoto.tries)
    ).first()


def end(session: Session, run: EmbeddingRun, template: str, now: dt.datetime, reason: str | None) -> None:
    """Writes down what became of a photo: a template, or nothing and why."""
    mine = and_(EmbeddingPhoto.run == run.id, EmbeddingPhoto.template == template)
    if reason is None:
        session.execute(delete(EmbeddingPhoto).where(mine))
    else:
        session.execute(update(EmbeddingPhoto).where(mine).values(reason=reason))
    counted = EmbeddingRun.done if reason is None else EmbeddingRun.refused
    so_far = EmbeddingRun.done + EmbeddingRun.refused + 1
    session.execute(
        update(EmbeddingRun)
        .where(EmbeddingRun.id == run.id)
        .values(
            {
                counted: counted + 1,
                # A photo that came later, from a process with the former setting, counts too.
                EmbeddingRun.total: case((EmbeddingRun.total < so_far, so_far), else_=EmbeddingRun.total),
                EmbeddingRun.moved_at: now,
            }
        )
        .execution_options(synchronize_session=False)
    )


def give_back(session: Session, run: EmbeddingRun, template: str) -> None:
    """Somebody else may try at once: it was not the photo that failed, or it is gone."""
    session.execute(
        delete(EmbeddingPhoto).where(EmbeddingPhoto.run == run.id, EmbeddingPhoto.template == template)
    )


def _same_photo(other: Any) -> ColumnElement[bool]:
    both_none = and_(other.media_id.is_(None), FaceTemplate.media_id.is_(None))
    return and_(other.person == FaceTemplate.person, or_(other.media_id == FaceTemplate.media_id, both_none))

"""A compound's run to another engine: begun, done, left, and what goes a day later."""

import datetime as dt
from typing import Final

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from recognition.models import EmbeddingPhoto, EmbeddingRun, RunState
from recognition.reembedding import photos
from recognition.reembedding.choice import EngineKey, in_force
from registry.faces import revisions
from registry.models import FaceTemplate
from storage import new_id

GRACE: Final = dt.timedelta(days=1)
"""How long former templates stay after the change: so long the former setting can come back at once."""

_CLEARED_AT_ONCE: Final = 500


def compounds(session: Session, engine: EngineKey) -> list[str]:
    """Compounds with templates of another engine."""
    other = or_(FaceTemplate.engine != engine.name, FaceTemplate.engine_version != engine.version)
    return sorted(session.scalars(select(FaceTemplate.compound).where(other).distinct()))


def of(session: Session, compound: str, engine: EngineKey, now: dt.datetime) -> EmbeddingRun:
    """The run of the configured engine, which is begun, or begun again, where it does not decide yet.

    Runs to other engines are left. May be called by several processes at once.
    """
    deciding = in_force(session, compound, engine) == engine
    state = RunState.DONE if deciding else RunState.RUNNING
    values = {
        "state": state,
        "total": 0,
        "done": 0,
        "refused": 0,
        "started_at": now,
        "moved_at": now,
        "finished_at": now if deciding else None,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(
        dialect.insert(EmbeddingRun)
        .values(id=new_id(), compound=compound, engine=engine.name, engine_version=engine.version, **values)
        .on_conflict_do_nothing()
    )
    run = session.scalars(
        select(EmbeddingRun)
        .where(
            EmbeddingRun.compound == compound,
            EmbeddingRun.engine == engine.name,
            EmbeddingRun.engine_version == engine.version,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if run.state != RunState.RUNNING and not deciding:
        # It was done or left before, and another engine has decided since.
        session.execute(delete(EmbeddingPhoto).where(EmbeddingPhoto.run == run.id))
        for name, value in values.items():
            setattr(run, name, value)
    if run.state == RunState.RUNNING and run.total == 0:
        run.total = session.scalar(select(func.count()).select_from(photos.waiting(run).subquery())) or 0
    session.execute(
        update(EmbeddingRun)
        .where(
            EmbeddingRun.compound == compound,
            EmbeddingRun.id != run.id,
            EmbeddingRun.state == RunState.RUNNING,
        )
        .values(state=RunState.LEFT, moved_at=now)
        .execution_options(synchronize_session=False)
    )
    session.flush()
    return run


def finish(session: Session, run_id: str, now: dt.datetime) -> bool:
    """Changes the compound over where no photo waits any more; whether it did."""
    run = session.get(EmbeddingRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.state != RunState.RUNNING:
        return False
    if session.scalars(photos.waiting(run).limit(1)).first() is not None:
        return False
    run.state, run.moved_at, run.finished_at = RunState.DONE, now, now
    return True


def clear_former(session: Session, run: EmbeddingRun, now: dt.datetime) -> int:
    """Deletes templates of other engines when their grace is over, some at a time; returns how many.

    Who has no template of the new engine keeps the former ones: they carry the photo that terminals
    show and that the office has to take again.
    """
    key = EngineKey(run.engine, run.engine_version)
    if run.state != RunState.DONE or run.finished_at is None or run.finished_at > now - GRACE:
        return 0
    ours = aliased(FaceTemplate)
    going = session.scalars(
        select(FaceTemplate.id)
        .where(
            FaceTemplate.compound == run.compound,
            ~photos.by(FaceTemplate, key),
            exists().where(ours.person == FaceTemplate.person, photos.by(ours, key)),
        )
        .limit(_CLEARED_AT_ONCE)
    ).all()
    if going:
        session.execute(delete(FaceTemplate).where(FaceTemplate.id.in_(going)))
        revisions.tell(session, run.compound, removed=going)
    return len(going)

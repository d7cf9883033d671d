"""Proposals to move a camera's threshold: made from answers once a day, decided by a person.

A threshold that moved by itself could be pushed by whoever answers; one that never moves keeps a
badly hung camera's errors. So the counts propose, with their grounds, and a person answers for it.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from devices.models import Device
from devices.stages import By, note
from recognition.cameras import shift_threshold
from recognition.feedback.adjusting import Move, move
from recognition.feedback.score import WINDOW, Looked, Score, Tally, score, tallies
from recognition.models import CameraView, DecisionRow, ProposalState, ThresholdProposal
from registry import rows
from registry.errors import RefusedError
from registry.models import Zone
from storage import content_id

log = structlog.get_logger(__name__)

Promise = Callable[[str], float]
"""The rate of false names in strangers' passages, 0…1, that a ring's cameras may have."""


@dataclass(frozen=True, slots=True)
class _Camera:
    device: str
    ring: str
    shift: float
    fpir: float | None
    changed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """One camera with the engine that looks through it now: its score, and what to propose, if anything."""

    score: Score
    shift: float
    move: Move | None


def survey(
    session: Session, compound: str, promise: Promise, at: dt.datetime, window: dt.timedelta = WINDOW
) -> list[Found]:
    """What the answers of a compound say now, by camera. Reads much and writes nothing."""
    cameras = _cameras(session, compound)
    whole = tallies(session, compound, at - window, at)
    decided = _decided(session, compound)
    found = []
    for looked in sorted(_engines(session, compound, {looked.device for looked in whole}).values()):
        camera = cameras.get(looked.device)
        if camera is None:
            continue
        since = max(filter(None, (at - window, camera.changed_at, decided.get(looked.device))))
        counts = whole
        if since > at - window:
            # What was answered before somebody decided, or before the camera was looked at in
            # another way, was of another threshold.
            counts = tallies(session, compound, since, at, device=looked.device)
        promised = promise(camera.ring) if camera.fpir is None else camera.fpir
        moved = move(counts.get(looked, Tally()), camera.shift, promised)
        found.append(Found(score(looked, whole.get(looked, Tally())), camera.shift, moved))
    return found


def record(
    session: Session, compound: str, found: Iterable[Found], at: dt.datetime
) -> list[ThresholdProposal]:
    """Makes what a survey of the moment `at` proposes, and sets aside what it proposes no more.

    Returns the new ones. Doing it again changes nothing: a proposal that still holds stays as it
    was made.
    """
    opened = {row.device: row for row in listed(session, compound, ProposalState.OPEN)}
    decided = _decided(session, compound)
    made: list[ThresholdProposal] = []
    for one in found:
        moved, looked = one.move, one.score.looked
        standing = opened.get(looked.device)
        if moved is None or decided.get(looked.device, at) > at:
            continue
        if standing is not None and _says(standing, looked, one.shift, moved):
            del opened[looked.device]
        else:
            made.append(_insert(session, compound, looked, one.shift, moved, at))
    for row in opened.values():
        row.state = ProposalState.OVERTAKEN
    session.flush()
    if made:
        log.info("threshold.proposed", compound=compound, proposals=len(made))
    return made


def open_count(session: Session) -> int:
    """How many wait for a person, in all compounds that the session sees."""
    waiting = select(func.count()).select_from(ThresholdProposal)
    return session.scalar(waiting.where(ThresholdProposal.state == ProposalState.OPEN)) or 0


def listed(
    session: Session, compound: str, state: ProposalState | None = None
) -> Sequence[ThresholdProposal]:
    """Proposals, newest first; of one state where it is named."""
    query = select(ThresholdProposal).where(ThresholdProposal.compound == compound)
    if state is not None:
        query = query.where(ThresholdProposal.state == state)
    return session.scalars(
        query.order_by(ThresholdProposal.made_at.desc(), ThresholdProposal.id.desc())
    ).all()


def decide(
    session: Session, compound: str, proposal_id: str, *, approve: bool, by: By, at: dt.datetime
) -> ThresholdProposal:
    """A person's word on a proposal, audited; approved, the camera's threshold moves in the same commit.

    Raises `MissingError` (`threshold_proposal`), `RefusedError`: `proposal_settled` where somebody
    has decided already or it was overtaken, `proposal_overtaken` where the threshold or the engine
    is no longer what it was made for; and what `cameras.shift_threshold` raises.
    """
    rows.lock(session, ThresholdProposal, compound, [proposal_id], "threshold_proposal")
    row = rows.find(session, ThresholdProposal, compound, proposal_id, "threshold_proposal")
    if row.state != ProposalState.OPEN:
        raise RefusedError("proposal_settled", state=str(row.state))
    device = session.get_one(Device, row.device)
    if approve:
        camera = _cameras(session, compound).get(row.device)
        engine = _engines(session, compound, {row.device}).get(row.device, _looked(row))
        if camera is None or camera.shift != row.shift_now or engine != _looked(row):
            raise RefusedError("proposal_overtaken")
        shift_threshold(session, device, row.shift_proposed, at, by)
    row.state = ProposalState.APPROVED if approve else ProposalState.REFUSED
    row.decided_by, row.decided_at = by.actor, at
    session.flush()
    note(session, at, by, device, "threshold.decided", f"{row.state} {row.id}")
    return row


def _cameras(session: Session, compound: str) -> Mapping[str, _Camera]:
    found = session.execute(
        select(Device.id, Zone.ring, CameraView)
        .join(Zone, Zone.id == Device.zone)
        .outerjoin(CameraView, CameraView.device == Device.id)
        .where(Device.compound == compound, Device.retired_at.is_(None))
    )
    return {
        device: _Camera(
            device,
            str(ring),
            view.threshold_shift if view else 0.0,
            view.fpir if view else None,
            view.changed_at if view else None,
        )
        for device, ring, view in found
    }


def _engines(session: Session, compound: str, devices: set[str]) -> Mapping[str, Looked]:
    """With which engine each camera was looked at last; of a device's own match there is none to move."""
    found: dict[str, Looked] = {}
    for device in devices:
        last = session.execute(
            select(DecisionRow.engine, DecisionRow.engine_version)
            .where(
                DecisionRow.compound == compound,
                DecisionRow.device == device,
                DecisionRow.subject_kind == "face",
                DecisionRow.engine.is_not(None),
                DecisionRow.threshold.is_not(None),
            )
            .order_by(DecisionRow.at.desc())
            .limit(1)
        ).first()
        if last is not None and last.engine is not None:
            found[device] = Looked(device, last.engine, last.engine_version or "")
    return found


def _decided(session: Session, compound: str) -> Mapping[str, dt.datetime]:
    """When somebody last decided on each camera: answers from before are used up, or were refused."""
    found = session.execute(
        select(ThresholdProposal.device, func.max(ThresholdProposal.decided_at))
        .where(ThresholdProposal.compound == compound, ThresholdProposal.decided_at.is_not(None))
        .group_by(ThresholdProposal.device)
    )
    return {device: moment for device, moment in found if moment is not None}


def _looked(row: ThresholdProposal) -> Looked:
    return Looked(row.device, row.engine, row.engine_version)


def _says(row: ThresholdProposal, looked: Looked, shift: float, moved: Move) -> bool:
    """Whether a proposal is what would be proposed again."""
    return _looked(row) == looked and row.shift_now == shift and row.shift_proposed == moved.shift


def _insert(
    session: Session, compound: str, looked: Looked, shift: float, moved: Move, at: dt.datetime
) -> ThresholdProposal:
    # Two keepers that propose at once say the same: the key is what is said, and when.
    key = content_id(
        "threshold_proposal",
        compound,
        *(looked.device, looked.engine, looked.engine_version),
        *(str(shift), str(moved.shift), at.isoformat()),
    )
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(
        dialect.insert(ThresholdProposal)
        .values(
            id=key,
            compound=compound,
            device=looked.device,
            engine=looked.engine,
            engine_version=looked.engine_version,
            shift_now=shift,
            shift_proposed=moved.shift,
            grounds=moved.grounds,
            state=ProposalState.OPEN,
            made_at=at,
        )
        .on_conflict_do_nothing()
    )
    return session.get_one(ThresholdProposal, key)

"""What recognition writes down: every decision, how cameras are looked at, what operators answered."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime


class DecisionRow(OwnedByCompound, Base):
    """One decision on one event. No embedding, no picture, no attribute of a person is kept here.

    The primary key is the sighting's id, a function of the event: a second worker, or the
    same one after a crash, finds the row there and adds nothing.
    """

    __tablename__ = "decisions"

    sighting_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(32), index=True)
    compound: Mapped[str] = mapped_column(String(64))
    subject_kind: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(24))
    person_id: Mapped[str | None] = mapped_column(String(64))
    household_id: Mapped[str | None] = mapped_column(String(64))
    vehicle_id: Mapped[str | None] = mapped_column(String(64))
    plate: Mapped[str | None] = mapped_column(String(16))
    # A distance for faces, a confidence for plates; None when nothing was compared.
    score: Mapped[float | None] = mapped_column(Float)
    threshold: Mapped[float | None] = mapped_column(Float)
    margin: Mapped[float | None] = mapped_column(Float)
    # People or plates it was compared with.
    gallery_size: Mapped[int | None] = mapped_column(Integer)
    engine: Mapped[str | None] = mapped_column(String(32))
    engine_version: Mapped[str | None] = mapped_column(String(64))
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    quality: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    reasons: Mapped[list[str]] = mapped_column(JsonText)
    # What others said: the device's own match, or our reading beside the device's.
    evidence: Mapped[dict[str, Any]] = mapped_column(JsonText)
    milliseconds: Mapped[int] = mapped_column(Integer)
    # Time of the event, which retention goes by, and of the decision.
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    decided_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # How much was known of the event when it was decided; None for events that are told of once.
    revision: Mapped[int | None] = mapped_column(BigInteger)
    device: Mapped[str | None] = mapped_column(String(64))
    # The events of one track share one decision; it is told in the name of this sighting, the
    # first one's. None where it is told in its own.
    leader: Mapped[str | None] = mapped_column(String(32), index=True)
    # Pictures that were fused.
    frames: Mapped[int | None] = mapped_column(Integer)
    # Whom it was compared with: building:…, compound:…, watchlist:…; `gallery_size` is its people.
    gallery: Mapped[str | None] = mapped_column(String(96))
    # All thresholds with the rate of false names that they promise: see `recognition.calibration`.
    thresholds: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    # When it is told with what there is then; None where it was told at once.
    settles_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    told_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # How often it was told again because more pictures came: at most once.
    amendments: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # After this nothing may be opened because of it; None where nothing ever may.
    valid_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_decisions_compound_time", "compound", "at"),
        Index("ix_decisions_person", "person_id", "at"),
        Index("ix_decisions_device_time", "device", "at"),
        # Where somebody was, within a compound and a time: what a search asks.
        Index(
            "ix_decisions_somebody",
            "compound",
            "person_id",
            "at",
            sqlite_where=text("person_id IS NOT NULL"),
            postgresql_where=text("person_id IS NOT NULL"),
        ),
        # Where a plate was read; most decisions are of faces.
        Index(
            "ix_decisions_plate",
            "compound",
            "plate",
            "at",
            sqlite_where=text("plate IS NOT NULL"),
            postgresql_where=text("plate IS NOT NULL"),
        ),
        # Only what waits to be told: a handful of rows, looked for ten times a second.
        Index(
            "ix_decisions_settling",
            "settles_at",
            sqlite_where=text("told_at IS NULL AND settles_at IS NOT NULL"),
            postgresql_where=text("told_at IS NULL AND settles_at IS NOT NULL"),
        ),
    )


class Policy(enum.StrEnum):
    """When our own engines look at what a device that recognises by itself has sent."""

    NEEDED = "needed"  # no match, a low score, or no word on liveness
    ALWAYS = "always"
    NEVER = "never"


class CameraView(OwnedByCompound, Base):
    """How one camera is looked at. A camera without a row is looked at whole, with the settings' values."""

    __tablename__ = "camera_views"

    device: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    # [left, top, right, bottom] in shares 0…1 of the picture.
    region: Mapped[list[float] | None] = mapped_column(JsonText)
    # Shorter side in pixels.
    smallest_face_px: Mapped[int | None] = mapped_column(Integer)
    policy: Mapped[Policy] = mapped_column(String(16), default=Policy.NEEDED, server_default="needed")
    # False names a stranger's passage may have, 0…1; None: the setting of gates or of doors.
    fpir: Mapped[float | None] = mapped_column(Float)
    # Moves the distance that names somebody, decided by a person; negative is stricter.
    threshold_shift: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    # A terminal's own score, 0…1, below which our own engines look as well.
    low_score: Mapped[float | None] = mapped_column(Float)
    # From the picture to when whoever stood there has gone.
    deadline_ms: Mapped[int | None] = mapped_column(Integer)
    changed_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    changed_by: Mapped[str] = mapped_column(String(64))


class Verdict(enum.StrEnum):
    """What an operator sees on the two pictures (L-12)."""

    MATCH = "match"
    NO_MATCH = "no_match"
    CANNOT_TELL = "cannot_tell"


class SightingAnswer(OwnedByCompound, Base):
    """An operator's answer to one decision. Who was meant stands in the decision, and goes with it."""

    __tablename__ = "sighting_answers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sighting_id: Mapped[str] = mapped_column(ForeignKey("decisions.sighting_id", ondelete="CASCADE"))
    compound: Mapped[str] = mapped_column(String(64))
    device: Mapped[str | None] = mapped_column(String(64))
    engine: Mapped[str | None] = mapped_column(String(32))
    engine_version: Mapped[str | None] = mapped_column(String(64))
    # As they were when it was asked: the decision may be amended later.
    outcome: Mapped[str] = mapped_column(String(24))
    score: Mapped[float | None] = mapped_column(Float)
    verdict: Mapped[Verdict] = mapped_column(String(16))
    answered_by: Mapped[str] = mapped_column(String(64))
    answered_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("sighting_id", "answered_by"),
        Index("ix_sighting_answers_device", "compound", "device", "answered_at"),
    )


class FaceExclusion(OwnedByCompound, Base):
    """Two people, or a person and a stranger, whom an operator saw being taken for each other.

    `person` is the one who was named, `other` who it was; None for somebody not registered.
    """

    __tablename__ = "face_exclusions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    other: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    sighting_id: Mapped[str | None] = mapped_column(String(32))
    made_by: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    lifted_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class ProposalState(enum.StrEnum):
    """A threshold is moved by a person, never by itself."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    # Another one was made since, or the engine has changed.
    OVERTAKEN = "overtaken"


class ThresholdProposal(OwnedByCompound, Base):
    """What operators' answers say a camera's threshold should become."""

    __tablename__ = "threshold_proposals"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    device: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    engine: Mapped[str] = mapped_column(String(32))
    engine_version: Mapped[str] = mapped_column(String(64))
    shift_now: Mapped[float] = mapped_column(Float)
    shift_proposed: Mapped[float] = mapped_column(Float)
    # Counts and intervals it rests on; of nobody.
    grounds: Mapped[dict[str, Any]] = mapped_column(JsonText)
    state: Mapped[ProposalState] = mapped_column(String(16))
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class RunState(enum.StrEnum):
    """How far a gallery is on its way to another engine."""

    RUNNING = "running"
    DONE = "done"
    # Another engine was chosen before it was done.
    LEFT = "left"


class EmbeddingRun(OwnedByCompound, Base):
    """A gallery being embedded anew, beside the one that decides until it is done."""

    __tablename__ = "embedding_runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    engine: Mapped[str] = mapped_column(String(32))
    engine_version: Mapped[str] = mapped_column(String(64))
    # Photos: how many there were at the start, are embedded, and gave no template.
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[RunState] = mapped_column(String(16))
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    moved_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("compound", "engine", "engine_version"),)


class EmbeddingPhoto(OwnedByCompound, Base):
    """A photo that a run is at, or that gave no template: the office takes it again.

    It is named by its former template, whose person, consent and photo it has; when that goes,
    because somebody withdrew or was erased, the database takes this along.
    """

    __tablename__ = "embedding_photos"

    run: Mapped[str] = mapped_column(ForeignKey("embedding_runs.id", ondelete="CASCADE"), primary_key=True)
    template: Mapped[str] = mapped_column(
        ForeignKey("face_templates.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    compound: Mapped[str] = mapped_column(String(64))
    # How often somebody began with it, and when last: who began and says nothing more has died of it.
    tries: Mapped[int] = mapped_column(Integer)
    begun_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Why it gave no template; None while somebody is at it.
    reason: Mapped[str | None] = mapped_column(String(32))


class RecognitionTry(Base):
    """An event that was delivered again without a word from whoever had it: it may be what kills.

    Written before the second look, deleted after it; whatever is still here at the third has
    taken two workers with it.
    """

    __tablename__ = "recognition_tries"

    event_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    tries: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[dt.datetime] = mapped_column(UtcTime)

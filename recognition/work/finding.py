"""What one look at an event found, before it becomes a row and a message."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

NO_FACE: Final = "no_face"
NO_PLATE: Final = "no_plate"
NO_USABLE_FACE: Final = "no_usable_face"
NO_USABLE_PICTURE: Final = "no_usable_picture"
ENGINE_CRASHED: Final = "engine_crashed"
"""The reason of a decision on a picture that must not be looked at again, not even beside others."""

UNPROCESSED: Final = "unprocessed"


@dataclass(frozen=True, slots=True)
class Finding:
    """A decision with everything it rests on; the fields are those of ``DecisionRow``."""

    subject_kind: str
    outcome: str
    reasons: tuple[str, ...]
    person_id: str | None = None
    household_id: str | None = None
    vehicle_id: str | None = None
    plate: str | None = None
    score: float | None = None
    threshold: float | None = None
    margin: float | None = None
    gallery_size: int | None = None
    engine: str | None = None
    engine_version: str | None = None
    candidates: tuple[dict[str, Any], ...] = ()
    quality: dict[str, Any] | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    frames: int | None = None
    gallery: str | None = None
    thresholds: dict[str, Any] | None = None

    @property
    def names_somebody(self) -> bool:
        """Whether it is clear enough to be told at once."""
        return self.outcome in {"identified", "household"}

    def columns(self) -> dict[str, Any]:
        columns = asdict(self)
        columns["reasons"], columns["candidates"] = list(self.reasons), list(self.candidates)
        return columns


def unprocessed(kind: str) -> Finding:
    """Of an event whose pictures have waited for so long that nobody is helped by them."""
    return Finding(kind, UNPROCESSED, ("past_ttl",))


def given_up(kind: str, reason: str) -> Finding:
    """Of an event that must not be looked at again: it has taken workers with it."""
    return Finding(kind, NO_USABLE_PICTURE, (reason,))

"""What one look at an event found, before it becomes a row and a message."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

NO_FACE: Final = "no_face"
NO_PLATE: Final = "no_plate"
NO_USABLE_PICTURE: Final = "no_usable_picture"


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

    def columns(self) -> dict[str, Any]:
        columns = asdict(self)
        columns["reasons"], columns["candidates"] = list(self.reasons), list(self.candidates)
        return columns

"""How each camera is looked at: which part of its picture, for how small a face, how strictly.

Whoever stands at the camera knows where faces are and how long people wait; no default does.
Refusals are `registry.errors.RefusedError`: device_retired, view_region_bad,
view_smallest_face_bad, view_policy_unknown, view_fpir_bad, view_low_score_bad,
view_deadline_bad, view_shift_bad. Each change is audited with what was before and after.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from devices.models import Device
from devices.stages import By, not_retired, note
from recognition.framing import EVERYTHING, View
from recognition.models import CameraView, Policy
from registry.errors import RefusedError
from registry.rows import lock

MIN_REGION: Final = 0.05
"""Width and height of a region, share of the picture: less holds no face at any camera's distance."""

SMALLEST_FACE_PX: Final = (20, 2000)
FPIR: Final = (1e-6, 0.1)
"""Below, no calibration holds; above, one stranger in ten is named."""

DEADLINE_MS: Final = (200, 10_000)
MAX_SHIFT: Final = 0.5
"""In the engine's distance, of which 0 is the same picture and about 1 is anybody."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """How one camera is looked at; None leaves a value to the deployment's settings.

    ``fpir`` are false names that a stranger's passage may have, 0…1. ``threshold_shift`` moves the
    distance that names somebody; negative is stricter. ``low_score`` is a terminal's own score,
    0…1, below which our engines look as well. ``deadline`` is from the picture to when whoever
    stood there has gone.
    """

    view: View = EVERYTHING
    policy: Policy = Policy.NEEDED
    fpir: float | None = None
    threshold_shift: float = 0.0
    low_score: float | None = None
    deadline: dt.timedelta | None = None


UNCHANGED: Final = CameraSettings()
"""A camera of which nothing was said."""


def camera_of(session: Session, device_id: str) -> CameraSettings:
    """How a camera is looked at; with the defaults where nobody has said anything."""
    row = session.get(CameraView, device_id)
    if row is None:
        return UNCHANGED
    deadline = row.deadline_ms
    return CameraSettings(
        view=View(_region(row.region), row.smallest_face_px),
        policy=Policy(row.policy),
        fpir=row.fpir,
        threshold_shift=row.threshold_shift,
        low_score=row.low_score,
        deadline=None if deadline is None else dt.timedelta(milliseconds=deadline),
    )


def change(
    session: Session, device: Device, changes: Mapping[str, Any], at: dt.datetime, by: By
) -> CameraSettings:
    """Changes what is named: region, smallest_face_px, policy, fpir, low_score, deadline_ms.

    None brings the deployment's value back. An unknown name is a `KeyError`. Raises `RefusedError`.
    """
    return _write(session, device, {name: _CHECKS[name](value) for name, value in changes.items()}, at, by)


def shift_threshold(
    session: Session, device: Device, shift: float, at: dt.datetime, by: By
) -> CameraSettings:
    """Moves a camera's distance: what a person has approved of a proposal, and nothing else.

    Raises `RefusedError("view_shift_bad")`.
    """
    if not abs(shift) <= MAX_SHIFT:
        raise RefusedError("view_shift_bad", at_most=MAX_SHIFT)
    return _write(session, device, {"threshold_shift": float(shift)}, at, by)


def _write(
    session: Session, device: Device, wanted: Mapping[str, Any], at: dt.datetime, by: By
) -> CameraSettings:
    not_retired(device)
    # Of two who set the first row of a camera at once, the second sees what the first has said.
    lock(session, Device, device.compound, [device.id], "device")
    row = session.get(CameraView, device.id)
    if row is None:
        row = CameraView(
            device=device.id, compound=device.compound, policy=Policy.NEEDED, threshold_shift=0.0
        )
    before = {name: getattr(row, name) for name in wanted}
    really = sorted(name for name, value in wanted.items() if value != before[name])
    if really:
        for name in really:
            setattr(row, name, wanted[name])
        row.changed_at, row.changed_by = at, by.actor
        session.add(row)
        session.flush()
        said = (f"{name}={_word(before[name])}>{_word(wanted[name])}" for name in really)
        note(session, at, by, device, "device.view_changed", " ".join(said))
    return camera_of(session, device.id)


def _region(value: Sequence[float] | None) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    left, top, right, bottom = value
    return float(left), float(top), float(right), float(bottom)


def _checked_region(value: Sequence[float] | None) -> list[float] | None:
    try:
        region = _region(value)
        View(region)
    except (TypeError, ValueError):
        raise RefusedError("view_region_bad", at_least=MIN_REGION) from None
    if region is None:
        return None
    if region[2] - region[0] < MIN_REGION or region[3] - region[1] < MIN_REGION:
        raise RefusedError("view_region_bad", at_least=MIN_REGION)
    return list(region)


def _checked_policy(value: str | None) -> Policy:
    try:
        return Policy.NEEDED if value is None else Policy(value)
    except ValueError:
        raise RefusedError("view_policy_unknown") from None


@dataclass(frozen=True, slots=True)
class _Between:
    """A number in a range, or None."""

    code: str
    low: float
    high: float
    whole: bool = False

    def __call__(self, value: float | None) -> float | None:
        if value is None:
            return None
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise RefusedError(self.code, at_least=self.low, at_most=self.high)
        return int(value) if self.whole else float(value)


_CHECKS: Final[Mapping[str, Any]] = {
    "region": _checked_region,
    "smallest_face_px": _Between("view_smallest_face_bad", *SMALLEST_FACE_PX, whole=True),
    "policy": _checked_policy,
    "fpir": _Between("view_fpir_bad", *FPIR),
    "low_score": _Between("view_low_score_bad", 0.0, 1.0),
    "deadline_ms": _Between("view_deadline_bad", *DEADLINE_MS, whole=True),
}


def _word(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ",".join(f"{one:g}" for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)

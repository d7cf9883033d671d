"""How a device comes to be believed: seen → quarantined → tested → approved.

Pure: what is missing for the next stage, and which step may be taken. Only people move a
device forward. Whatever a device does by itself (comes back after a long silence, or as
other hardware) can move it back and nothing else.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devices.models import DeviceKind, Stage

CAMERAS: Final = frozenset({DeviceKind.FACE_CAMERA, DeviceKind.PLATE_CAMERA, DeviceKind.SCENE_CAMERA})
CLOCK_LIMIT: Final = dt.timedelta(seconds=60)
"""How far a device's clock may be off to be called tested: what is ahead by more is not taken for
live (see `ingest.timing`), and what is behind by more puts events into the wrong order."""


class Reason(enum.StrEnum):
    """Why a device stands where it stands."""

    REGISTERED = "registered"
    TESTED = "tested"
    APPROVED = "approved"
    # Approved without a test, by somebody who says so.
    UNTESTED = "untested"
    BY_HAND = "by_hand"
    # Nothing was heard of it for so long that another one may stand in its place.
    SILENT = "silent"
    # It says now that it is other hardware.
    CHANGED = "changed"
    RESET = "reset"
    RE_ENABLED = "re_enabled"
    # It hangs elsewhere, or another device answers to its name.
    MOVED = "moved"
    RETIRED = "retired"


class Missing(enum.StrEnum):
    """What stands between a device and its next stage."""

    NOT_HEARD = "not_heard"
    CREDENTIAL_UNUSED = "credential_unused"
    CLOCK_OFF = "clock_off"
    NO_PICTURE = "no_picture"
    NOT_WALKED = "not_walked"
    WALK_UNANSWERED = "walk_unanswered"
    # It said the other way, or nothing while the registry says the other way or nothing.
    WALKED_OTHERWISE = "walked_otherwise"
    NOT_TESTED = "not_tested"
    SIGN_PHOTO = "sign_photo"
    PRIVACY_CHECK = "privacy_check"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Card:
    """A device as it is registered. `sees`: it has a camera, whatever its kind."""

    kind: str
    stage: str
    enabled: bool
    sees: bool
    lane: str | None = None
    direction: str | None = None
    # Its credential is its own, and not that of the gateway it hangs on.
    signs_in: bool = True
    sign_photo: bool = False
    privacy_checked: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What a device has shown since it was put into quarantine."""

    heard: bool = False
    signed_in: bool = False
    clock_offset: dt.timedelta | None = None
    picture: bool = False
    walk_asked: str | None = None
    walk_heard: bool = False
    walk_said: str | None = None


def missing(card: Card, shown: Shown, to: Stage) -> tuple[Missing, ...]:
    """What still has to happen before the device can be `to`, most basic first; () when nothing."""
    found: list[Missing] = []
    if not card.enabled:
        found.append(Missing.DISABLED)
    if to is Stage.TESTED:
        found += _untested(card, shown)
    elif to is Stage.APPROVED:
        if card.stage != Stage.TESTED:
            found.append(Missing.NOT_TESTED)
        found += unlawful(card)
    return tuple(found)


def unlawful(card: Card) -> tuple[Missing, ...]:
    """What the law asks of a device that sees, whoever approves it and however (L-17).

    PIPL art. 26 and 公共安全视频图像信息系统管理条例 art. 8, 13: a visible sign, and no view into
    private space.
    """
    if not card.sees:
        return ()
    return tuple(
        what
        for what, done in (
            (Missing.SIGN_PHOTO, card.sign_photo),
            (Missing.PRIVACY_CHECK, card.privacy_checked),
        )
        if not done
    )


def next_stage(stage: str) -> Stage | None:
    """Where a device goes from here; None from the last stage."""
    order: Mapping[str, Stage] = {Stage.QUARANTINED: Stage.TESTED, Stage.TESTED: Stage.APPROVED}
    return order.get(stage)


def direction_shown(card: Card, shown: Shown) -> str | None:
    """Which way the device's answer to the walk reads: what it said, else what the registry says."""
    return (shown.walk_said or card.direction) if shown.walk_heard else None


def _untested(card: Card, shown: Shown) -> list[Missing]:
    if not shown.heard:
        # Nothing else can be known of it yet.
        return [Missing.NOT_HEARD]
    found: list[Missing] = []
    if card.signs_in and not shown.signed_in:
        found.append(Missing.CREDENTIAL_UNUSED)
    if shown.clock_offset is not None and abs(shown.clock_offset) > CLOCK_LIMIT:
        found.append(Missing.CLOCK_OFF)
    if card.kind in CAMERAS and not shown.picture:
        found.append(Missing.NO_PICTURE)
    if card.lane is not None:
        found += _walk(card, shown)
    return found


def _walk(card: Card, shown: Shown) -> list[Missing]:
    if shown.walk_asked is None:
        return [Missing.NOT_WALKED]
    if not shown.walk_heard:
        return [Missing.WALK_UNANSWERED]
    return [] if direction_shown(card, shown) == shown.walk_asked else [Missing.WALKED_OTHERWISE]

"""What is missing for a device's next stage: decisions without a database."""

import datetime as dt
from dataclasses import replace

import pytest

from devices import gb28181
from devices.adapters import ADAPTERS
from devices.models import DeviceKind, Stage
from devices.onboarding import Card, Missing, Shown, missing, next_stage, unlawful
from devices.profiles import profiles

DOOR = Card("door", Stage.QUARANTINED, enabled=True, sees=False)
CAMERA = Card("face_camera", Stage.QUARANTINED, enabled=True, sees=True)
IN_LANE = replace(DOOR, lane="gate-in", direction="in")
WORKING = Shown(heard=True, signed_in=True, clock_offset=dt.timedelta(seconds=2), picture=True)
WALKED = replace(WORKING, walk_asked="in", walk_heard=True, walk_said="in")


def test_device_that_works_is_ready_to_be_called_tested() -> None:
    assert missing(DOOR, WORKING, Stage.TESTED) == ()
    assert missing(CAMERA, WORKING, Stage.TESTED) == ()
    assert missing(IN_LANE, WALKED, Stage.TESTED) == ()


def test_of_a_device_that_was_never_heard_nothing_else_is_asked() -> None:
    assert missing(IN_LANE, Shown(), Stage.TESTED) == (Missing.NOT_HEARD,)


@pytest.mark.parametrize(
    ("card", "shown", "what"),
    [
        (DOOR, replace(WORKING, signed_in=False), Missing.CREDENTIAL_UNUSED),
        (DOOR, replace(WORKING, clock_offset=dt.timedelta(seconds=-61)), Missing.CLOCK_OFF),
        (DOOR, replace(WORKING, clock_offset=dt.timedelta(hours=8)), Missing.CLOCK_OFF),
        (CAMERA, replace(WORKING, picture=False), Missing.NO_PICTURE),
        (IN_LANE, WORKING, Missing.NOT_WALKED),
        (IN_LANE, replace(WALKED, walk_heard=False), Missing.WALK_UNANSWERED),
        (IN_LANE, replace(WALKED, walk_said="out"), Missing.WALKED_OTHERWISE),
        (replace(DOOR, enabled=False), WORKING, Missing.DISABLED),
    ],
)
def test_each_thing_that_is_wrong_is_named(card: Card, shown: Shown, what: Missing) -> None:
    assert missing(card, shown, Stage.TESTED) == (what,)


def test_device_that_says_no_direction_is_taken_at_the_registrys_word() -> None:
    silent = replace(WALKED, walk_said=None)
    assert missing(IN_LANE, silent, Stage.TESTED) == ()
    for otherwise in ("out", None):
        found = missing(replace(IN_LANE, direction=otherwise), silent, Stage.TESTED)
        assert found == (Missing.WALKED_OTHERWISE,)


def test_device_behind_a_gateway_has_no_credential_to_use() -> None:
    behind = replace(DOOR, signs_in=False)
    assert missing(behind, replace(WORKING, signed_in=False), Stage.TESTED) == ()


def test_clock_that_nobody_knows_is_not_called_wrong() -> None:
    assert missing(DOOR, replace(WORKING, clock_offset=None), Stage.TESTED) == ()


def test_camera_is_not_approved_without_its_sign_and_a_look_at_what_it_sees() -> None:
    tested = replace(CAMERA, stage=Stage.TESTED)
    assert missing(tested, WORKING, Stage.APPROVED) == (Missing.SIGN_PHOTO, Missing.PRIVACY_CHECK)
    assert unlawful(tested) == (Missing.SIGN_PHOTO, Missing.PRIVACY_CHECK)
    lawful = replace(tested, sign_photo=True, privacy_checked=True)
    assert missing(lawful, WORKING, Stage.APPROVED) == ()


def test_door_with_a_camera_in_it_is_asked_what_a_camera_is_asked() -> None:
    terminal = replace(DOOR, stage=Stage.TESTED, sees=True)
    assert Missing.SIGN_PHOTO in missing(terminal, WORKING, Stage.APPROVED)
    assert missing(replace(DOOR, stage=Stage.TESTED), WORKING, Stage.APPROVED) == ()


def test_nothing_is_approved_that_was_not_tested() -> None:
    assert missing(DOOR, WORKING, Stage.APPROVED) == (Missing.NOT_TESTED,)
    assert next_stage(Stage.QUARANTINED) is Stage.TESTED
    assert next_stage(Stage.TESTED) is Stage.APPROVED
    assert next_stage(Stage.APPROVED) is None


def test_code_of_a_device_is_taken_apart() -> None:
    code = gb28181.parse("53050201011320000017")
    assert (code.centre, code.industry, code.type, code.network, code.serial) == (
        "53050201", "01", "132", "0", "000017",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("5305020101132000001", "length"),
        ("530502010113200000017", "length"),
        ("5305020101132000001X", "digits"),
        ("\uff15\uff13050201011320000017", "digits"),
        ("99050201011320000017", "province"),
        ("53050201601320000017", "industry"),
        ("53050201019990000017", "type"),
    ],
)
def test_code_that_is_none_is_refused_with_the_part_that_is_wrong(code: str, reason: str) -> None:
    with pytest.raises(gb28181.CodeError) as error:
        gb28181.parse(code)
    assert error.value.reason == reason


def test_profiles_name_adapters_and_kinds_that_exist() -> None:
    known = profiles()
    assert known["face-terminal"].kind is DeviceKind.DOOR
    assert known["face-terminal"].sees
    assert known["plate-camera"].heartbeat_s == ADAPTERS["zhenshi"].heartbeat_s
    assert all(profile.title and profile.heartbeat_s >= 5 for profile in known.values())

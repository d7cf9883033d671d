import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from devices.models import Device
from devices.stages import By
from recognition.cameras import MAX_SHIFT, MIN_REGION, CameraSettings, camera_of, change, shift_threshold
from recognition.framing import View
from recognition.models import CameraView, Policy
from registry.errors import RefusedError
from storage.audit import AuditRow
from tests.support.compound import settle_in

AT = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
WANG = By("u-wang", "administrator")


@pytest.fixture
def compound(database):
    settle_in(database)
    return database


@pytest.fixture
def changed(compound):
    """Changes `cam-1`, and reads it in another transaction."""

    def ask(at=AT, by=WANG, **changes):
        with compound.write() as session:
            change(session, session.get_one(Device, "cam-1"), changes, at, by)
        with compound.read() as session:
            return camera_of(session, "cam-1")

    return ask


def noted(database) -> list[tuple[str, str, str, str]]:
    with database.read() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq)).all()
        return [(row.actor, row.action, row.subject, row.detail) for row in rows]


def test_a_camera_of_which_nothing_was_said_is_looked_at_whole(compound):
    with compound.read() as session:
        assert camera_of(session, "cam-1") == CameraSettings()
        assert camera_of(session, "no-such-camera") == CameraSettings()
    assert CameraSettings().view == View(None, None)
    assert CameraSettings().policy is Policy.NEEDED


def test_what_was_said_is_what_the_worker_reads(changed):
    now = changed(
        region=[0.1, 0.2, 0.9, 1],
        smallest_face_px=90,
        policy="always",
        fpir=1e-4,
        low_score=0.6,
        deadline_ms=1500,
    )
    assert now == CameraSettings(
        view=View((0.1, 0.2, 0.9, 1.0), 90),
        policy=Policy.ALWAYS,
        fpir=1e-4,
        low_score=0.6,
        deadline=dt.timedelta(milliseconds=1500),
    )


def test_what_is_not_named_stays_and_none_brings_the_settings_back(changed):
    changed(smallest_face_px=90, fpir=1e-4)
    assert changed(fpir=None) == CameraSettings(view=View(None, 90))
    assert changed(smallest_face_px=None, policy=None) == CameraSettings()


def test_who_changed_what_is_in_the_audit_log(compound, changed):
    changed(smallest_face_px=90, region=[0, 0, 1, 0.5])
    changed(by=By("cli", "administrator"), smallest_face_px=120, policy="never")
    assert noted(compound) == [
        ("u-wang", "device.view_changed", "device:cam-1", "region=->0,0,1,0.5 smallest_face_px=->90"),
        ("cli", "device.view_changed", "device:cam-1", "policy=needed>never smallest_face_px=90>120"),
    ]
    with compound.read() as session:
        row = session.get_one(CameraView, "cam-1")
        assert (row.changed_at, row.changed_by, row.compound) == (AT, "cli", "honghua")


def test_saying_the_same_again_is_no_change(compound, changed):
    changed(fpir=1e-4)
    changed(at=AT + dt.timedelta(days=1), fpir=1e-4)
    assert len(noted(compound)) == 1
    with compound.read() as session:
        assert session.get_one(CameraView, "cam-1").changed_at == AT


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"region": [0.5, 0, 0.5, 1]}, "view_region_bad"),
        ({"region": [0.9, 0, 0.1, 1]}, "view_region_bad"),
        ({"region": [0, 0, 1.2, 1]}, "view_region_bad"),
        ({"region": [0, 0, 1]}, "view_region_bad"),
        ({"region": [0, 0, "x", 1]}, "view_region_bad"),
        ({"region": [0, float("nan"), 1, 1]}, "view_region_bad"),
        ({"region": [0, 0, MIN_REGION * 0.9, 1]}, "view_region_bad"),
        ({"region": [0, 0, 1, MIN_REGION * 0.9]}, "view_region_bad"),
        ({"smallest_face_px": 19}, "view_smallest_face_bad"),
        ({"smallest_face_px": 2001}, "view_smallest_face_bad"),
        ({"policy": "sometimes"}, "view_policy_unknown"),
        ({"fpir": 0.0}, "view_fpir_bad"),
        ({"fpir": 0.2}, "view_fpir_bad"),
        ({"fpir": float("nan")}, "view_fpir_bad"),
        ({"low_score": -0.1}, "view_low_score_bad"),
        ({"low_score": 1.1}, "view_low_score_bad"),
        ({"deadline_ms": 100}, "view_deadline_bad"),
        ({"deadline_ms": 60_000}, "view_deadline_bad"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(compound, changed, changes, code):
    changed(fpir=1e-3)
    with pytest.raises(RefusedError) as refused:
        changed(low_score=0.5, **changes) if "low_score" not in changes else changed(**changes)
    assert refused.value.code == code
    with compound.read() as session:
        assert camera_of(session, "cam-1") == CameraSettings(fpir=1e-3)
    assert len(noted(compound)) == 1


def test_a_threshold_is_moved_by_no_form(changed):
    with pytest.raises(KeyError):
        changed(threshold_shift=0.1)


def test_an_approved_shift_keeps_the_rest(compound, changed):
    changed(smallest_face_px=90)
    with compound.write() as session:
        shift_threshold(session, session.get_one(Device, "cam-1"), -0.03, AT, WANG)
    assert changed(policy="always") == CameraSettings(
        view=View(None, 90), policy=Policy.ALWAYS, threshold_shift=-0.03
    )
    assert noted(compound)[1][3] == "threshold_shift=0>-0.03"


@pytest.mark.parametrize("shift", [MAX_SHIFT * 1.01, -MAX_SHIFT * 1.01, float("nan")])
def test_a_shift_beyond_all_measure_is_refused(compound, shift):
    with compound.write() as session, pytest.raises(RefusedError, match="view_shift_bad"):
        shift_threshold(session, session.get_one(Device, "cam-1"), shift, AT, WANG)


def test_a_retired_camera_is_left_alone(compound, changed):
    with compound.write() as session:
        session.get_one(Device, "cam-1").retired_at = AT
    with pytest.raises(RefusedError, match="device_retired"):
        changed(fpir=1e-4)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.floats(-0.5, 1.5) | st.just(float("nan")), min_size=4, max_size=4),
    st.integers(-10, 3000),
    st.floats(),
)
def test_what_is_accepted_can_always_be_read(compound, changed, region, smallest, fpir):
    try:
        now = changed(region=region, smallest_face_px=smallest, fpir=fpir)
    except RefusedError:
        return
    assert now.view == View(tuple(region), smallest)
    assert now.fpir == fpir

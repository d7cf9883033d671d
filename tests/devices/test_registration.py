"""Devices in the registry, from their first word to their retirement, on both databases."""

import datetime as dt
from collections.abc import Iterator

import bcrypt
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from devices import candidates, credentials, observations, registration, stages, standing
from devices.adapters import ADAPTERS
from devices.directory import facts_of
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from devices.observations import DeviceObservation, Heard
from devices.onboarding import Reason
from devices.registration import Facts
from devices.rights import intersect, knows_only_shared_topics, overlapping, proves, rights_of
from devices.stages import By
from registry.errors import RefusedError
from storage import Database
from storage.audit import AuditRow
from storage.events import EventRow
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, settle_in

ADMIN = By("u-admin", "administrator")
PHOTO = "ab" * 32


@pytest.fixture
def session(either_database: Database) -> Iterator[Session]:
    settle_in(either_database)
    with either_database.write() as session:
        yield session


def add(session: Session, device_id: str = "new-1", **facts: object) -> Device:
    given = {"zone": "gate", "kind": DeviceKind.DOOR} | facts
    device, _ = registration.register(session, COMPOUND, device_id, Facts(**given), NOON, ADMIN)
    return device


def refused(session: Session, device_id: str = "new-1", **facts: object) -> str:
    with pytest.raises(RefusedError) as error, session.begin_nested():
        add(session, device_id, **facts)
    return error.value.code


def works(session: Session, device: Device, **more: object) -> None:
    said = {"sign_of_life": True, "proved": True, "clock_offset": dt.timedelta(0)} | more
    observations.observed(session, [Heard(device.id, NOON, **said)])


def signs_in(session: Session, user: str, secret: str, at: dt.datetime) -> str | None:
    """The device that a broker lets in under these, as far as its users' list goes."""
    for one in credentials.logins(session, at):
        if one.user == user and bcrypt.checkpw(secret.encode(), one.bcrypt_hash.encode()):
            return one.device_id
    return None


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))


def test_device_goes_from_its_first_word_to_approval_by_peoples_hands_alone(session: Session) -> None:
    candidates.note(session, "facesluice", None, "1305433", NOON, {"ip": "10.0.0.7"})
    device = add(session, profile="face-terminal", kind=None, external_id="1305433", lane="l", direction="in")
    assert (device.kind, device.adapter, device.heartbeat_s, device.vendor) == (
        "door", "facesluice", 30, "facesluice",
    )  # fmt: skip
    assert session.scalars(select(candidates.DeviceCandidate)).all() == []
    assert (device.stage, device.stage_reason) == (Stage.QUARANTINED, Reason.REGISTERED)
    with pytest.raises(RefusedError) as early:
        stages.advance(session, device, Stage.TESTED, NOON, ADMIN)
    assert early.value.facts["missing"] == ["not_heard"]
    works(session, device)
    stages.walk(session, device, "in", NOON, ADMIN)
    event = Heard(
        device.id, NOON + dt.timedelta(seconds=5), directions=(("access.granted", None),), picture=True
    )
    observations.observed(session, [event])
    stages.advance(session, device, Stage.TESTED, NOON, ADMIN)
    with pytest.raises(RefusedError) as unlawful:
        stages.advance(session, device, Stage.APPROVED, NOON, ADMIN)
    assert unlawful.value.facts["missing"] == ["sign_photo", "privacy_check"]
    stages.sign_seen(session, device, PHOTO, NOON, ADMIN)
    stages.privacy_seen(session, device, NOON, ADMIN)
    stages.advance(session, device, Stage.APPROVED, NOON, ADMIN)
    assert (device.stage, device.approved_by, stages.lacking(session, device)) == ("approved", "u-admin", ())
    assert actions(session) == [
        "device.registered", "device.walk_begun", "device.tested", "device.sign_checked",
        "device.privacy_checked", "device.approved",
    ]  # fmt: skip


def test_camera_is_not_approved_untested_either_without_its_sign(session: Session) -> None:
    camera = add(session, kind=DeviceKind.FACE_CAMERA)
    with pytest.raises(RefusedError) as error:
        stages.approve_untested(session, camera, NOON, ADMIN)
    assert error.value.facts["missing"] == ["sign_photo", "privacy_check"]
    door = add(session, "new-2")
    stages.approve_untested(session, door, NOON, ADMIN)
    assert (door.stage, door.stage_reason) == (Stage.APPROVED, Reason.UNTESTED)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"zone": "nowhere"}, "zone_unknown"),
        ({"kind": None}, "kind_missing"),
        ({"adapter": "nobodys"}, "adapter_unknown"),
        ({"profile": "nobodys"}, "profile_unknown"),
        ({"gateway": "cam-1"}, "gateway_not_one"),
        ({"gateway": "nobody"}, "gateway_unknown"),
        ({"adapter": "facesluice", "external_id": "a/b"}, "external_id_bad"),
        ({"adapter": "facesluice", "external_id": "+"}, "external_id_bad"),
        ({"gb28181_code": "53050201019990000017"}, "gb28181_bad"),
    ],
)
def test_registration_that_does_not_hold_is_refused(session: Session, facts: dict, code: str) -> None:
    assert refused(session, **facts) == code


def test_names_that_are_taken_are_refused(session: Session) -> None:
    add(session, adapter="facesluice", external_id="1305433", gb28181_code="53050201011320000017")
    assert refused(session, "new-1") == "device_exists"
    assert refused(session, "cam.2") == "device_id_bad"
    assert refused(session, "new-2", adapter="facesluice", external_id="1305433") == "external_id_taken"
    assert refused(session, "new-2", gb28181_code="53050201011320000017") == "gb28181_taken"


def test_two_devices_that_could_write_each_others_topics_are_not_both_registered(session: Session) -> None:
    add(session, kind=DeviceKind.GATEWAY, adapter="frigate", external_id="frigate")
    # A plug publishes on `{its name}/events/rpc`.
    assert refused(session, "plug-1", adapter="shelly", external_id="frigate") == "topics_overlap"
    add(session, "plug-1", adapter="shelly", external_id="shellyplug-1")
    # A second gateway of the kind has a root of its own.
    second = facts_of(session, add(session, "nvr-2", kind=DeviceKind.GATEWAY, adapter="frigate").id)
    assert second is not None
    assert set(rights_of(second).publish) == {"rw/gw/nvr-2/#"}


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "b/#", False),
        ("+/x", "a/#", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b/c", False),
        ("#", "a/b", True),
    ],
)
def test_filters_meet_where_some_topic_matches_both(one: str, two: str, meet: bool) -> None:
    assert intersect(one, two) is meet
    assert intersect(two, one) is meet


def test_device_behind_a_gateway_has_no_secret_of_its_own(session: Session) -> None:
    hub = add(session, "hub-1", kind=DeviceKind.GATEWAY, adapter="hc_iot")
    door, secret = registration.register(
        session, COMPOUND, "door-9",
        Facts(zone="gate", kind=DeviceKind.DOOR, adapter="hc_iot", external_id="north door/1", gateway=hub.id),
        NOON, ADMIN,
    )  # fmt: skip
    assert (secret, door.secret_hash) == (None, "")
    with pytest.raises(RefusedError, match="behind_gateway"):
        registration.renew_secret(session, door, dt.timedelta(0), NOON, ADMIN)
    with pytest.raises(RefusedError, match="devices_behind"):
        registration.retire(session, hub, NOON, ADMIN)
    works(session, door, proved=False)
    stages.advance(session, door, Stage.TESTED, NOON, ADMIN)


def test_old_secret_works_on_for_as_long_as_it_was_said(session: Session) -> None:
    device, first = registration.register(
        session, COMPOUND, "new-1", Facts(zone="gate", kind=DeviceKind.DOOR), NOON, ADMIN
    )
    assert first is not None
    second = registration.renew_secret(session, device, dt.timedelta(minutes=30), NOON, ADMIN)
    session.flush()
    # No broker knows two passwords of one user.
    assert (first.user, second.user) == ("new-1", "new-1.2")
    later = NOON + dt.timedelta(minutes=30)
    for user, secret, now, after in (
        (first.user, first.secret, "new-1", None),
        (second.user, second.secret, "new-1", "new-1"),
        (second.user, first.secret, None, None),
        ("new-1.3", second.secret, None, None),
        ("nobody", second.secret, None, None),
    ):
        assert signs_in(session, user, secret, NOON) == now
        assert signs_in(session, user, secret, later) == after
    mine = [one.user for one in credentials.logins(session, NOON) if one.device_id == "new-1"]
    assert mine == ["new-1.2", "new-1"]
    assert [one.user for one in credentials.logins(session, later) if one.device_id == "new-1"] == ["new-1.2"]


def test_secret_that_is_replaced_at_once_keeps_its_user_name(session: Session) -> None:
    device, first = registration.register(
        session, COMPOUND, "new-1", Facts(zone="gate", kind=DeviceKind.DOOR), NOON, ADMIN
    )
    assert first is not None
    second = registration.renew_secret(session, device, dt.timedelta(0), NOON, ADMIN)
    assert second.user == first.user
    assert signs_in(session, first.user, first.secret, NOON) is None
    assert signs_in(session, second.user, second.secret, NOON) == "new-1"


def test_disabled_device_signs_in_nowhere_and_is_looked_at_before_it_is_believed_again(
    session: Session,
) -> None:
    device = add(session)
    stages.approve_untested(session, device, NOON, ADMIN)
    registration.edit(session, device, {"enabled": False}, NOON, ADMIN)
    assert "new-1" not in {one.device_id for one in credentials.logins(session, NOON)}
    registration.edit(session, device, {"enabled": True}, NOON, ADMIN)
    assert (device.stage, device.stage_reason) == (Stage.QUARANTINED, Reason.RE_ENABLED)


def test_camera_that_hangs_elsewhere_has_its_sign_and_its_view_checked_again(session: Session) -> None:
    camera = add(session, kind=DeviceKind.SCENE_CAMERA)
    stages.sign_seen(session, camera, PHOTO, NOON, ADMIN)
    stages.privacy_seen(session, camera, NOON, ADMIN)
    stages.approve_untested(session, camera, NOON, ADMIN)
    registration.edit(session, camera, {"name": "another word"}, NOON, ADMIN)
    assert camera.stage == Stage.APPROVED
    registration.edit(session, camera, {"zone": "b1"}, NOON, ADMIN)
    assert (camera.stage, camera.stage_reason) == (Stage.QUARANTINED, Reason.MOVED)
    assert (camera.sign_photo, camera.privacy_checked_at) == (None, None)


def test_retired_device_leaves_its_name_and_takes_its_secret_with_it(session: Session) -> None:
    device = add(session, adapter="facesluice", external_id="1305433")
    registration.retire(session, device, NOON, ADMIN)
    session.flush()
    assert (device.enabled, device.secret_hash, device.external_id) == (False, "", None)
    again = add(session, "new-2", adapter="facesluice", external_id="1305433")
    assert again.stage == Stage.QUARANTINED
    for step in (
        lambda: stages.advance(session, device, Stage.TESTED, NOON, ADMIN),
        lambda: registration.edit(session, device, {"enabled": True}, NOON, ADMIN),
        lambda: registration.renew_secret(session, device, dt.timedelta(0), NOON, ADMIN),
    ):
        with pytest.raises(RefusedError, match="device_retired"):
            step()


def approved(session: Session, offline_since: dt.datetime, **facts: object) -> Device:
    device = add(session, **facts)
    stages.approve_untested(session, device, offline_since, ADMIN)
    session.flush()
    session.add(DeviceStatus(device_id=device.id, online=False, since=offline_since))
    session.flush()
    return device


def test_device_that_was_silent_for_long_is_not_believed_when_it_comes_back(session: Session) -> None:
    days = dt.timedelta(days=30)
    long_ago = approved(session, NOON - days - dt.timedelta(seconds=1))
    smoke = approved(session, NOON - 3 * days, device_id="smoke-1", kind=DeviceKind.SENSOR)
    lately = approved(session, NOON - days, device_id="door-9")
    assert standing.sweep_silent(session, NOON, days) == ["new-1"]
    assert (long_ago.stage, long_ago.stage_reason) == (Stage.QUARANTINED, Reason.SILENT)
    assert {smoke.stage, lately.stage} == {Stage.APPROVED}
    (told,) = session.scalars(select(EventRow).where(EventRow.type == "device.fault"))
    assert told.body["attributes"] == {"cause": "quarantined", "reason": "silent"}
    assert session.scalars(select(AuditRow.actor).where(AuditRow.action == "device.quarantined")).all() == [
        "system"
    ]
    assert standing.sweep_silent(session, NOON, days) == []


def test_other_hardware_under_the_same_name_is_not_believed(session: Session) -> None:
    device = approved(session, NOON, device_id="door-9")
    facts = facts_of(session, device.id)
    assert facts is not None
    pinned = standing.PINNED
    assert standing.compare(session, facts, {"mac": "a", "ip": "10.0.0.7"}, NOON, pinned) == ()
    # A new address is nothing by itself.
    assert standing.compare(session, facts, {"mac": "a", "ip": "10.0.0.8"}, NOON, pinned) == ()
    assert device.stage == Stage.APPROVED
    assert standing.compare(session, facts, {"mac": "b"}, NOON, pinned) == ("mac",)
    session.refresh(device)
    assert (device.stage, device.stage_reason) == (Stage.QUARANTINED, Reason.CHANGED)
    row = session.get_one(DeviceObservation, device.id)
    assert row.facts == {"mac": "b", "ip": "10.0.0.8"}


def test_what_a_device_showed_before_it_was_put_back_counts_no_more(session: Session) -> None:
    device = add(session)
    works(session, device)
    stages.advance(session, device, Stage.TESTED, NOON, ADMIN)
    stages.step_back(session, device, Reason.BY_HAND, NOON, ADMIN)
    session.flush()
    with pytest.raises(RefusedError) as error:
        stages.advance(session, device, Stage.TESTED, NOON, ADMIN)
    assert error.value.facts["missing"] == ["not_heard"]


def test_direction_test_is_answered_by_the_next_event_and_by_no_old_one(session: Session) -> None:
    device = add(session, lane="l", direction="in")
    walk = ("access.granted", "in")
    stages.walk(session, device, "in", NOON, ADMIN)
    observations.observed(session, [Heard(device.id, NOON, live=False, directions=(walk,))])
    row = session.get_one(DeviceObservation, device.id)
    assert (row.walk_heard_at, row.types) == (None, {"access.granted": 1})
    late = NOON + observations.WALK_WITHIN + dt.timedelta(seconds=1)
    observations.observed(session, [Heard(device.id, late, directions=(walk,))])
    assert row.walk_heard_at is None
    stages.walk(session, device, "in", late, ADMIN)
    observations.observed(
        session,
        [
            Heard(device.id, late, directions=(("access.granted", "out"),)),
            Heard(device.id, late, directions=(walk,)),
        ],
    )
    assert (row.walk_said, row.types) == ("out", {"access.granted": 4})


def test_heartbeats_show_their_interval(session: Session) -> None:
    device = add(session)
    for second in (0, 30, 61):
        works(session, device) if second == 0 else observations.observed(
            session, [Heard(device.id, NOON + dt.timedelta(seconds=second), sign_of_life=True)]
        )
    assert session.get_one(DeviceObservation, device.id).heartbeat_s == 31.0


def test_shared_topics_are_open_to_those_who_are_configured_so(session: Session) -> None:
    own = facts_of(session, add(session, adapter="facesluice", external_id="1").id)
    assert own is not None
    assert "mqtt/face/basic" not in rights_of(own).publish
    shared = facts_of(
        session, add(session, "new-2", adapter="facesluice", external_id="2", shared_topics=True).id
    )
    assert shared is not None
    assert {"mqtt/face/basic", "mqtt/face/2/Rec"} <= set(rights_of(shared).publish)
    # There the broker proves nothing.
    assert not proves(shared, "mqtt/face/basic")
    assert proves(shared, "mqtt/face/2/Rec")
    assert not proves(shared, "mqtt/face/1/Rec")
    assert overlapping(shared, [own]) is None
    # A vendor without topics of each device's own is granted them at once.
    assert knows_only_shared_topics(ADAPTERS["luozhi"])
    assert add(session, "new-3", adapter="luozhi", external_id="3").shared_topics

"""The photo of what came of a task, over the API: whose, until when, once, and nothing of the phone in it."""

import datetime as dt

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from alerts.dispatch.models import Dispatch
from console.accounts.models import Role
from storage.audit import AuditRow

TOO_LARGE = b"\xff\xd8\xff" + bytes(8 * 1024 * 1024)


def picture(shade=90):
    written, data = cv2.imencode(".jpg", np.full((30, 40, 3), shade, np.uint8))
    assert written
    # A note of the phone in an APP1 segment, as cameras write it, and more behind the end.
    exif = b"Exif\x00\x00MM\x00*GPS 25.04N 102.71E"
    body = data.tobytes()
    return body[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + body[2:] + b"GPS"


@pytest.fixture
def stored(media, world):
    """Which pictures have been stored since the world was made."""
    before = set(media.list())
    return lambda: set(media.list()) - before


@pytest.fixture
def send(volunteer, world):
    async def put(content=None, dispatch=None, key=None, **times):
        return await volunteer.put(
            f"/api/v1/dispatches/{dispatch or world.own}/photo",
            files={"file": content or picture()},
            data={name: at.isoformat() for name, at in times.items()},
            headers={"Idempotency-Key": key} if key else {},
        )

    return put


@pytest.fixture
def reply(volunteer, world):
    async def post(*replies, **times):
        for one in replies:
            answer = await volunteer.post(
                f"/api/v1/dispatches/{world.own}/{one}",
                json={name: at.isoformat() for name, at in times.items()},
            )
            assert answer.status_code == 200

    return post


@pytest.fixture
def kept(database, world):
    def media_id():
        with database.read() as session:
            return session.get_one(Dispatch, world.own).media_id

    return media_id


def looks(database):
    with database.read() as session:
        rows = session.execute(select(AuditRow.action, AuditRow.subject).order_by(AuditRow.seq))
        return [tuple(row) for row in rows if row.action == "dispatch.photo"]


async def test_photo_is_kept_without_what_the_phone_wrote_into_it(
    send, reply, kept, operator, world, media, database
):
    await reply("accept", "arrive")
    answer = await send()
    assert answer.status_code == 200
    # A volunteer looks at no pictures, nor do they learn what theirs is called.
    assert answer.json()["media_id"] is None
    stored = media.get(kept())
    assert stored.startswith(b"\xff\xd8\xff")
    assert b"Exif" not in stored
    assert b"GPS" not in stored
    assert looks(database) == [("dispatch.photo", world.sent)]
    [shown] = [
        row
        for row in (await operator.get(f"/api/v1/incidents/{world.sent}")).json()["dispatches"]
        if row["id"] == world.own
    ]
    assert shown["media_id"] == kept()
    look = await operator.get(f"/api/v1/media/{kept()}?purpose=incident_handling")
    assert (look.status_code, look.content) == (200, stored)


async def test_nobody_adds_a_photo_to_the_task_of_another(send, operator, world, database):
    assert (await send(dispatch=world.other)).json()["code"] == "dispatch_not_found"
    # Who may answer for another on the radio has taken no photo there either.
    answer = await operator.put(f"/api/v1/dispatches/{world.own}/photo", files={"file": picture()})
    assert answer.status_code == 404
    with database.read() as session:
        assert session.scalars(select(Dispatch.media_id)).all() == [None, None]


async def test_whoever_has_not_taken_it_on_has_no_photo(send, reply, kept):
    assert (await send()).json()["code"] == "not_under_way"
    await reply("decline")
    assert (await send()).status_code == 409
    assert kept() is None


@pytest.mark.parametrize(("minutes", "status"), [(10, 200), (11, 409)])
async def test_photo_comes_within_ten_minutes_of_the_end(send, reply, kept, clock, minutes, status):
    await reply("accept", "arrive", "resolve")
    clock.advance(minutes=minutes)
    answer = await send()
    assert answer.status_code == status
    assert answer.json().get("code") == (None if status == 200 else "photo_late")
    assert (kept() is not None) == (status == 200)


async def test_photo_that_waited_for_a_network_counts_from_its_press(send, reply, kept, clock):
    await reply("accept", "arrive")
    pressed = clock.now()
    clock.advance(hours=2)
    await reply("resolve", pressed_at=pressed, sent_at=clock.now())
    late = await send()
    assert late.json()["code"] == "photo_late"
    answer = await send(pressed_at=pressed + dt.timedelta(minutes=1), sent_at=clock.now())
    assert answer.status_code == 200
    assert kept() is not None


@pytest.mark.parametrize("content", [b"<script>", b"\xff\xd8\xff broken", TOO_LARGE])
async def test_what_is_no_picture_or_too_large_is_not_kept(send, reply, kept, stored, content):
    await reply("accept")
    answer = await send(content)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_picture")
    assert kept() is None
    assert stored() == set()


async def test_form_without_a_file_and_a_time_without_a_zone_are_refused(volunteer, world, reply):
    await reply("accept")
    path = f"/api/v1/dispatches/{world.own}/photo"
    nothing = await volunteer.put(path, files={"other": picture()})
    assert nothing.json()["code"] == "file_missing"
    zoneless = await volunteer.put(path, files={"file": picture()}, data={"pressed_at": "2026-11-23T07:00"})
    assert (zoneless.status_code, zoneless.json()["code"]) == (422, "invalid_request")


async def test_same_key_is_answered_alike_however_late_and_noted_once(send, reply, kept, clock, database):
    await reply("accept", "arrive", "resolve")
    first = await send(key="k")
    clock.advance(hours=1)
    again = await send(key="k")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(looks(database)) == 1
    other = await send(picture(200), key="k")
    assert other.json()["code"] == "idempotency_key_reused"


async def test_one_photo_is_all(send, reply, kept, stored):
    await reply("accept")
    await send()
    before = kept()
    assert (await send()).status_code == 200
    assert (await send(picture(200))).json()["code"] == "photo_given"
    assert kept() == before
    assert stored() == {before}


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.AUDITOR])
async def test_who_has_no_tasks_is_refused_before_the_file_is_read(signed_in, world, role):
    answer = await signed_in(role).put(f"/api/v1/dispatches/{world.own}/photo", files={"file": b"x"})
    assert answer.status_code == 403

"""The form on a device's page that says how it is looked at."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page
from sqlalchemy import select

from console.context import Rooms
from devices.models import Device, DeviceKind
from recognition.cameras import CameraSettings, camera_of
from recognition.framing import View
from recognition.models import Policy

Visit = Callable[..., TestClient]


@pytest.fixture
def camera(seeded: Rooms) -> str:
    with seeded.database.read() as session:
        query = select(Device.id).where(
            Device.compound == seeded.compound, Device.kind == DeviceKind.FACE_CAMERA
        )
        return session.scalars(query.order_by(Device.id)).first()


def looked_at(rooms: Rooms, camera: str) -> CameraSettings:
    with rooms.database.read() as session:
        return camera_of(session, camera)


@pytest.mark.parametrize(("language", "title"), [("en", "How it is looked at"), ("zh-CN", "画面设置")])
def test_an_administrator_fills_the_form_in_percent(
    visit: Visit, seeded: Rooms, camera: str, language: str, title: str
) -> None:
    client = visit("admin", language)
    page = f"/console/devices/{camera}"
    assert title in client.get(page).text
    form = {"left": "10", "top": "", "right": "90", "bottom": "", "smallest_face_px": "90", "policy": "always",
            "fpir_percent": "0.01", "low_score": "0.6", "deadline_ms": ""}  # fmt: skip
    assert client.post(f"{page}/view", data=form).status_code == 303
    assert looked_at(seeded, camera) == CameraSettings(
        view=View((0.1, 0.0, 0.9, 1.0), 90), policy=Policy.ALWAYS, fpir=1e-4, low_score=0.6
    )
    shown = client.get(page).text
    for name, value in (
        ("left", "10"),
        ("right", "90"),
        ("smallest_face_px", "90"),
        ("fpir_percent", "0.01"),
    ):
        assert f'name="{name}"' in shown
        assert f'value="{value}"' in shown
    # The form as it stands changes nothing, and an empty one brings the settings back.
    assert client.post(f"{page}/view", data=form).status_code == 303
    assert client.post(f"{page}/view", data={}).status_code == 303
    assert looked_at(seeded, camera) == CameraSettings()


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"left": "90", "right": "10"}, 409, "lies inside it"),
        ({"fpir_percent": "50"}, 409, "between 0.0001 % and 10 %"),
        ({"smallest_face_px": "many"}, 422, "cannot hold"),
        ({"policy": "sometimes"}, 422, "cannot hold"),
        ({"left": "nan"}, 422, "cannot hold"),
    ],
)
def test_what_cannot_be_is_said_on_the_page(
    visit: Visit, seeded: Rooms, camera: str, form: dict[str, str], status: int, words: str
) -> None:
    answer = visit("admin", "en").post(f"/console/devices/{camera}/view", data=form)
    assert answer.status_code == status
    assert words in answer.text
    assert looked_at(seeded, camera) == CameraSettings()


def test_an_operator_reads_it_and_changes_nothing(visit: Visit, seeded: Rooms, camera: str) -> None:
    visit("admin").post(f"/console/devices/{camera}/view", data={"policy": "never"})
    client = visit("operator", "en")
    page = client.get(f"/console/devices/{camera}")
    assert "How it is looked at" in page.text
    assert f"/console/devices/{camera}/view" not in page.text
    assert client.post(f"/console/devices/{camera}/view", data={}).status_code == 403
    assert looked_at(seeded, camera).policy is Policy.NEVER


@pytest.mark.parametrize("width", [1366, 390])
def test_the_form_fits_a_screen_and_a_phone_and_saves(
    browse: Callable[..., Page], seeded: Rooms, camera: str, served: object, width: int
) -> None:
    page = browse("admin", width=width, height=844)
    page.goto(f"{served.url}/console/devices/{camera}")  # type: ignore[attr-defined]
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    page.get_by_label("左边界").fill("12.5")
    page.locator("#view").get_by_role("button").click()
    page.wait_for_load_state()
    assert page.get_by_label("左边界").input_value() == "12.5"
    assert looked_at(seeded, camera).view == View((0.125, 0.0, 1.0, 1.0))

"""The test bench and the settings, as an installer and an administrator find them."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from console.context import Rooms
from devices.adapters import ADAPTERS
from devices.models import Device
from devices.simulator.wires import WIRES
from ringward.settings import Settings
from ringward.settingsbook import Book
from ringward.tryout import try_out
from storage.audit import AuditRow
from storage.events import EventRow

Visit = Callable[..., TestClient]
BENCH, SETTINGS = "/console/bench", "/console/settings"


@pytest.fixture
def whole(app: FastAPI, seeded: Rooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The console with what the process hands it: a way to try messages, and its settings."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "ringward.toml"
    file.write_text("# ours\nflood_burst = 500\n")
    app.state.rooms = dataclasses.replace(
        app.state.rooms,
        settings=Book(Settings(data_dir=tmp_path / "data")),
        tryout=lambda compound, message: try_out(
            seeded.database,
            seeded.media,
            compound,
            message,
            seeded.clock.now(),
        ),
    )
    return file


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return found[1] if found else ""


def body(html: str) -> str:
    found = re.search(r'<textarea id="b-body"[^>]*>(.*?)</textarea>', html, re.DOTALL)
    assert found
    return found[1].replace("&#34;", '"').replace("&lt;", "<").replace("&amp;", "&")


def steps(html: str) -> dict[str, str]:
    return {
        name: state
        for state, name in re.findall(r'<li class="(ok|bad|idle)">.*?<strong>(\d) ', html, re.DOTALL)
        for name in [name]
    }


def form(html: str, **more: str) -> dict[str, str]:
    names = ("device", "topic", "content_type")
    return {name: field(html, name) for name in names} | {"body": body(html), "encoding": "text"} | more


@pytest.mark.usefixtures("whole")
def test_example_of_a_door_goes_the_whole_way_and_nothing_is_stored(visit: Visit, seeded: Rooms) -> None:
    client = visit("admin", "en")
    with seeded.database.read() as session:
        before = session.query(EventRow).count()
    html = client.get(f"{BENCH}?device=door-1&example=door.forced").text
    assert field(html, "topic") == f"rw/v1/{seeded.compound}/door-1/up/event"
    answer = client.post(BENCH, data=form(html))
    assert answer.status_code == 200
    assert steps(answer.text) == {"1": "ok", "2": "ok", "3": "ok", "4": "ok", "5": "idle", "6": "ok"}
    assert "Would raise" in answer.text
    with seeded.database.read() as session:
        assert session.query(EventRow).count() == before


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize(
    ("more", "step", "shown"),
    [
        ({"body": "{"}, "2", "malformed_json"),
        ({"topic": "rw/v1/elsewhere/door-1/up/event"}, "3", "unknown_device"),
        ({"topic": "rw/v1/x/y", "adapter": ""}, "2", "No format is known"),
    ],
)
def test_fault_is_shown_at_its_step(visit: Visit, more: dict[str, str], step: str, shown: str) -> None:
    client = visit("admin", "en")
    html = client.get(f"{BENCH}?device=door-1&example=door.opened").text
    answer = client.post(BENCH, data=form(html, adapter="native") | more).text
    assert steps(answer)[step] == "bad"
    assert shown in answer
    assert max(steps(answer)) == step


@pytest.mark.parametrize("adapter", sorted(WIRES))
def test_example_of_every_vendor_is_read_by_its_adapter(visit: Visit, seeded: Rooms, adapter: str) -> None:
    with seeded.database.write() as session:
        device = session.get_one(Device, "cam-north")
        device.adapter, device.external_id = adapter, "1006498"
        if ADAPTERS[adapter].gateway:
            behind = session.get_one(Device, "door-2")
            behind.gateway, behind.external_id, behind.adapter = "cam-north", "x-1", adapter
    client = visit("admin", "en")
    kind = min(WIRES[adapter].can)
    html = client.get(f"{BENCH}?device=cam-north&example={kind}").text
    encoding = re.search(r'<option value="(\w+)" selected>(?:Text|Base64)', html)
    assert encoding
    answer = client.post(BENCH, data=form(html, adapter=adapter, encoding=encoding[1])).text
    assert steps(answer)["2"] == "ok", adapter


@pytest.mark.usefixtures("whole")
def test_what_cannot_be_tried_says_so_and_the_form_stays(visit: Visit) -> None:
    client = visit("admin", "en")
    answer = client.post(BENCH, data={"topic": "a/b", "body": "?", "encoding": "base64"})
    assert (answer.status_code, "That is no base64" in answer.text) == (422, True)
    assert client.post(BENCH, data={"topic": "a/b", "body": ""}).status_code == 422
    assert visit("operator").get(BENCH).status_code == 403


def test_refused_message_lies_on_the_bench_with_one_press(visit: Visit) -> None:
    html = visit("admin", "en").get(f"{BENCH}?letter=l-0").text
    assert field(html, "topic").endswith("/cam-north/up/event")
    assert body(html) == "{"


def test_settings_are_the_administrators_alone(visit: Visit, whole: Path) -> None:
    opened = {
        who
        for who in ("operator", "admin", "manager", "auditor", "police")
        if visit(who).get(SETTINGS).status_code == 200
    }
    assert opened == {"admin"}
    assert visit("operator").post(f"{SETTINGS}/flood_rate", data={"value": "1"}).status_code == 403
    assert "flood_rate" not in whole.read_text()


@pytest.mark.usefixtures("whole")
def test_settings_are_searched_and_grouped(visit: Visit) -> None:
    client = visit("admin")
    everything = client.get(SETTINGS).text
    assert len(re.findall(r'<li id="set-', everything)) == len(Settings.model_fields)
    assert "保存期限" in everything
    found = re.findall(r'<li id="set-(\w+)"', client.get(f"{SETTINGS}?q=flood burst").text)
    assert "flood_burst" in found
    assert len(found) < 5
    own = re.findall(r'<li id="set-(\w+)"', client.get(f"{SETTINGS}?own=true").text)
    assert "flood_burst" in own
    assert "flood_rate" not in own


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_each_setting_is_said_in_the_language_of_the_reader(visit: Visit, language: str) -> None:
    html = visit("admin", language).get(SETTINGS).text
    for name in Settings.model_fields:
        part = re.search(
            rf'<li id="set-{name}">.*?<h3>(.*?)</h3>.*?<p class="small">(.*?)</p>', html, re.DOTALL
        )
        assert part, name
        chinese = [bool(re.search("[一-鿿]{2}", words)) for words in part.groups()]
        # English names a law of China by its own name, and a title names none.
        assert chinese == ([True, True] if language == "zh-CN" else [False, chinese[1]]), name


@pytest.mark.usefixtures("whole")
def test_settings_are_found_by_chinese_words(visit: Visit) -> None:
    found = re.findall(r'<li id="set-(\w+)"', visit("admin").get(f"{SETTINGS}?q=陌生人 内存").text)
    assert found == ["stranger_token_minutes"]


def test_value_that_cannot_be_is_refused_at_its_place(visit: Visit, whole: Path) -> None:
    answer = visit("admin", "en").post(f"{SETTINGS}/flood_rate", data={"value": "-5"})
    assert answer.status_code == 422
    assert "greater than or equal to 0" in answer.text
    assert 'name="value" value="-5"' in answer.text
    assert "flood_rate" not in whole.read_text()


def test_change_is_audited_without_its_value(visit: Visit, whole: Path, seeded: Rooms) -> None:
    client = visit("admin", "en")
    assert client.post(f"{SETTINGS}/public_url", data={"value": "https://secret.example"}).status_code == 303
    assert 'public_url = "https://secret.example"' in whole.read_text()
    with seeded.database.read() as session:
        (row,) = session.scalars(select(AuditRow).where(AuditRow.action == "setting.changed"))
        assert (row.subject, "secret.example" in row.detail) == ("setting:public_url", False)


@pytest.mark.browser
def test_administrator_changes_a_setting(browse: Callable[..., Page], served: object, whole: Path) -> None:
    page = browse("admin", locale="en")
    page.goto(f"{served.url}{SETTINGS}")  # type: ignore[attr-defined]
    page.get_by_label("Search (name").fill("flood_burst")
    page.get_by_role("button", name="Show", exact=True).click()
    row = page.locator("#set-flood_burst")
    expect(row).to_contain_text("500")
    row.locator("summary").click()
    row.get_by_label("New value").fill("2000")
    row.get_by_role("button", name="Write to the file").click()
    expect(page.get_by_text("Flood: burst is written to the file")).to_be_visible()
    assert whole.read_text() == "# ours\nflood_burst = 2000\n"


@pytest.mark.browser
@pytest.mark.usefixtures("whole")
def test_installer_sees_what_is_wrong_with_a_vendors_message(
    browse: Callable[..., Page],
    served: object,
) -> None:
    page = browse("admin", locale="en")
    page.goto(f"{served.url}/console/devices/cam-east")  # type: ignore[attr-defined]
    page.get_by_role("link", name="Test bench").last.click()
    page.get_by_label("Read as").select_option("facesluice")
    page.get_by_label("Topic or path").fill("mqtt/face/1006498/Rec")
    page.get_by_label("Message", exact=True).fill('{"operator": "RecPush", "info": ')
    page.get_by_role("button", name="Try it").click()
    way = page.locator(".way li")
    expect(way).to_have_count(2)
    expect(way.nth(1)).to_have_class("bad")
    expect(way.nth(1)).to_contain_text("malformed_json")

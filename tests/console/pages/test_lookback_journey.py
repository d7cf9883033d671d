"""In a real browser: a plate with its purpose and what the log says of it, a view that is kept, coverage."""

import datetime as dt

import pages_history
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from registry.models import Ring
from storage.audit import AuditRow

pytestmark = pytest.mark.browser


def test_an_operator_looks_back(browse, served, at) -> None:
    begins = at - dt.timedelta(minutes=50)
    with served.rooms.database.write() as session:
        for minutes, kind in ((0, "device.offline"), (14, "device.online")):
            for device in ("cam-east", "turn-east"):
                session.add(
                    pages_history.event(
                        f"{kind}-{device}", device, "gate-east", Ring.ENTRANCE, kind,
                        begins + dt.timedelta(minutes=minutes), attributes={"cause": "last_will"},
                    )
                )  # fmt: skip
    page = browse("operator", locale="en-GB")
    page.goto(f"{served.url}/console/search")
    # Why comes first: the browser itself does not send the form without it.
    page.get_by_label("Plate", exact=True).fill("M8X2")
    page.get_by_role("button", name="Write down and search").click()
    expect(page.locator("#hits-title")).to_have_count(0)
    page.get_by_label("Review").check()
    page.get_by_role("button", name="Write down and search").click()
    expect(page.locator(".hit .plate").first).to_have_text("云M8X21K")
    assert page.url == f"{served.url}/console/search", "nothing of it is in the address"
    with served.rooms.database.read() as session:
        note = session.scalars(select(AuditRow).where(AuditRow.action == "search.asked")).one()
        assert (note.actor, note.purpose) == ("u-operator", "review")
        assert "M8X2" not in f"{note.subject}{note.detail}"

    page.get_by_role("link", name="History").click()
    page.get_by_label("Kind").select_option("door.forced")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Incidents: 1")).to_be_visible()
    page.get_by_text("Keep this view").click()
    page.get_by_label("Name").fill("Doors")
    page.get_by_label("Begin with it").check()
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("link", name="Doors")).to_have_attribute("aria-current", "true")
    page.goto(f"{served.url}/console/history")
    expect(page.get_by_role("heading", name="Incidents: 1")).to_be_visible()

    page.get_by_role("link", name="Coverage").click()
    expect(page.get_by_text("东门 was blind for 14 min")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "nothing to drag sideways on a phone"

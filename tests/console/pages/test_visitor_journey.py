"""A resident's phone and a visitor's: a pass is given, sent, shown without a sign-in, and ended."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.accounts import service
from console.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Browse = Callable[..., Page]
PASSWORD = "correct horse battery"
# A deadline for a busy machine, not a measure of anything.
PATIENCE_MS = 30_000
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def known_password(seeded: Any) -> None:
    with seeded.database.write() as session:
        token = service.issue_setup_link(session, session.get_one(User, "u-resident"), seeded.clock.now())
        service.redeem_setup_link(session, token, PASSWORD, seeded.clock.now())


def test_a_pass_is_given_sent_shown_and_ended(browse: Browse, served: Any, known_password: None) -> None:
    page = browse("resident", locale="en-GB", permissions=["clipboard-read", "clipboard-write"], **PHONE)
    page.context.set_default_timeout(PATIENCE_MS)
    page.context.clear_cookies()
    page.goto(f"{served.url}/my")
    page.get_by_label("Name").fill("resident")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{served.url}/my", timeout=PATIENCE_MS)
    page.get_by_role("link", name="Let somebody in").click()
    # Two presses and a plate: nothing else is asked.
    page.get_by_label("Number plate or phone").fill("云A77777")
    page.get_by_role("button", name="Today").click()
    expect(page.get_by_role("heading", name="The pass is ready")).to_be_visible(timeout=PATIENCE_MS)
    link = page.get_by_label("Link for the visitor").input_value()
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Copied"))
    assert page.evaluate("navigator.clipboard.readText()") == link
    assert page.get_by_role("button", name="Print").is_visible()

    visitor = page.context.browser.new_context(viewport=PHONE, locale="en-GB").new_page()  # type: ignore[union-attr,arg-type]
    visitor.set_default_timeout(PATIENCE_MS)
    visitor.goto(link)
    code = visitor.get_by_alt_text("Code")
    expect(code).to_be_visible(timeout=PATIENCE_MS)
    assert code.evaluate("image => image.naturalWidth") > 200
    expect(visitor.get_by_text("Until")).to_be_visible(timeout=PATIENCE_MS)
    assert "张三丰" not in visitor.content()

    page.get_by_role("link", name="This pass").click()
    expect(page.get_by_text("云A77777")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_text("End", exact=True).click()
    page.get_by_role("button", name="Yes, end it now").click()
    expect(page.get_by_role("status")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Ended", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    visitor.reload()
    expect(visitor.get_by_text("Taken back")).to_be_visible(timeout=PATIENCE_MS)
    expect(visitor.get_by_alt_text("Code")).to_have_count(0)
    visitor.context.close()


def test_what_the_phone_sends_with_is_asked_first_and_copying_helps_where_it_fails(
    browse: Browse, served: Any
) -> None:
    page = browse("resident", locale="en-GB", permissions=["clipboard-read", "clipboard-write"], **PHONE)
    page.context.set_default_timeout(PATIENCE_MS)
    page.add_init_script(
        """window.sent = [];
        navigator.share = async given => {
          window.sent.push(given);
          if (window.sent.length > 1) throw new TypeError("nothing to send with");
        };"""
    )
    page.goto(f"{served.url}/my/visitors")
    page.get_by_role("button", name="2 hours").click()
    page.get_by_role("button", name="Send", exact=True).click()
    link = page.get_by_label("Link for the visitor").input_value()
    [sent] = page.evaluate("window.sent")
    assert sent["url"] == link
    assert "红花小区" in sent["text"]
    expect(page.locator("#told")).to_have_text("")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#told")).to_have_text(re.compile("Copied"))

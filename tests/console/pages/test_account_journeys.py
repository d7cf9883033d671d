"""Accounts in a real browser: a code app from enrolment to sign-in, devices ended, a proof on the way."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from console.accounts import service
from console.accounts.models import User

Browse = Callable[..., Page]
PASSWORD = "correct horse battery"
# A folder to look at the pages afterwards; nothing is kept without it.
SHOTS = os.environ.get("RINGWARD_LOOK")


def look(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.fixture
def known_password(seeded) -> None:
    with seeded.database.write() as session:
        token = service.issue_setup_link(session, session.get_one(User, "u-admin"), seeded.clock.now())
        service.redeem_setup_link(session, token, PASSWORD, seeded.clock.now())


def test_code_app_is_enrolled_and_signs_in(browse: Browse, served, known_password, clock):
    page = browse("admin", locale="en")
    page.goto(f"{served.url}/account")
    look(page, "account-en")
    page.get_by_role("link", name="Set up a second factor").click()
    expect(page.get_by_alt_text("QR code for the code app")).to_be_visible()
    app = pyotp.TOTP(page.locator(".key").inner_text().replace(" ", ""))
    look(page, "enrol-en")
    page.get_by_label("Six-digit code").fill(app.at(clock.now()))
    page.get_by_role("button", name="Switch on").click()
    codes = page.locator(".codes li")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    look(page, "recovery-en")
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()
    clock.advance(seconds=60)
    for code in (app.at(clock.now()), recovery):
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Code, or a recovery code").fill(code)
        look(page, "code-en")
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile(r"/console$"))
        page.goto(f"{served.url}/account")
        page.get_by_role("button", name="Sign out").first.click()
        expect(page).to_have_url(re.compile(r"/sign-in"))


def test_another_device_is_ended_from_the_phone_and_light_and_language_follow_the_account(
    browse: Browse, served
):
    other = browse("guard")
    other.goto(f"{served.url}/account")
    phone = browse("guard", width=390, height=844)
    phone.goto(f"{served.url}/account")
    phone.get_by_role("button", name="深色").click()
    expect(phone.locator("html")).to_have_attribute("data-theme", "dark")
    look(phone, "account-phone-dark")
    phone.get_by_role("button", name="退出其他所有设备").click()
    expect(phone.get_by_role("status")).to_be_visible()
    assert other.goto(f"{served.url}/account").url.startswith(f"{served.url}/sign-in")
    with served.rooms.database.read() as session:
        assert session.get_one(User, "u-guard").theme == "dark"
    wide = phone.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, "nothing to drag sideways"


def test_new_account_is_proved_for_on_the_way_and_its_link_handed_over(
    browse: Browse, served, known_password, clock
):
    # A wrong password is answered by 401, which the browser tells of.
    page = browse("admin", session_ends=True)
    clock.advance(minutes=11)
    page.goto(f"{served.url}/console/users")
    look(page, "users-zh")
    page.get_by_role("link", name="新建账号").click()
    look(page, "user-new-zh")
    page.get_by_role("link", name="现在确认").click()
    page.get_by_label("密码").fill("not this one")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "prove-zh")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="确认").click()
    expect(page).to_have_url(re.compile(r"/console/users/new$"))
    page.get_by_label("用户名").fill("sun.guard")
    page.get_by_label("角色").select_option("guard")
    page.get_by_role("button", name="新建并生成链接").click()
    expect(page.locator(".secret")).to_contain_text("/setup/")
    look(page, "user-link-zh")
    page.get_by_role("link", name="已交给本人").click()
    look(page, "user-zh")
    page.goto(f"{served.url}/console/roles")
    look(page, "roles-zh")
    page.goto(f"{served.url}/console/tokens")
    page.get_by_label("用途").fill("月报")
    page.get_by_role("button", name="新建令牌").click()
    expect(page.locator(".secret")).to_contain_text("rw_")
    page.get_by_role("link", name="已复制").click()
    look(page, "tokens-zh")
    page.get_by_role("button", name="作废 月报").click()
    expect(page.get_by_role("status")).to_be_visible()

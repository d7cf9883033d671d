"""The registry in a real browser: at the door with a phone, at the desk in a hurry, with a second person."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from console.context import Rooms
from registry.models import Dwelling, Residence, VisitorPass, WatchlistEntry

pytestmark = pytest.mark.browser


Browse = Callable[..., Page]
PHONE = {"width": 390, "height": 844}


def held_in_one_hand(page: Page) -> None:
    """Nothing reaches beyond the edge, and what is pressed is large enough for a thumb."""
    # A press that leads elsewhere: for a moment there is no document.
    page.wait_for_function(
        "document.body && document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def signed_in(browse: Browse, who: str, **more: Any) -> Page:
    page = browse(who, **more)
    page.set_default_timeout(30_000)
    return page


def dwelling(rooms: Rooms, room: str) -> str:
    with rooms.database.read() as session:
        return session.scalars(
            select(Dwelling.id).where(Dwelling.unit == "house-b3-u2", Dwelling.room_no == room)
        ).one()


def test_a_grid_worker_at_the_door(browse: Browse, served: Any) -> None:
    page = signed_in(browse, "grid", **PHONE)
    page.goto(f"{served.url}/registry")
    held_in_one_hand(page)
    page.get_by_role("link", name="3幢").click()
    held_in_one_hand(page)
    page.get_by_role("link", name="1802").click()
    # Asked once why; from then on nobody asks again.
    page.get_by_role("button", name="登记维护").click()
    expect(page.get_by_role("heading", name="3幢2单元18层1802室")).to_be_visible()
    held_in_one_hand(page)
    lives_here = page.get_by_role("button", name=re.compile("住在此处"))
    box = lives_here.bounding_box()
    assert box
    assert box["height"] >= 44
    lives_here.click()
    expect(page.get_by_role("status")).to_have_text("已核实。")
    with served.rooms.database.read() as session:
        assert session.get_one(Residence, "res-p-3").verified_by == "u-grid"

    page.go_back()
    page.goto(f"{served.url}/registry/dwellings/{dwelling(served.rooms, '1801')}")
    page.get_by_text("与登记不符", exact=True).click()
    page.get_by_label("现场情况").select_option("nobody_opened")
    page.get_by_role("button", name="报告物业").click()
    expect(page.get_by_text("上门无人应答。").first).to_be_visible()


def test_a_pass_is_given_in_two_fields_and_a_press(browse: Browse, served: Any) -> None:
    page = signed_in(browse, "operator")
    page.goto(f"{served.url}/registry/passes")
    pressed = 0
    for label, text in (("来访车牌或手机号", "云A77777"), ("去往住房", "3-2-1801")):
        page.get_by_label(label).fill(text)
        pressed += 1
    page.get_by_role("button", name="2 小时").click()
    pressed += 1
    assert pressed <= 3
    code = page.get_by_role("img", name="通行码")
    expect(code).to_be_visible()
    assert code.evaluate("image => image.complete && image.naturalWidth") > 100
    link = page.get_by_label("发给访客的链接").input_value()
    assert link.startswith(f"{served.url}/pass/")
    # What holds the token is no address that this browser keeps.
    assert page.url == f"{served.url}/registry/passes"

    browser = page.context.browser
    assert browser
    # Nobody who is signed in: a phone that was sent a link.
    guest = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
    guest.goto(link)
    expect(guest.get_by_role("img", name="通行码")).to_be_visible()
    held_in_one_hand(guest)
    expect(guest.locator("body")).not_to_contain_text("张三丰")

    page.get_by_role("link", name="再发一张").click()
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("status")).to_contain_text("已撤销")
    guest.reload()
    expect(guest.get_by_text("已撤销")).to_be_visible()
    guest.context.close()
    with served.rooms.database.read() as session:
        assert session.scalars(select(VisitorPass)).one().plate == "云A77777"


def test_two_people_and_the_watch_list(browse: Browse, served: Any) -> None:
    manager, admin = signed_in(browse, "manager"), signed_in(browse, "admin", locale="en-GB")
    manager.goto(f"{served.url}/console/watchlist/new")
    manager.get_by_label("车牌，或卡的编号").fill("云A99999")
    manager.get_by_label("依据").select_option("owners_resolution")
    manager.get_by_label("文号").fill("业2026-7")
    manager.get_by_label("申请单位").fill("物业")
    last = served.rooms.clock.now().date() + dt.timedelta(days=20)
    manager.get_by_label("截止日期").fill(last.isoformat())
    manager.get_by_label("事由").fill("多次逆行冲岗")
    manager.get_by_role("button", name="提交申请").click()
    manager.get_by_role("button", name="依法调取").click()
    expect(manager.get_by_text("您是申请人，须由他人审批。")).to_be_visible()

    admin.goto(f"{served.url}/console/watchlist")
    admin.locator("button[value='review']").click()
    admin.get_by_role("button", name="Approve").click()
    expect(admin.get_by_role("status")).to_contain_text("in force")
    manager.reload()
    expect(manager.get_by_role("heading", name="我的申请结果")).to_be_visible()
    with served.rooms.database.read() as session:
        assert "云A99999" in session.scalars(select(WatchlistEntry.subject)).all()


def test_a_tenant_moves_out_and_the_next_comes_in(browse: Browse, served: Any) -> None:
    page = signed_in(browse, "manager")
    page.goto(f"{served.url}/registry")
    page.get_by_label("姓名、电话、车牌、证件号、编号或地址").fill("3-2-1802")
    page.locator("#purpose").select_option("registry_maintenance")
    page.locator(".find button.primary").click()
    page.get_by_role("link", name="3幢2单元18层1802室").click()
    page.get_by_text("更换业主或租户").click()
    page.get_by_label("姓名").fill("孙新来")
    page.get_by_label("电话", exact=True).fill("10012347777")
    tomorrow = served.rooms.clock.now().date() + dt.timedelta(days=1)
    page.get_by_label("开始日期").fill(tomorrow.isoformat())
    page.get_by_role("button", name="保存变更").click()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    with served.rooms.database.read() as session:
        home = dwelling(served.rooms, "1802")
        rows = session.scalars(select(Residence).where(Residence.dwelling == home)).all()
        assert sorted(row.since == tomorrow for row in rows) == [False, True]
        assert session.get_one(Residence, "res-p-3").until == tomorrow - dt.timedelta(days=1)

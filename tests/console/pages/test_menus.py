"""Each role has a home page, and a menu of what it may see and nothing else."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from console.accounts.models import Role
from console.pages.navigation import HOME

Visit = Callable[..., TestClient]
EVERYBODY = [
    "operator",
    "admin",
    "manager",
    "guard",
    "grid",
    "police",
    "auditor",
    "resident",
    "newcomer",
    "li",
]


def links(html: str) -> list[str]:
    menus = re.findall(r'<nav class="(?:nav|tools tabs)".*?</nav>', html, re.DOTALL)
    return [path for menu in menus for path in re.findall(r'href="([^"]+)"', menu)]


def test_every_role_has_a_home_page() -> None:
    assert set(HOME) == set(Role)


@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_comes_home_and_every_link_of_the_menu_opens(visit: Visit, who: str) -> None:
    client = visit(who)
    home = client.get(client.get("/").headers["location"])
    assert home.status_code == 200
    shown = dict.fromkeys(["/my", *links(home.text)])
    for path in list(shown):
        page = client.get(path)
        assert page.status_code == 200, path
        shown |= dict.fromkeys(links(page.text))
    assert {path: client.get(path).status_code for path in shown} == dict.fromkeys(shown, 200)


def test_the_menu_marks_where_one_is(visit: Visit) -> None:
    html = visit("operator").get("/console/devices/cam-north").text
    assert re.findall(r'href="([^"]+)" aria-current="page"', html) == ["/console/devices"]


def test_who_has_one_page_needs_no_menu(visit: Visit) -> None:
    for who in ("resident", "police"):
        assert '<nav class="nav"' not in visit(who).get("/my").text

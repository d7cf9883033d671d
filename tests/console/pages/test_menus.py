"""Each role has a home page, and a menu of what it may see and nothing else."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from console.accounts.models import Role, User
from console.pages.navigation import HOME, menu

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
    menus = re.findall(r'<nav class="(?:nav|beside|tools tabs)".*?</nav>', html, re.DOTALL)
    return [path for menu in menus for path in re.findall(r'href="([^"]+)"', menu)]


def test_every_role_has_a_home_page() -> None:
    assert set(HOME) == set(Role)


@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_comes_home_and_every_link_of_the_menu_opens(visit: Visit, who: str) -> None:
    client = visit(who)
    home = client.get(client.get("/").headers["location"])
    assert home.status_code == 200
    shown = dict.fromkeys(["/account", *links(home.text)])
    for path in list(shown):
        page = client.get(path)
        assert page.status_code == 200, path
        shown |= dict.fromkeys(links(page.text))
    assert {path: client.get(path).status_code for path in shown} == dict.fromkeys(shown, 200)


def test_the_menu_marks_where_one_is(visit: Visit) -> None:
    html = visit("operator").get("/console/devices/cam-north").text
    assert re.findall(r'href="([^"]+)" aria-current="(\w+)"', html) == [
        ("/console/devices", "true"),
        ("/console/devices", "page"),
    ]


def test_whoever_has_many_pages_sees_areas_and_whoever_has_few_sees_pages(visit: Visit) -> None:
    many, few = (visit(who).get("/registry/gate").text for who in ("operator", "guard"))
    assert 'class="beside"' in many
    assert 'class="beside"' not in few
    assert len(re.findall(r"<a ", re.search(r'<nav class="nav".*?</nav>', many, re.DOTALL)[0])) <= 9  # type: ignore[index]


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_the_light_that_was_chosen_stays(visit: Visit, chosen: str) -> None:
    client = visit("operator")
    assert client.post("/theme", data={"theme": chosen, "next": "/account"}).headers["location"] == "/account"
    html = client.get("/account").text
    assert f'data-theme="{chosen}"' in html
    assert ("/static/dark.css" in html) == (chosen == "dark")
    client.post("/theme", data={"theme": "auto"})
    assert "data-theme" not in client.get("/account").text


def test_no_light_but_those_that_are_known(visit: Visit) -> None:
    client = visit("operator")
    client.cookies.set("ringward_theme", '"><script>')
    assert "data-theme" not in client.get("/account").text


def test_who_has_one_page_needs_no_menu() -> None:
    """A terminal, which signs in nowhere, stands for whoever has nothing to choose between."""
    terminal = User(id="u-terminal", name="terminal", role=Role.DEVICE)
    assert menu(terminal, "/account") == []


def test_a_resident_has_what_is_theirs_and_nothing_of_the_staffs(visit: Visit) -> None:
    for who in ("resident", "newcomer"):
        html = visit(who).get("/account").text
        assert links(html) == ["/my", "/my/visitors", "/my/reports", "/my/data", "/my/looks", "/my/rights"]
    assert visit("resident").get("/phone/report").headers["location"] == "/my/reports"

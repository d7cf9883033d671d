"""Help inside the product: guides in the reader's language, and a question mark that leads to a section."""

import html as markup
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from test_menus import EVERYBODY, links

from console import guides
from console.accounts.models import Role
from console.guides.sections import SECTIONS

Visit = Callable[..., TestClient]
LANGUAGES = {"zh-CN": "zh-CN", "en": "en"}
ROOT = Path(__file__).parents[3]
ALL = list(guides.GUIDES)


def ids(html: str) -> list[str]:
    return re.findall(r' id="([^"]+)"', html)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ALL)
def test_a_guide_is_read_in_either_language(visit: Visit, name: str, lang: str) -> None:
    client = visit("admin", lang)
    html = client.get(f"/help/{name}").text
    assert guides.title(guides.GUIDES[name], lang) in markup.unescape(html)
    # No style that the security policy refuses, nothing raw, no picture that is not there.
    article = html.split("<article", 1)[1]
    assert " style=" not in article
    assert "&lt;img" not in article
    for source in set(re.findall(r'<img src="([^"]+)"', article)):
        assert client.get(source).headers["content-type"] in {"image/webp", "image/svg+xml"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_link_of_a_guide_leads_somewhere(visit: Visit, lang: str) -> None:
    client = visit("admin", lang)
    pages = {f"/help/{name}": client.get(f"/help/{name}").text for name in ALL}
    for at, html in pages.items():
        for href in re.findall(r'href="([^"]+)"', html.split("<main", 1)[1]):
            path, _, anchor = href.partition("#")
            if href.startswith("https://") or path == "/help":
                continue
            assert not path or path in pages, (at, href)
            assert not anchor or anchor in ids(pages[path or at]), (at, href)


@pytest.mark.parametrize("name", [name for name, guide in guides.GUIDES.items() if guide.chinese])
def test_both_languages_have_the_same_sections(name: str) -> None:
    chinese, english = (guides.read(guides.GUIDES[name], lang) for lang in ("zh-CN", "en"))
    assert [(one.id, one.level) for one in chinese.headings] == [
        (one.id, one.level) for one in english.headings
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("pattern", "name", "anchor"), SECTIONS)
def test_every_section_that_a_page_leads_to_exists(pattern: str, name: str, anchor: str, lang: str) -> None:
    page = guides.read(guides.GUIDES[name], lang)
    assert not anchor or anchor in [one.id for one in page.headings]


@pytest.mark.parametrize("who", EVERYBODY)
def test_each_page_has_a_question_mark_that_leads_to_a_guide_of_the_role(visit: Visit, who: str) -> None:
    client = visit(who)
    listed = re.findall(r'<li><a class="card" href="(/help/[^"]+)"', client.get("/help").text)
    assert listed
    home = client.get(client.get("/").headers["location"])
    for path in dict.fromkeys(links(home.text)):
        found = re.search(r'class="button quiet icon help" href="([^"#]+)', client.get(path).text)
        assert found, path
        assert found[1] == "/help" or found[1] in listed, path


def test_a_resident_finds_no_guide_of_the_office(visit: Visit) -> None:
    html = visit("resident", "en").get("/help").text
    assert re.findall(r'<li><a class="card" href="([^"]+)"', html) == ["/help/residents-guide"]


def test_every_role_but_a_devices_has_a_guide() -> None:
    assert [role for role in Role if not guides.guides_for(role)] == [Role.DEVICE]


@pytest.mark.parametrize("path", ["/help/nothing", "/help/..%2fREADME", "/help/pictures/..%2f..%2fREADME.md"])
def test_nothing_but_guides_and_their_pictures_is_read(visit: Visit, path: str) -> None:
    assert visit("admin").get(path).status_code == 404


def test_help_is_for_whoever_is_signed_in(visit: Visit) -> None:
    assert visit(None).get("/help/operators-guide").status_code == 303


def test_the_wheel_carries_every_guide() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    carried = build["force-include"]
    for guide in guides.GUIDES.values():
        for lang in LANGUAGES:
            name = guide.file(lang).name
            assert carried[f"docs/{name}"] == f"console/guides/docs/{name}"
    assert carried["docs/screenshots"] == "console/guides/docs/screenshots"

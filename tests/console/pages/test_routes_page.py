"""The page of routes: the tree, silences with a preview, and what is quiet now."""

import pytest
from sqlalchemy import select

from alerts.routing.models import Silence
from alerts.routing.reading import default_tree
from alerts.routing.tree import routes_of


async def post(browser, path: str = "/silences", **data: object):
    return await browser.post(f"/console/routes{path}", data=data)


def kept(database) -> list[Silence]:
    with database.read() as session:
        rows = list(session.scalars(select(Silence)))
        session.expunge_all()
    return rows


async def test_every_route_and_receiver_stands_on_the_page(operator, world) -> None:
    page = (await operator.get("/console/routes")).text
    for route in routes_of(default_tree().root):
        assert f"<strong>{route.name}</strong>" in page
    for name in default_tree().receivers:
        assert name in page


async def test_a_way_is_shown_with_who_hears_of_it(operator, world) -> None:
    page = (await operator.get("/console/routes?ring=building&kind=door.forced&severity=2&stage=raised")).text
    way = page.split('id="way"')[1].split("</ul>")[0]
    assert "neighbours" in way
    assert "all → inside" in way


async def test_a_silence_is_made_with_a_reason_shown_and_lifted(operator, world, database) -> None:
    done = await post(
        operator, matchers="ring = building\nkind =~ door.*", gravest=3, hours=2, comment="paint"
    )
    assert done.status_code == 303
    (row,) = kept(database)
    assert (row.matchers, row.gravest, row.comment) == (["ring = building", "kind =~ door.*"], 3, "paint")
    assert "paint" in (await operator.get("/console/routes")).text
    assert (await post(operator, f"/silences/{row.id}/lifting")).status_code == 303
    assert kept(database)[0].lifted_at is not None
    held, over = (await operator.get("/console/routes")).text.split("<details><summary>", 1)
    assert "paint" not in held
    assert "paint" in over


async def test_a_preview_makes_nothing_and_keeps_what_was_typed(operator, world, database) -> None:
    shown = await post(operator, matchers="ring = entrance", gravest=4, hours=2, comment="why", preview=1)
    assert shown.status_code == 200
    assert "ring = entrance</textarea>" in shown.text
    assert kept(database) == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"matchers": "ring = building", "hours": 2, "comment": " "}, 422),
        ({"matchers": "ring = building", "hours": 745, "comment": "x"}, 422),
        ({"matchers": " ", "hours": 2, "comment": "x"}, 422),
        ({"matchers": "everything", "hours": 2, "comment": "x"}, 409),
        ({"matchers": "ring != nowhere", "hours": 2, "comment": "x"}, 409),
        ({"matchers": "kind =~ (a+)+b", "hours": 2, "comment": "x"}, 409),
    ],
)
async def test_what_narrows_nothing_or_has_no_reason_is_refused(
    operator, world, database, data, status
) -> None:
    assert (await post(operator, **data)).status_code == status
    assert kept(database) == []


async def test_markup_in_a_reason_stays_text(operator, world) -> None:
    await post(operator, matchers="zone = <b>x", hours=2, comment="<script>alert(1)</script>")
    page = (await operator.get("/console/routes")).text
    assert "<script>alert" not in page
    assert "&lt;b&gt;x" in page

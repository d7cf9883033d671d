"""The history: what is found and counted, kept views, the file; and who may not."""

import csv
import datetime as dt
import io

import pages_history
import pytest
from sqlalchemy import select

from alerts.history import Sift, incidents_of
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from console.lookback.models import DefaultView, SavedView
from devices.models import Device
from storage.audit import AuditRow


@pytest.fixture
def past(seeded, at):
    """Besides the night of the world: a false alarm of yesterday that was taken up late, and a drill."""
    with seeded.database.write() as session:
        session.add_all(
            [
                pages_history.incident(
                    "i-false",
                    at - dt.timedelta(hours=20),
                    state=State.FALSE_ALARM,
                    false_alarm_reason="courier",
                ),
                pages_history.incident(
                    "i-drill", at - dt.timedelta(hours=3), drill=True, zone="garden", ring="common"
                ),
                pages_history.incident("i-care", at - dt.timedelta(hours=2), care=True),
                pages_history.incident("i-old", at - dt.timedelta(days=5), state=State.CLOSED),
            ]
        )
        session.flush()
        session.add(
            Transition(
                id="late-1", incident="i-false", version=2, from_state=State.RAISED, to_state=State.RAISED,
                actor="system", role="system", at=at - dt.timedelta(hours=19), reason="timeout_acknowledge",
            )
        )  # fmt: skip
    return seeded


def shown(client, query: str = "span=day") -> list[str]:
    html = client.get(f"/console/history?{query}").text
    assert "</html>" in html
    return [one.split('"')[0] for one in html.split('<td class="number"><a href="/console/incidents/')[1:]]


def ids(found: list[str]) -> set[str]:
    return {one.removesuffix("/timeline") for one in found}


def test_the_history_shows_all_but_what_is_of_care(past, visit) -> None:
    day = ids(shown(visit("operator")))
    assert {"i-false", "i-drill", "i-hit", "i-done"} <= day
    assert not {"i-care", "i-old"} & day, "care has a list of its own, and five days ago is not today"
    assert "i-old" in ids(shown(visit("operator"), "span=week"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("outcome=false", {"i-false"}),
        ("reason=courier", {"i-false"}),
        ("late=yes", {"i-false"}),
        ("drill=yes", {"i-drill"}),
        ("severity=1", {"i-door"}),
        ("zone=gate-north", {"i-plate"}),
        ("kind=device.offline&device=cam-sheds", {"i-off"}),
        ("state=resolved", {"i-done"}),
        ("ring=building&rule=R-B05", {"i-door"}),
        ("severity=1&zone=garden", set()),
    ],
)
def test_filters_find_what_they_say(past, visit, query, found) -> None:
    assert ids(shown(visit("operator"), f"span=day&{query}")) == found


def test_names_and_plates_are_not_in_the_list(past, visit) -> None:
    html = visit("operator").get("/console/history?span=day").text
    assert "云M8X21K" not in html
    assert "p-1" not in html


def test_a_filter_that_there_is_not_is_refused(visit) -> None:
    for query in ("severity=9", "state=tired", "zone=张三丰", "span=ever", "begins=2026-13-40T00:00"):
        assert visit("operator").get(f"/console/history?{query}").status_code == 422


@pytest.mark.parametrize("name", ["guard", "li", "police", "auditor", "resident", "manager"])
def test_only_who_reads_incidents_has_a_history(visit, name) -> None:
    client = visit(name)
    assert client.get("/console/history").status_code == 403
    assert client.post("/console/history/export", data={"filters": ""}).status_code == 403


def test_pages_go_on_where_the_last_one_ended(past, visit, at) -> None:
    with past.database.write() as session:
        session.add_all(
            pages_history.incident(f"i-many-{n:03}", at - dt.timedelta(hours=9, seconds=n)) for n in range(60)
        )
    client = visit("operator", "en")
    html = client.get("/console/history?span=day").text
    older = next(
        one.split('"')[0] for one in html.split('href="/console/history?') if "cursor=" in one.split('"')[0]
    )
    first, second = ids(shown(client)), ids(shown(client, older.replace("&amp;", "&")))
    assert len(first) == 50
    assert not first & second
    assert {one for one in first | second if one.startswith("i-many")} == {
        f"i-many-{n:03}" for n in range(60)
    }


def test_the_file_is_audited_and_calculates_nothing(past, visit) -> None:
    with past.database.write() as session:
        session.get_one(Device, "cam-east").name = '=HYPERLINK("http://x")'
    answer = visit("operator", "en").post(
        "/console/history/export", data={"filters": "span=day&outcome=false"}
    )
    assert answer.status_code == 200
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 2
    assert rows[1][-1] == "i-false"
    assert "'=HYPERLINK" in ",".join(rows[1])
    with past.database.read() as session:
        note = session.scalars(select(AuditRow).where(AuditRow.action == "history.exported")).one()
        assert (note.actor, note.purpose) == ("u-operator", "review")
        assert "outcome=false" in note.detail


def test_a_view_is_kept_opened_first_and_taken_away(past, visit) -> None:
    client = visit("operator", "en")
    made = client.post(
        "/console/history/views",
        data={"filters": "span=night&severity=1&severity=2", "name": "Nights", "first": "yes"},
    )
    assert made.status_code == 303
    assert "severity=1&severity=2" in made.headers["location"]
    plain = client.get("/console/history").text
    assert "Nights" in plain
    assert 'value="1" checked' in plain, "it begins with the view"
    assert "Nights" not in visit("admin", "en").get("/console/history").text
    with past.database.read() as session:
        row = session.scalars(select(SavedView)).one()
        assert row.filters == {"span": "night", "severity": [1, 2]}
        view = row.id
    assert visit("admin").post(f"/console/history/views/{view}/remove").status_code == 404
    assert client.post(f"/console/history/views/{view}/remove").status_code == 303
    with past.database.read() as session:
        assert session.scalars(select(SavedView)).all() == []
        assert session.scalars(select(DefaultView)).all() == []


def test_an_administrators_view_is_shared_with_operators(past, visit) -> None:
    shared = {"filters": "zone=gate-east", "name": "东门", "shared": "yes"}
    assert visit("operator").post("/console/history/views", data=shared).status_code == 409
    assert visit("admin").post("/console/history/views", data=shared).status_code == 303
    assert "zone=gate-east" in visit("operator").get("/console/history").text


@pytest.mark.parametrize(
    ("name", "filters", "code"),
    [
        ("张三丰", "", "人名"),
        ("看 张三丰 的", "", "人名"),
        ("云M8X21K", "", "车牌"),
        ("电话 10012345678", "", "号码"),
        ("  ", "", "1 到 40"),
        ("夜里", "zone=nowhere", "不属于本小区"),
    ],
)
def test_a_view_names_nobody_and_no_place_of_elsewhere(visit, seeded, name, filters, code) -> None:
    answer = visit("operator").post("/console/history/views", data={"filters": filters, "name": name})
    assert answer.status_code == 409
    assert code in answer.text
    with seeded.database.read() as session:
        assert session.scalars(select(SavedView)).all() == []


def test_a_look_back_reads_the_index_of_its_span(seeded, at) -> None:
    sift = Sift(at - dt.timedelta(days=30), at, outcome=["real"], zone=["gate-east"])
    query = incidents_of("honghua", sift).order_by(Incident.raised_at.desc(), Incident.id.desc()).limit(51)
    with seeded.database.read() as session:
        compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
    told = [row[-1] for row in plan]
    assert any(word in one for one in told for word in ("ix_incidents_history", "ix_incidents_raised")), told
    assert not any(one.startswith("SCAN") for one in told), told

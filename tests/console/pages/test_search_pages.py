"""The search: a purpose first, written down first, answered then; what is gone, wide or too often is said."""

import datetime as dt

import pages_history
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from console.lookback import searching
from privacy.search import Readings, Sought, readings_of
from privacy.search.finding import Asking
from registry.models import PassUse, Ring, Vehicle, VisitorPass
from storage.audit import AuditRow


@pytest.fixture
def past(seeded, at):
    """A registered car at the north gate, a reading that looks like it, an old one, and p-1 going home."""
    seen = {
        "v1": at - dt.timedelta(hours=5),
        "v2": at - dt.timedelta(hours=4),
        "v3": at - dt.timedelta(days=40),
        "v4": at - dt.timedelta(hours=3),
    }
    with seeded.database.write() as session:
        session.add(Vehicle(id="veh-1", compound="honghua", plate="云M80B12", owner="p-1", kind="resident"))
        session.add_all(
            pages_history.event(f"e-{name}", "cam-north", "gate-north", Ring.ENTRANCE, "plate.recognised", when,
                                pictures=[{"role": "plate", "media_id": "a" * 64, "size": 9}])
            for name, when in seen.items()
        )  # fmt: skip
        session.add_all(
            pages_history.decision(f"e-{name}", "plate", outcome, seen[name], [], score=0.9, plate=plate)
            for name, plate, outcome in (
                ("v1", "云M80B12", "identified"),
                ("v2", "云M8QB12", "unknown"),
                ("v3", "云M80B12", "identified"),
                ("v4", "云A99999", "unknown"),
            )
        )
        session.add(
            pages_history.event(
                "e-home1", "door-1", "b1", Ring.BUILDING, "face.captured", at - dt.timedelta(hours=2)
            )
        )
        session.add(
            pages_history.decision(
                "e-home1", "face", "identified", at - dt.timedelta(hours=2), [], person_id="p-1"
            )
        )
        session.add(
            VisitorPass(id="pass-1", compound="honghua", kind="visitor", plate=None,
                        starts_at=at - dt.timedelta(days=1), ends_at=at + dt.timedelta(days=1))
        )  # fmt: skip
        session.flush()
        session.add(
            PassUse(
                id="use-1",
                compound="honghua",
                visitor_pass="pass-1",
                zone="gate-east",
                at=at - dt.timedelta(hours=1),
            )
        )
    return seeded


def ask(client, **fields):
    return client.post("/console/search", data={"purpose": "review", **fields})


def notes(rooms, *actions: str) -> list[tuple[str, str, str]]:
    with rooms.database.read() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action.in_(actions)).order_by(AuditRow.seq))
        return [(row.actor, row.purpose, row.subject) for row in rows]


def local(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.timezone(dt.timedelta(hours=8))):%Y-%m-%dT%H:%M}"


def test_a_plate_is_found_with_what_looks_like_it_and_its_owner_sees_the_look(past, visit) -> None:
    answer = ask(visit("operator", "en"), plate="云M 8OB12")
    assert answer.status_code == 200
    assert "云M80B12" in answer.text
    assert "云M8QB12" in answer.text
    assert "looks alike" in answer.text
    assert "云A99999" not in answer.text
    assert notes(past, "search.asked") == [("u-operator", "review", "vehicle:veh-1")]
    seen = visit("resident", "en").get("/my/looks")
    assert "Searched the past for" in seen.text


def test_a_part_of_a_plate_counts_look_alikes_as_one(past, visit) -> None:
    html = ask(visit("operator"), plate="8QB").text
    assert "云M80B12" in html
    assert "云M8QB12" in html
    assert "云A99999" not in html


def test_without_a_purpose_nothing_is_searched_or_shown(past, visit) -> None:
    for purpose in ("", "curiosity", "official_request", "registry_maintenance"):
        answer = visit("operator").post("/console/search", data={"purpose": purpose, "plate": "云M80B12"})
        assert answer.status_code == 422
        assert (
            "gate-north" not in answer.text.split('<section class="card flush"')[-1]
            or "hits-title" not in answer.text
        )
    assert notes(past, "search.asked") == []


def test_nobody_is_searched_for_merely_to_monitor_but_a_place_is(past, visit) -> None:
    client = visit("operator", "en")
    assert ask(client, purpose="monitoring", plate="云M80B12").status_code == 422
    assert ask(client, purpose="monitoring", who="张三丰").status_code == 422
    assert ask(client, purpose="monitoring", person="p-1").status_code == 422
    place = ask(client, purpose="monitoring", zone="gate-north")
    assert place.status_code == 200
    assert "Registered vehicle" in place.text
    assert "云M80B12" not in place.text, "what went on at a place is told without whom"


def test_nothing_is_shown_where_it_cannot_be_written_down(past, visit, monkeypatch) -> None:
    def fails(*_args, **_more):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(searching, "note_look", fails)
    for fields in ({"plate": "云M80B12"}, {"person": "p-1"}, {"zone": "gate-north"}):
        answer = ask(visit("operator", "en"), **fields)
        assert answer.status_code == 503
        assert "nothing is shown" in answer.text
        assert "hits-title" not in answer.text


def test_the_entry_is_committed_before_anything_is_read(past, visit, monkeypatch) -> None:
    real, order = searching.find, []

    def finds(session, *args, **more):
        order.append(len(notes(past, "search.asked")))
        return real(session, *args, **more)

    monkeypatch.setattr(searching, "find", finds)
    assert ask(visit("operator"), plate="云M80B12").status_code == 200
    assert order == [1]


def test_a_person_is_chosen_by_the_registry_and_their_way_is_shown(past, visit) -> None:
    client = visit("operator", "en")
    choice = ask(client, who="张三丰")
    assert 'name="person" value="p-1"' in choice.text
    assert "hits-title" not in choice.text
    assert notes(past, "search.asked") == []
    answer = ask(client, person="p-1", who="张三丰")
    assert "张三丰" in answer.text
    assert "now in the building" in answer.text
    assert "Registered resident" in answer.text
    assert notes(past, "search.asked") == [("u-operator", "review", "person:p-1")]
    assert "Seen inside without having come in" in answer.text


def test_a_pass_is_searched_for_by_its_number(past, visit) -> None:
    answer = ask(visit("operator", "en"), visitor_pass="pass-1")
    assert "Visitor pass shown" in answer.text
    assert notes(past, "search.asked") == [("u-operator", "review", "pass:pass-1")]
    assert ask(visit("operator"), visitor_pass="nothing").status_code == 404


def test_a_wide_search_is_thought_over_and_old_pictures_are_said_to_be_gone(past, visit, at) -> None:
    client = visit("operator", "en")
    wide = {"plate": "云M80B12", "begins": local(at - dt.timedelta(days=60))}
    first = ask(client, **wide)
    assert first.status_code == 409
    assert "Is all of it needed?" in first.text
    assert notes(past, "search.asked") == []
    answer = ask(client, **wide, sure="yes")
    assert answer.status_code == 200
    assert "Picture deleted by rule after 30 days" in answer.text
    ever = ask(client, plate="云M80B12", begins=local(at - dt.timedelta(days=400)), sure="yes")
    assert "deleted by rule after 180 days" in ever.text


def test_so_many_people_are_not_searched_for_in_an_hour(past, visit, clock, monkeypatch) -> None:
    monkeypatch.setattr(searching, "PER_HOUR", 2)
    client = visit("operator", "en")
    assert [ask(client, plate="云M80B12").status_code for _ in range(3)] == [200, 200, 429]
    assert ask(client, zone="gate-north").status_code == 200, "a place is no person"
    assert ask(visit("admin"), plate="云M80B12").status_code == 200, "a colleague has a count of their own"
    assert len(notes(past, "search.asked")) == 4
    clock.advance(minutes=61)
    assert ask(client, plate="云M80B12", begins="2026-11-22T00:00").status_code == 200


def test_the_list_goes_on_by_a_sealed_cursor_of_ones_own(past, visit, at, monkeypatch) -> None:
    monkeypatch.setattr(searching, "SHOWN", 1)
    client = visit("operator", "en")
    first = ask(client, plate="云M80B12")
    cursor = first.text.split('name="cursor" value="')[1].split('"')[0]
    assert "M80B12" not in cursor
    second = client.post("/console/search/further", data={"cursor": cursor})
    assert second.status_code == 200
    assert ("looks alike" in first.text) != ("looks alike" in second.text), "each is on one page"
    assert notes(past, "search.continued") == [("u-operator", "review", "vehicle:veh-1")]
    assert visit("admin").post("/console/search/further", data={"cursor": cursor}).status_code == 400
    assert client.post("/console/search/further", data={"cursor": cursor[:-6] + "AAAAA="}).status_code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"plate": "8Q"},
        {"plate": "云M80B12", "person": "p-1"},
        {"zone": "b1", "begins": "2026-01-01T00:00"},
    ],
)
def test_what_is_no_question_is_refused(past, visit, fields) -> None:
    assert ask(visit("operator"), **fields).status_code == 422
    assert notes(past, "search.asked") == []


@pytest.mark.parametrize("name", ["guard", "li", "police", "auditor", "resident", "manager", "grid"])
def test_only_the_control_room_searches(past, visit, name) -> None:
    client = visit(name)
    assert client.get("/console/search").status_code == 403
    assert ask(client, plate="云M80B12").status_code == 403
    assert notes(past, "search.asked") == []


def test_a_form_of_elsewhere_searches_nothing(past, visit) -> None:
    client = visit("operator")
    del client.headers["X-CSRF-Token"]
    assert ask(client, plate="云M80B12").status_code == 403


@pytest.mark.parametrize(
    ("sought", "index"),
    [({"plate": "云M80B12"}, "ix_decisions_plate"), ({"person": "p-1"}, "ix_decisions_somebody")],
)
def test_plates_and_people_are_found_through_their_indices(past, at, sought, index) -> None:
    question = Sought(at - dt.timedelta(days=150), at, **sought)
    readings = Readings(None, ("云M80B12", "云M8QB12"), frozenset(), {}) if "plate" in sought else None
    with past.database.read() as session:
        query = Asking(session, "honghua", question, readings, 50, None).decisions()
        compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        told = [row[-1] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert any(index in one for one in told), told


def test_every_plate_that_was_read_is_found_by_hops_along_the_index(past, at) -> None:
    with past.database.read() as session:
        found = readings_of(session, "honghua", "999", at - dt.timedelta(days=1), at)
    assert found.plates == ("云A99999",)
    assert found.whole is None

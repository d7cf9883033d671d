"""A report becomes an incident; ten of one fire are one, with ten reports."""

import datetime as dt
import threading

import pytest

from alerts.incidents.lifecycle import FalseAlarmReason, State
from alerts.incidents.models import Evidence
from alerts.intake.kinds import Danger, ReportKind
from alerts.intake.models import IntakeReport
from alerts.intake.places import own_building, place, places
from alerts.intake.taking import PER_SPAN, reports_of
from registry.errors import RefusedError

FIRE = ReportKind.FIRE


def test_a_report_is_an_incident_of_its_place_and_kind(desk):
    taken = desk.report(FIRE, words="五楼冒烟")
    [incident] = desk.incidents()
    assert (incident.kind, incident.rule, incident.severity) == ("reported.fire", "intake", 1)
    assert (incident.zone, incident.ring, incident.state) == ("hall", "building", State.RAISED)
    assert incident.due_at is not None
    assert not incident.drill
    assert taken.number == "119"
    [report] = desk.all(IntakeReport)
    assert (report.incident, report.words, report.building) == (incident.id, "五楼冒烟", "b3")


def test_ten_neighbours_who_report_one_fire_are_one_incident_with_ten_reports(desk):
    for number in range(10):
        desk.report(FIRE, by=f"u{number}")
        desk.later(seconds=20)
    [incident] = desk.incidents()
    assert incident.signal_count == 10
    assert len(desk.all(Evidence)) == 10
    with desk.database.read() as session:
        assert len(reports_of(session, incident.id)) == 10


def test_ten_who_report_at_the_same_moment_are_one_incident_too(desk):
    gate = threading.Barrier(10)
    failed = []

    def tell(number):
        gate.wait(timeout=30)
        try:
            desk.report(FIRE, by=f"u{number}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failed.append(error)

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []
    [incident] = desk.incidents()
    assert len(desk.all(IntakeReport)) == incident.signal_count == 10


def test_another_kind_another_place_and_another_hour_are_other_incidents(lite):
    lite.report(FIRE)
    lite.report(ReportKind.FALL)
    lite.report(FIRE, building="b4")
    lite.later(hours=1, seconds=1)
    lite.report(FIRE)
    assert len(lite.incidents()) == 4


def test_the_zone_of_an_only_building_is_that_building(lite):
    lite.report(FIRE, building="b3")
    lite.report(FIRE, by="u2", building=None, zone="hall")
    assert len(lite.incidents()) == 1
    # Two buildings in one zone: which of them is not known.
    lite.report(FIRE, by="u3", building=None, zone="square")
    lite.report(FIRE, by="u4", building="b4")
    assert len(lite.incidents()) == 3


def test_who_sees_the_knife_makes_the_same_quarrel_critical(lite):
    lite.report(ReportKind.DISPUTE)
    lite.report(ReportKind.DISPUTE, by="u2", danger=Danger.VIOLENCE)
    [incident] = lite.incidents()
    assert (incident.kind, incident.severity) == ("reported.violence", 1)
    assert incident.due_at is not None


def test_after_it_has_ended_a_report_is_another_incident(lite):
    first = lite.report(FIRE).incident.id
    lite.step(first, State.FALSE_ALARM, reason=FalseAlarmReason.FAMILY_OR_KNOWN_VISITOR)
    lite.report(FIRE, by="u2")
    assert len(lite.incidents()) == 2


def test_one_person_cannot_flood_and_others_are_heard_all_the_same(lite):
    for number in range(PER_SPAN):
        lite.report(list(ReportKind)[number])
    with pytest.raises(RefusedError) as refused:
        lite.report(FIRE)
    assert refused.value.code == "too_many_reports"
    lite.report(FIRE, by="u2")
    lite.later(minutes=10)
    lite.report(FIRE)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"building": "b9"}, "place_unknown"),
        ({"building": None, "zone": "nowhere"}, "place_unknown"),
        ({"building": None}, "place_unknown"),
        ({"device": "no-device"}, "device_unknown"),
        ({"words": "长" * 1001}, "report_words"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(lite, told, code):
    with pytest.raises(RefusedError) as refused:
        lite.report(FIRE, **told)
    assert refused.value.code == code
    assert lite.incidents() == []
    assert lite.all(IntakeReport) == []


@pytest.mark.parametrize("hours", [-49, 1])
def test_what_happened_long_ago_or_is_still_to_come_is_refused(lite, hours):
    with pytest.raises(RefusedError) as refused:
        lite.report(FIRE, happened_at=lite.now + dt.timedelta(hours=hours))
    assert refused.value.code == "report_time"


def test_words_are_sealed_in_the_file(lite):
    lite.report(FIRE, words="厨房里的油锅")
    with lite.database.engine.connect() as connection:
        raw = connection.exec_driver_sql("SELECT words FROM intake_reports").scalar()
    assert "油锅".encode() not in (raw if isinstance(raw, bytes) else str(raw).encode())


def test_buildings_come_first_in_their_order_and_nothing_twice(lite):
    with lite.database.read() as session:
        shown = places(session, "willow")
        assert [one.name for one in shown][:3] == ["3幢", "4幢", "5幢"]
        assert "hall" not in [one.name for one in shown]
        assert place(session, "willow", "square", None).key == "square"
        assert own_building(session, None, lite.now.date()) is None

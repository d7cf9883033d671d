"""Looks that were said to be for an incident, with none within the hour."""

import datetime as dt

import pytest

from privacy.unexplained import Entry, unexplained

AT = dt.datetime(2026, 11, 23, 20, 0, tzinfo=dt.UTC)


def look(seq: int = 5, *, purpose: str = "incident_handling", subject: str = "person:p-1") -> Entry:
    return Entry(seq, AT, "u-1", "operator", "person.viewed", purpose, subject)


def work(minutes: float, *, actor: str = "u-1", action: str = "incident.confirm") -> Entry:
    at = AT + dt.timedelta(minutes=minutes)
    return Entry(1, at, actor, "operator", action, "incident_handling", "i-1")


@pytest.mark.parametrize("minutes", [-60, -1, 0, 60])
def test_look_beside_an_incident_is_explained(minutes: float) -> None:
    assert unexplained([look(), work(minutes)]) == []


@pytest.mark.parametrize("minutes", [-61, 61, 600])
def test_look_far_from_any_incident_is_asked_about(minutes: float) -> None:
    assert unexplained([work(minutes), look()]) == [look()]


def test_anothers_incident_explains_nothing() -> None:
    assert unexplained([look(), work(0, actor="u-2")]) == [look()]


@pytest.mark.parametrize("purpose", ["resident_request", "registry_maintenance", "official_request"])
def test_look_for_another_purpose_has_a_proof_of_its_own(purpose: str) -> None:
    assert unexplained([look(purpose=purpose)]) == []


def test_look_at_a_thing_is_no_look_at_a_person() -> None:
    assert unexplained([look(subject="media:ab"), look(subject="device:cam-1")]) == []


def test_newest_comes_first() -> None:
    assert [one.seq for one in unexplained([look(3), look(9), look(4)])] == [9, 4, 3]

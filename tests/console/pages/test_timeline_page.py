"""The timeline of an incident: complete, in order, honest about what was not seen, audited, paged."""

import datetime as dt
import html as markup
import re
from collections.abc import Callable
from typing import Any

import pages_history
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from alerts.dispatch.models import Arrival, Dispatch, DispatchState, IncidentCall, Result
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident, IncidentAnswer, IncidentMerge, Transition
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from alerts.plans.models import PlanStep
from alerts.review.models import IncidentReview
from console.context import Rooms
from registry.models import Ring
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
COMPOUND = "honghua"


def entries(html: str) -> list[tuple[str, str]]:
    """(sort, words) of each line, in the page's order."""
    found = re.findall(r'<li class="entry of-(\w+)[^>]*>(.*?)</li>', html, re.DOTALL)
    return [(sort, markup.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))) for sort, body in found]


@pytest.fixture
def told(seeded: Rooms, at: dt.datetime) -> dt.datetime:
    """Everything that can happen to an incident, a minute apart each; returns when it began."""
    begin = at - dt.timedelta(minutes=60)

    def after(minutes: float) -> dt.datetime:
        return begin + dt.timedelta(minutes=minutes)

    def add(*rows: Any) -> None:
        with seeded.database.write() as session:
            session.add_all(rows)

    blind = {
        "device": "cam-sheds",
        "start": after(0.5).isoformat(),
        "end": after(9).isoformat(),
        "why": "offline",
    }
    row = pages_history.incident(
        "i-told", after(0), zone="b3", ring=Ring.BUILDING, device_id="door-3", severity=1,
        state=State.CLOSED, version=5, blind=[blind],
    )  # fmt: skip
    add(row, pages_history.incident("i-other", after(0)))
    door = pages_history.event("t-door", "door-3", "b3", Ring.BUILDING, "door.forced", after(0))
    door.device_time = after(0) - dt.timedelta(minutes=7)
    late = pages_history.event("t-face", "cam-east", "gate-east", Ring.ENTRANCE, "face.captured", after(1),
                               pictures=[{"role": "face", "media_id": "a" * 64}])  # fmt: skip
    late.received_at = after(4)
    fault = pages_history.event("t-fault", "door-3", "b3", Ring.BUILDING, "device.tamper", after(2))
    add(door, late, fault)
    for n, (rule, severity, event, minute) in enumerate(
        (("R-E01", 3, "t-face", 1.1), ("R-B05", 1, "t-door", 1.2)), start=1
    ):
        add(Evidence(signal_id=f"t-sig-{n}", incident="i-told", rule=rule, severity=severity,
                     at=after(minute), event_ids=[event], sighting_ids=[]))  # fmt: skip
    steps = (
        (State.RAISED, "system", "system", None, None, 3),
        (State.ACKNOWLEDGED, "u-operator", "operator", None, None, 5),
        (State.CONFIRMED, "u-operator", "operator", None, "看得见撬痕", 7),
        (State.RESOLVED, "r-li", "volunteer", None, None, 30),
        (State.CLOSED, "u-admin", "administrator", None, None, 50),
    )
    for version, (state, actor, role, reason, note, minute) in enumerate(steps, start=1):
        add(Transition(id=f"t-{version}", incident="i-told", version=version, from_state=None, to_state=state,
                       actor=actor, role=role, at=after(minute), reason=reason, note=note))  # fmt: skip
    add(
        IncidentAnswer(id="t-a", incident="i-told", compound=COMPOUND, actor="u-operator", role="operator",
                       answer="match", at=after(6)),
        Dispatch(id="t-d", incident="i-told", compound=COMPOUND, responder="r-li", state=DispatchState.RESOLVED,
                 offered_at=after(8), seen_at=after(8.2), answered_at=after(8.4), set_out_at=after(9),
                 arrived_at=after(15), arrived_by=Arrival.CHECKPOINT, resolved_at=after(29),
                 result=Result.NOBODY_FOUND),
        IncidentCall(id="t-c", incident="i-told", compound=COMPOUND, number="110", actor="u-operator",
                     at=after(10)),
        PlanStep(incident="i-told", plan="forced_door", step="look", compound=COMPOUND, state="done",
                 actor="u-operator", role="operator", at=after(11)),
        Notification(id="t-n", compound=COMPOUND, key="t-n", purpose=Purpose.OFFER, responder="r-li", severity=1,
                     incident="i-told", state=NotificationState.ANSWERED, asked_at=after(8), ended_at=after(8.4)),
        IncidentMerge(id="t-m", compound=COMPOUND, target="i-told", source="i-other", actor="u-operator",
                      at=after(12), before={}),
        IncidentReview(id="t-r", incident="i-told", compound=COMPOUND, resolved_version=4, score=4, cause="unknown",
                       alert="right", lesson="门磁要换", measure=False, reviewer="u-admin", role="administrator",
                       at=after(40)),
    )  # fmt: skip
    add(NotificationAttempt(id="t-t", notification="t-n", contact="c", kind=ChannelKind.WEB_PUSH, number=1,
                            state=AttemptState.RECEIVED, at=after(8.05), received_at=after(8.1)))  # fmt: skip
    return begin


def test_everything_is_told_in_the_order_in_which_it_was(visit: Visit, told: dt.datetime) -> None:
    html = visit("operator", "en").get("/console/incidents/i-told/timeline").text
    lines = entries(html)
    sorts = [sort for sort, _ in lines]
    assert {"seen", "signal", "device", "step", "answer", "sent", "plan", "letter", "merge", "review"} == set(
        sorts
    )
    times = [words[:8] for _, words in lines]
    assert times == sorted(times)
    said = [
        "Door forced", "Severity raised to", "Compared the pictures", "看得见撬痕",
        "Asked to go: 李队员", "Letter to 李队员", "On the screen of 李队员", "Accepted: 李队员", "Set out",
        "Called 110", "Arrived: 李队员", "Done: 李队员", "Reviewed: 4 of 5",
    ]  # fmt: skip
    text = " ".join(words for _, words in lines)
    for words in said:
        assert words in text, words
    assert (
        text.index("Asked to go") < text.index("Accepted") < text.index("Called 110") < text.index("Arrived")
    )


def test_clocks_that_differ_are_both_shown(visit: Visit, told: dt.datetime) -> None:
    html = visit("operator", "en").get("/console/incidents/i-told/timeline?sort=seen").text
    lines = [words for _, words in entries(html)]
    [door] = [words for words in lines if "forced" in words.casefold()]
    [face] = [words for words in lines if "forced" not in words.casefold()]
    assert "by the device's clock" in door
    assert "received" not in door
    assert "received" in face


def test_what_nobody_could_see_is_not_told_as_nobody(visit: Visit, told: dt.datetime) -> None:
    html = visit("operator", "en").get("/console/incidents/i-told/timeline?sort=device").text
    text = " ".join(words for _, words in entries(html))
    assert "Nothing could be seen by 车棚摄像机 between" in text
    assert "That does not mean that nobody was there." in text
    assert "tamper" in text.casefold()


def test_sorts_filter_and_only_who_reads_the_audit_log_sees_who_looked(
    visit: Visit, seeded: Rooms, told: dt.datetime
) -> None:
    operator, admin = visit("operator", "en"), visit("admin", "en")
    with seeded.database.write() as session:
        row = session.get_one(Incident, "i-told")
        row.subject_kind, row.subject = "person", "p-1"
    only = operator.get("/console/incidents/i-told/timeline?sort=sent&sort=plan").text
    assert {sort for sort, _ in entries(only)} == {"sent", "plan"}
    assert "look" not in {
        sort for sort, _ in entries(operator.get("/console/incidents/i-told/timeline").text)
    }
    looks = [
        words
        for sort, words in entries(admin.get("/console/incidents/i-told/timeline").text)
        if sort == "look"
    ]
    assert len(looks) >= 2
    with seeded.database.read() as session:
        actors = session.scalars(
            select(AuditRow.actor).where(AuditRow.subject == "i-told", AuditRow.action == "incident.viewed")
        ).all()
    assert actors.count("u-operator") == 2
    assert actors.count("u-admin") == 1


def test_pictures_go_on_paper_only_where_somebody_asks(visit: Visit, told: dt.datetime) -> None:
    client = visit("operator", "en")
    plain = client.get("/console/incidents/i-told/timeline").text
    assert f"/api/v1/media/{'a' * 64}?purpose=incident_handling" in plain
    assert "with-pictures" not in plain
    assert "with-pictures" in client.get("/console/incidents/i-told/timeline?pictures=true").text


def test_two_thousand_signals_come_in_pages(visit: Visit, seeded: Rooms, at: dt.datetime) -> None:
    begin = at - dt.timedelta(hours=1)
    with seeded.database.write() as session:
        session.add(pages_history.incident("i-many", begin, signal_count=2000))
        session.flush()
        for n in range(2000):
            moment = begin + dt.timedelta(seconds=n)
            event = pages_history.event(f"m-{n:05}", "door-3", "b3", Ring.BUILDING, "door.opened", moment)
            session.add(event)
            session.add(Evidence(signal_id=f"m-sig-{n:05}", incident="i-many", rule="R-B05", severity=3, at=moment,
                                 event_ids=[event.id], sighting_ids=[]))  # fmt: skip
    client = visit("operator", "en")
    first = client.get("/console/incidents/i-many/timeline").text
    assert "Page 1 of 40, 4000 entries" in first
    assert len(entries(first)) == 100
    last = client.get("/console/incidents/i-many/timeline?page=999").text
    assert "Page 40 of 40" in last
    assert "Later" not in last


def test_nobody_else_opens_it(visit: Visit, told: dt.datetime) -> None:
    assert visit("operator").get("/console/incidents/nothing/timeline").status_code == 404
    for role in ("li", "guard", "resident", "auditor"):
        assert visit(role).get("/console/incidents/i-told/timeline").status_code == 403

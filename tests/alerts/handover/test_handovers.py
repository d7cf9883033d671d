"""交接班: generated once at the end of a shift, signed by two, and never changed after that."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from handover_world import CHANGE, DAY, HOUR, NIGHT, later, shift, staffed
from sqlalchemy import select, text

from alerts.duty.models import Shift
from alerts.handover import rounds, surroundings
from alerts.handover.facts import gather
from alerts.handover.models import Handover, HandoverEntry, HandoverSignature
from alerts.handover.rules import EntryKind, Side
from alerts.handover.sealing import digest
from alerts.handover.writing import make, sign, whole, write
from alerts.incidents.actor import SYSTEM, Actor
from alerts.incidents.lifecycle import State
from alerts.mutes import RuleMute
from alerts.notify.models import ChannelKind, Contact, Notification
from alerts.patrols.models import RoundState
from alerts.routing.models import Silence
from bus.deadletters import DeadLetter
from devices.commands.models import CommandState, DeviceCommand
from devices.models import DeviceStatus
from devices.points import DevicePoint
from registry.errors import RefusedError
from registry.models import WatchlistEntry
from storage import Database, audit, new_id
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.rounds import Walked


@pytest.fixture
def settled(either_database: Database) -> Database:
    staffed(either_database)
    return either_database


def made(settled: Database) -> str:
    with settled.write() as session:
        row = make(session, COMPOUND, SYSTEM, CHANGE, since=later(hours=-8), until=CHANGE)
        assert row is not None
        return row.id


def signing(settled: Database, handover: str, side: Side, by: Actor, **more: object) -> str:
    try:
        with settled.write() as session:
            sign(session, COMPOUND, handover, side, by, later(minutes=5), **more)
    except RefusedError as error:
        return error.code
    return "signed"


def told(settled: Database) -> list[tuple[str | None, str]]:
    with settled.read() as session:
        rows = session.scalars(select(Notification).order_by(Notification.asked_at, Notification.responder))
        return [(row.responder, row.arguments["why"]) for row in rows]


def keep(settled: Database, at: dt.datetime) -> int:
    with settled.write() as session:
        return rounds.keep(session, at)


def test_end_of_a_shift_is_handed_over_once_and_both_hear_of_it(settled):
    assert keep(settled, later(seconds=-1)) == 0
    assert keep(settled, later(seconds=1)) == 1
    assert keep(settled, later(minutes=1)) == 0
    assert told(settled) == [("op-day", "handover_to_sign"), ("op-night", "handover_to_sign")]
    with settled.read() as session:
        row = session.scalars(select(Handover)).one()
        assert (row.compound, row.until, row.since, row.made_by) == (
            COMPOUND,
            CHANGE,
            later(hours=-8),
            "system",
        )
        assert (row.facts["outgoing"], row.facts["incoming"]) == (["op-night"], ["op-day"])
        assert row.facts["next_until"] == later(hours=8).isoformat()
        assert audit.verify(session) is None


def test_shifts_of_others_on_call_long_past_or_that_go_on_are_not_handed_over(settled):
    with settled.write() as session:
        session.execute(text("DELETE FROM shifts"))
        session.add_all(
            [
                shift("guard", -8, 0),
                shift("op-lead", -8, 0, on_call=True),
                shift("op-day", -16, -2),
                # The same operator stands two in a row.
                shift("op-night", -4, 0),
                shift("op-night", 0, 4),
            ]
        )
    assert keep(settled, later(seconds=1)) == 0


def test_what_nobody_signed_in_half_an_hour_is_said_to_the_leader_once(settled):
    keep(settled, CHANGE)
    with settled.read() as session:
        handover = session.scalars(select(Handover.id)).one()
    assert signing(settled, handover, Side.OUTGOING, NIGHT) == "signed"
    assert keep(settled, later(minutes=29, seconds=59)) == 0
    assert keep(settled, later(minutes=30)) == 1
    assert keep(settled, later(minutes=31)) == 0
    assert told(settled)[2:] == [("op-lead", "handover_unsigned")]


def test_what_both_signed_is_said_to_nobody(settled):
    handover = made(settled)
    assert signing(settled, handover, Side.OUTGOING, NIGHT) == "signed"
    assert signing(settled, handover, Side.INCOMING, DAY) == "signed"
    assert keep(settled, later(minutes=45)) == 0


def test_nobody_signs_both_sides_or_a_side_that_is_signed_or_that_is_not_theirs(settled):
    handover = made(settled)
    assert signing(settled, handover, Side.INCOMING, NIGHT, responder="op-night") == "handover_side"
    assert signing(settled, handover, Side.OUTGOING, DAY, responder="op-day") == "handover_side"
    assert signing(settled, handover, Side.OUTGOING, NIGHT, responder="op-night") == "signed"
    assert signing(settled, handover, Side.INCOMING, NIGHT) == "handover_both"
    assert signing(settled, handover, Side.OUTGOING, DAY) == "handover_signed"
    # Somebody stands in whom no roster knows.
    assert signing(settled, handover, Side.INCOMING, Actor("user-stand-in", "operator")) == "signed"


def test_two_who_sign_the_same_side_at_once_give_one_signature(settled):
    handover = made(settled)
    people = [Actor(f"user-{number}", "operator") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(lambda one: signing(settled, handover, Side.OUTGOING, one), people))
    assert outcomes == ["handover_signed"] * 3 + ["signed"]


def test_one_who_signs_both_at_once_signs_one(settled):
    handover = made(settled)
    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(lambda side: signing(settled, handover, side, NIGHT), list(Side)))
    assert outcomes == ["handover_both", "signed"]
    with settled.read() as session:
        assert len(session.scalars(select(HandoverSignature)).all()) == 1


def test_two_processes_that_notice_the_end_of_a_shift_generate_one(settled):
    with ThreadPoolExecutor(3) as pool:
        made_by = list(pool.map(lambda _: keep(settled, later(seconds=1)), range(3)))
    assert sum(made_by) == 1


def test_both_sign_the_same_and_what_comes_after_stands_beside_it(settled):
    handover = made(settled)
    with settled.write() as session:
        before = whole(session, session.get_one(Handover, handover)).to_sign
        note = write(session, COMPOUND, handover, "北门道闸卡顿", NIGHT, CHANGE, side=Side.OUTGOING)
        assert note.kind is EntryKind.NOTE
    assert signing(settled, handover, Side.INCOMING, DAY, seen=before) == "handover_changed"
    assert signing(settled, handover, Side.OUTGOING, NIGHT) == "signed"
    with settled.write() as session:
        after = write(session, COMPOUND, handover, "道闸已修", DAY, later(minutes=9))
        against = write(
            session,
            COMPOUND,
            handover,
            "钥匙没有交",
            DAY,
            later(minutes=9),
            side=Side.INCOMING,
            disagrees=True,
        )
        assert (after.kind, against.kind) == (EntryKind.ADDENDUM, EntryKind.DISAGREEMENT)
    assert signing(settled, handover, Side.INCOMING, DAY) == "signed"
    with settled.read() as session:
        found = whole(session, session.get_one(Handover, handover))
        assert found.stands
        assert {one.digest for one in found.signatures.values()} == {found.row.sealed}
        assert found.row.sealed != before
        assert [one.text for one in found.entries if one.kind == EntryKind.DISAGREEMENT] == ["钥匙没有交"]
        assert audit.verify(session) is None


def forge(session, row):
    row.facts = {**row.facts, "drills": 7}


def forge_with_digest(session, row):
    """Whoever may write the table can make a digest, too; the audit log has the right one."""
    forge(session, row)
    row.digest = digest(row.facts)


def forge_note(session, row):
    session.scalars(select(HandoverEntry)).one().text = "什么都没有"


def drop_note(session, row):
    session.delete(session.scalars(select(HandoverEntry)).one())


@pytest.mark.parametrize("forgery", [forge, forge_with_digest, forge_note, drop_note])
def test_what_was_signed_and_changed_behind_everybodys_back_is_seen_and_not_signed_again(settled, forgery):
    handover = made(settled)
    with settled.write() as session:
        write(session, COMPOUND, handover, "北门道闸卡顿", NIGHT, CHANGE)
    assert signing(settled, handover, Side.OUTGOING, NIGHT) == "signed"
    with settled.write() as session:
        row = session.get_one(Handover, handover)
        assert whole(session, row).stands
        forgery(session, row)
        session.flush()
        assert not whole(session, row).stands
    assert signing(settled, handover, Side.INCOMING, DAY) == "handover_broken"


@pytest.mark.parametrize("words", ["", "   ", "长" * 4001])
def test_text_that_says_nothing_or_too_much_is_refused(settled, words):
    handover = made(settled)
    with pytest.raises(RefusedError, match="handover_text"), settled.write() as session:
        write(session, COMPOUND, handover, words, NIGHT, CHANGE)


def test_notes_lie_sealed(settled):
    handover = made(settled)
    with settled.write() as session:
        write(session, COMPOUND, handover, "北门道闸卡顿", NIGHT, CHANGE)
    with settled.read() as session:
        (raw,) = session.execute(text("SELECT text FROM handover_entries")).scalars()
    assert "道闸".encode() not in bytes(raw)


def around(settled: Database) -> None:
    """Something of everything that the next shift has to know, and beside each what it need not."""
    at = {"hour_ago": later(hours=-1), "long_ago": later(hours=-9)}
    with settled.write() as session:
        session.add_all(
            [
                keeping.incident(
                    at["hour_ago"], State.DISPATCHED, kind="door.forced", severity=2, due_at=later(minutes=1)
                ),
                keeping.incident(
                    at["hour_ago"],
                    State.FALSE_ALARM,
                    kind="door.forced",
                    severity=2,
                    false_alarm_reason="courier",
                ),
                keeping.incident(at["hour_ago"], State.RESOLVED, kind="door.forced", severity=2),
                keeping.incident(at["hour_ago"], State.RAISED, care=True),
                keeping.incident(at["hour_ago"], State.CLOSED, drill=True),
                keeping.incident(at["long_ago"], State.CLOSED, kind="old"),
                keeping.incident(at["hour_ago"], State.RAISED, compound=ELSEWHERE),
                RuleMute(
                    id="m1",
                    compound=COMPOUND,
                    rule="R-B05",
                    place="door-1",
                    starts_at=at["hour_ago"],
                    ends_at=later(hours=1),
                    author="u1",
                    reason="锁",
                ),
                RuleMute(
                    id="m2",
                    compound=COMPOUND,
                    rule="R-B05",
                    starts_at=at["long_ago"],
                    ends_at=at["hour_ago"],
                    author="u1",
                    reason="锁",
                ),
                Silence(
                    id="s1",
                    compound=COMPOUND,
                    matchers=["kind=door.forced"],
                    gravest=3,
                    starts_at=at["hour_ago"],
                    ends_at=later(hours=1),
                    made_at=at["hour_ago"],
                    author="u1",
                    comment="修锁",
                ),
                DeviceStatus(device_id="cam-1", online=False, since=at["hour_ago"]),
                DeviceStatus(device_id="cam-2", online=True, since=at["long_ago"], clock_off=True),
                DeviceStatus(device_id="door-1", online=True, since=at["long_ago"]),
                DevicePoint(device_id="door-1", point="tamper", value="on", since=at["hour_ago"]),
                DeadLetter(
                    id="d1",
                    source="mqtt",
                    reason="bad_json",
                    detail="",
                    topic="t",
                    compound=COMPOUND,
                    received_at=at["hour_ago"],
                    size=1,
                    context={},
                ),
                DeadLetter(
                    id="d2",
                    source="mqtt",
                    reason="bad_json",
                    detail="",
                    topic="t",
                    compound=COMPOUND,
                    received_at=at["long_ago"],
                    size=1,
                    context={},
                ),
                Contact(
                    id="c1",
                    compound=COMPOUND,
                    responder="op-day",
                    kind=ChannelKind.APPRISE,
                    name="微信",
                    address="x",
                    settings={},
                    enabled=True,
                    created_at=at["long_ago"],
                    dead_since=at["hour_ago"],
                ),
            ]
        )
        for number, (start, end) in enumerate([(1, 30), (-30, 2), (-30, 30), (9, 30)]):
            session.add(
                WatchlistEntry(
                    id=f"w{number}",
                    compound=COMPOUND,
                    subject_kind="plate",
                    subject="云A00001",
                    legal_basis="police_order",
                    document_no="1",
                    applicant="a",
                    approver="b",
                    reason="r",
                    rings=[],
                    starts_at=later(hours=start),
                    ends_at=later(hours=end),
                )
            )
        for kind, device, hours in (("hold", "door-1", -3), ("hold", "cam-1", -4), ("release", "cam-1", -2)):
            session.add(
                DeviceCommand(
                    id=new_id(),
                    compound=COMPOUND,
                    device=device,
                    kind=kind,
                    arguments={},
                    state=CommandState.ACKED,
                    asked_by="u1",
                    reason="搬家",
                    key=new_id(),
                    asked_at=later(hours=hours),
                    expires_at=later(hours=hours) + HOUR,
                )
            )


def test_the_next_shift_is_told_everything_it_has_to_know_and_nothing_else(settled):
    around(settled)
    with settled.read() as session:
        facts = gather(session, COMPOUND, later(hours=-8), CHANGE)
    assert facts["open"]["number"] == 1
    (item,) = facts["open"]["items"]
    assert (item["kind"], item["state"], item["timer"], item["due_at"]) == (
        "door.forced",
        "dispatched",
        "accept",
        later(minutes=1).isoformat(),
    )
    assert facts["open"]["care"] == 1
    assert facts["alerts"]["totals"] == {
        "total": 3,
        "confirmed": 2,
        "false": 1,
        "cleared": 0,
        "undecided": 0,
        "no_alarm": 0,
    }
    assert (facts["drills"], facts["unreviewed"]) == (1, 1)
    assert [(m["rule"], m["place"], m["author"]) for m in facts["mutes"]] == [("R-B05", "door-1", "u1")]
    (silence,) = facts["silences"]
    assert (silence["matchers"], silence["author"], silence["until"]) == (
        ["kind=door.forced"],
        "u1",
        later(hours=1).isoformat(),
    )
    assert {d["id"]: d["what"] for d in facts["devices"]} == {
        "cam-1": ["offline"],
        "cam-2": ["time_skew"],
        "door-1": ["tampered"],
    }
    assert [d["device"] for d in facts["doors"]] == ["door-1"]
    assert facts["watchlist"] == {"begin": ["w0"], "end": ["w1"]}
    assert facts["dead_letters"] == [{"reason": "bad_json", "number": 1}]
    assert [c["kind"] for c in facts["dead_channels"]] == ["apprise"]


def test_why_it_is_silent_is_read_where_it_lies_sealed_and_not_frozen(settled):
    around(settled)
    with settled.write() as session:
        row = make(session, COMPOUND, SYSTEM, CHANGE, since=later(hours=-8), until=CHANGE)
        assert "修锁" not in str(row.facts)
        frozen = row.facts["silences"]
        assert surroundings.reasons(session, COMPOUND, frozen) == {"s1": "修锁"}
        assert surroundings.reasons(session, ELSEWHERE, frozen) == {}
        session.execute(text("DELETE FROM silences"))
        assert surroundings.reasons(session, COMPOUND, frozen) == {}


def test_points_that_nobody_came_by_in_the_shift_are_handed_over(settled):
    with settled.write() as session:
        walked = Walked(session, COMPOUND, "gate", later(days=-9))
        walked.round(later(hours=-10), RoundState.MISSED, 0)
        walked.round(later(hours=-7), RoundState.DONE, 2)
        walked.round(later(hours=-5), RoundState.MISSED, 1)
        walked.round(later(hours=-3), RoundState.ABORTED, 0)
        walked.round(later(hours=-2), RoundState.ABORTED, 0, asked=False)
        walked.round(later(minutes=-20), RoundState.PLANNED, 0)
        facts = gather(session, COMPOUND, later(hours=-8), CHANGE)
    assert [(p["route"], p["point"], p["zone"], p["why"]) for p in facts["patrols"]] == [
        ("夜巡", "车棚", "gate", "missed"),
        ("夜巡", "东门", "gate", "aborted"),
        ("夜巡", "车棚", "gate", "aborted"),
    ]
    assert facts["patrols"][0]["due"] == later(hours=-4, minutes=-30).isoformat()


def test_it_names_nobody(settled):
    around(settled)
    with settled.read() as session:
        said = str(gather(session, COMPOUND, later(hours=-8), CHANGE))
    for word in ("名字", "云A00001", "搬家", "修锁", "微信", "锁"):
        assert word not in said


def test_one_made_on_demand_goes_on_from_the_last_one(settled):
    made(settled)
    with settled.write() as session:
        row = make(session, COMPOUND, NIGHT, later(hours=2))
        assert (row.since, row.until, row.made_by) == (CHANGE, later(hours=2), NIGHT.id)
        assert make(session, COMPOUND, NIGHT, later(hours=2)) is None
        assert session.scalars(select(Shift)).first() is not None

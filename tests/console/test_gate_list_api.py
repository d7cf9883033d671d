"""What a guard's phone may keep for the time without a network, and what it tells afterwards."""

import datetime as dt

from sqlalchemy import select

from alerts.duty.models import Responder, Shift, Team, TeamKind
from console.accounts.models import Role
from registry.models import PassUse, Ring, VisitorPass, Zone
from storage import new_id
from storage.events import EventRow

LIST = "/api/v1/gate/expected"


def posted(database, rooms, world, zone: str) -> str:
    """A guard who is posted at a gate for two more hours."""
    now = rooms.clock.now()
    with database.write() as session:
        if session.get(Zone, "back") is None:
            there = session.get_one(Zone, "gate")
            kept = {"ring": Ring.ENTRANCE, "kind": "gate", "outline": there.outline}
            session.add(Zone(id="back", compound=rooms.compound, name="后门", **kept))
        session.add(Team(id="t-g", compound=rooms.compound, name="保安班", kind=TeamKind.GUARD))
        session.flush()
        session.add(Responder(id="r-g", team="t-g", name="赵保安", post=zone))
        session.flush()
        start, end = now - dt.timedelta(hours=1), now + dt.timedelta(hours=2)
        session.add(Shift(id="s-g", responder="r-g", starts_at=start, ends_at=end))
    return "r-g"


def visitor(database, rooms, *, plate="云M12845", starts=-1.0, ends=1.0, zones=("gate",), uses=None) -> str:
    now, key = rooms.clock.now(), new_id()
    with database.write() as session:
        session.add(
            VisitorPass(
                id=key,
                compound=rooms.compound,
                kind="visitor",
                state="approved",
                plate=plate,
                starts_at=now + dt.timedelta(hours=starts),
                ends_at=now + dt.timedelta(hours=ends),
                zones=list(zones),
                max_uses=uses,
                token_hash="a" * 64 if plate is None else None,
                version=1,
            )
        )
    return key


async def test_list_holds_who_may_pass_this_gate_in_this_shift_and_no_more(signed_in, world, database, rooms):
    guard = signed_in(Role.GUARD, responder_id=posted(database, rooms, world, "gate"))
    now_in = visitor(database, rooms)
    later = visitor(database, rooms, plate=None, starts=1.0, ends=3.0)
    visitor(database, rooms, zones=("back",))
    visitor(database, rooms, starts=5.0, ends=6.0)
    visitor(database, rooms, starts=-3.0, ends=-1.0)
    answer = await guard.get(LIST, params={"zone": "gate"})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert [(one["id"], one["state"]) for one in shown["passes"]] == [(now_in, "valid"), (later, "later")]
    assert set(shown["passes"][0]) == {
        *("id", "kind", "plate", "starts_at", "ends_at", "destination", "state", "code")
    }
    # It ends with the shift.
    assert dt.datetime.fromisoformat(shown["expires_at"]) == rooms.clock.now() + dt.timedelta(hours=2)
    assert [one["code"] for one in shown["passes"]] == [None, "a" * 24]


async def test_guard_has_the_list_of_their_own_gate_alone(signed_in, world, database, rooms):
    guard = signed_in(Role.GUARD, responder_id=posted(database, rooms, world, "gate"))
    for zone in ("back", "nowhere"):
        answer = await guard.get(LIST, params={"zone": zone})
        assert (answer.status_code, answer.json()["code"]) == (409, "other_gate")


async def test_use_noted_without_a_network_counts_once_at_its_own_time(signed_in, world, database, rooms):
    guard = signed_in(Role.GUARD, responder_id=posted(database, rooms, world, "gate"))
    now = rooms.clock.now()
    key = visitor(database, rooms, uses=1)
    noted = now - dt.timedelta(minutes=40)
    body = {"zone": "gate", "use_id": "u-1", "at": noted.isoformat(), "sent_at": now.isoformat()}
    reasons = []
    for _ in range(2):
        answer = await guard.post(f"/api/v1/passes/{key}/uses", json=body)
        reasons.append(answer.json()["reason"])
    assert reasons == ["valid", "repeated"]
    with database.read() as session:
        (use,) = session.scalars(select(PassUse).where(PassUse.visitor_pass == key)).all()
        assert use.at == noted
        assert session.scalars(select(EventRow).where(EventRow.type.like("visitor.%"))).all() == []


async def test_use_of_yesterday_is_not_taken_any_more(signed_in, world, database, rooms):
    guard = signed_in(Role.GUARD, responder_id=posted(database, rooms, world, "gate"))
    now = rooms.clock.now()
    key = visitor(database, rooms, starts=-20.0)
    body = {"zone": "gate", "use_id": "u-1", "at": (now - dt.timedelta(hours=13)).isoformat()}
    answer = await guard.post(f"/api/v1/passes/{key}/uses", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "press_too_old")

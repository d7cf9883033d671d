"""The API of reviews, measures, hand-overs and the month: what it takes, what it refuses, and no way around."""

import datetime as dt

import pytest
from console_world import COMPOUND, PLATE, START, incident
from sqlalchemy import select

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.review import ratings
from console.accounts.models import Role
from storage import new_id
from storage.audit import AuditRow

API = "/api/v1"
REVIEW = {"score": 4, "cause": "lighting", "alert": "right", "lesson": "the lamp was broken"}


def resolve(database, actor="somebody", **changes) -> str:
    row = incident(State.RESOLVED, version=2, **changes)
    with database.write() as session:
        session.add(row)
        session.flush()
        session.add(
            Transition(
                id=new_id(),
                incident=row.id,
                version=2,
                from_state=State.CONFIRMED,
                to_state=State.RESOLVED,
                actor=actor,
                role="operator",
                at=START,
            )
        )
        return row.id


@pytest.fixture
def manager(signed_in):
    return signed_in(Role.PROPERTY_MANAGER)


def state(database, key):
    with database.read() as session:
        return session.get_one(Incident, key).state


@pytest.mark.parametrize(("to", "code"), [("reviewed", "review_required"), ("closed", "not_from_here")])
async def test_no_step_leads_past_the_review(operator, world, database, to, code):
    key = resolve(database)
    answer = await operator.post(f"{API}/incidents/{key}/steps", json={"to": to})
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert state(database, key) == State.RESOLVED


async def test_manager_reviews_and_the_look_is_in_the_audit_log(manager, world, database):
    key = resolve(database)
    waiting = (await manager.get(f"{API}/reviews/waiting")).json()
    assert [one["id"] for one in waiting] == [key]
    assert PLATE not in str(waiting)
    made = await manager.post(f"{API}/incidents/{key}/review", json=REVIEW)
    assert made.status_code == 201
    assert made.json()["reviewer"] == manager.user.id
    assert state(database, key) == State.REVIEWED
    assert (await manager.get(f"{API}/reviews?incident={key}")).json()["items"] == [made.json()]
    again = await manager.post(f"{API}/incidents/{key}/review", json=REVIEW)
    assert (again.status_code, again.json()["code"]) == (409, "not_resolved")
    with database.read() as session:
        written = session.scalars(select(AuditRow).where(AuditRow.action == "incident.review_written")).one()
        assert (written.subject, "the lamp" in written.detail) == (key, False)


async def test_whoever_resolved_it_or_does_not_supervise_does_not_review_it(
    manager, operator, world, database
):
    own = resolve(database, manager.user.id)
    for browser, key, code in ((manager, own, "own_work"), (operator, own, "not_a_supervisor")):
        answer = await browser.post(f"{API}/incidents/{key}/review", json=REVIEW)
        assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_same_key_reviews_once(manager, world, database):
    key = resolve(database)
    headers = {"Idempotency-Key": "once"}
    first = await manager.post(f"{API}/incidents/{key}/review", json=REVIEW, headers=headers)
    second = await manager.post(f"{API}/incidents/{key}/review", json=REVIEW, headers=headers)
    assert first.json() == second.json()


@pytest.mark.parametrize(
    "changes", [{"score": 0}, {"score": 6}, {"cause": "ghosts"}, {"alert": "maybe"}, {"lesson": ""}]
)
async def test_review_that_is_none_is_refused(manager, world, database, changes):
    answer = await manager.post(f"{API}/incidents/{resolve(database)}/review", json=REVIEW | changes)
    assert answer.status_code == 422


async def test_what_is_of_another_compound_is_not_found(manager, world, database):
    far = resolve(database, compound="sifang")
    assert (await manager.post(f"{API}/incidents/{far}/review", json=REVIEW)).status_code == 404
    assert (await manager.post(f"{API}/incidents/{far}/invitations", json={})).status_code == 404
    assert (await manager.get(f"{API}/reviews/waiting")).json() == []


async def test_a_low_rating_of_whoever_was_asked_takes_it_up_again(
    manager, volunteer, signed_in, world, database, clock
):
    key = resolve(database)
    with database.write() as session:
        invited = ratings.invite(
            session, session.get_one(Incident, key), clock.now(), responder=world.responder
        )
        rating = invited.rating.id
    stranger = signed_in(Role.VOLUNTEER, responder_id="wang", name="wang")
    assert (await stranger.get(f"{API}/ratings")).json() == []
    assert (await stranger.post(f"{API}/ratings/{rating}", json={"score": 5})).status_code == 404
    (asked,) = (await volunteer.get(f"{API}/ratings")).json()
    assert set(asked) == {"id", "kind", "incident_kind", "zone", "resolved_at", "expires_at"}
    assert (await volunteer.post(f"{API}/ratings/{rating}", json={"score": 2})).status_code == 204
    assert state(database, key) == State.REOPENED
    again = await volunteer.post(f"{API}/ratings/{rating}", json={"score": 5})
    assert (again.status_code, again.json()["code"]) == (409, "rating_given")
    refused = await manager.post(f"{API}/incidents/{key}/invitations", json={"responder": world.responder})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_resolved_or_asked")


async def test_measures_go_their_way_and_a_blocking_one_holds_its_incident(
    manager, operator, world, database
):
    key = resolve(database)
    with database.read() as session:
        from alerts.duty.models import Team

        team = session.scalars(select(Team.id).where(Team.compound == COMPOUND)).first()
    due = (START + dt.timedelta(days=3)).isoformat()
    measure = {
        "what": "a lamp",
        "missing": "it is dark",
        "zone": "gate",
        "team": team,
        "due_at": due,
        "blocking": True,
    }
    assert (
        await manager.post(f"{API}/incidents/{key}/review", json=REVIEW | {"measure": measure})
    ).status_code == 201
    (need,) = (await manager.get(f"{API}/needs")).json()
    assert (need["what"], need["zone"], need["incidents"]) == ("it is dark", "gate", [key])
    (lamp,) = (await manager.get(f"{API}/measures")).json()
    closing = {"to": "closed"}
    refused = await operator.post(f"{API}/incidents/{key}/steps", json=closing)
    assert (refused.status_code, refused.json()["code"]) == (409, "measure_open")
    assert (await manager.post(f"{API}/needs/{need['id']}/end")).json()["code"] == "need_measures_open"
    path = f"{API}/measures/{lamp['id']}"
    assert (await manager.patch(path, json={"state": "done"})).json()["code"] == "measure_note_required"
    stale = await manager.patch(path, json={"state": "doing", "version": 9})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")
    assert (await manager.patch(path, json={"state": "done", "note": "a photo"})).json()["state"] == "done"
    assert (await operator.post(f"{API}/incidents/{key}/steps", json=closing)).status_code == 201
    assert (await manager.post(f"{API}/needs/{need['id']}/end")).status_code == 200
    assert (await manager.get(f"{API}/needs")).json() == []


async def test_two_sign_and_the_second_word_stands_beside_it(
    operator, administrator, manager, world, database
):
    made = (await operator.post(f"{API}/handovers")).json()
    path = f"{API}/handovers/{made['id']}"
    assert made["stands"]
    assert PLATE not in str(made["facts"])
    note = {"text": "the barrier sticks"}
    assert (await operator.post(f"{path}/entries", json=note)).json()["kind"] == "note"
    stale = {"side": "outgoing", "digest": made["to_sign"]}
    assert (await operator.post(f"{path}/signatures", json=stale)).json()["code"] == "handover_changed"
    digest = (await manager.get(path)).json()["to_sign"]
    for browser, side, status in (
        (operator, "outgoing", 201),
        (operator, "incoming", 409),
        (administrator, "outgoing", 409),
        (administrator, "incoming", 201),
    ):
        answer = await browser.post(f"{path}/signatures", json={"side": side, "digest": digest})
        assert answer.status_code == status, (side, answer.json())
    against = {"text": "the keys were not there", "side": "incoming", "disagrees": True}
    assert (await administrator.post(f"{path}/entries", json=against)).json()["kind"] == "disagreement"
    assert (await operator.post(f"{path}/entries", json={"text": "they were"})).json()["kind"] == "addendum"
    found = (await manager.get(path)).json()
    assert (found["stands"], found["to_sign"]) == (True, digest)
    assert {one["side"] for one in found["signatures"]} == {"outgoing", "incoming"}
    assert [one["id"] for one in (await manager.get(f"{API}/handovers")).json()] == [made["id"]]


async def test_month_names_nobody_and_says_when_there_is_none(manager, world, database):
    resolve(database)
    found = (await manager.get(f"{API}/reports/month?month=2026-11")).json()
    assert found["totals"]["total"] == found["totals"]["confirmed"] + found["totals"]["undecided"]
    assert PLATE not in str(found)
    for bad in ("2026-13", "nov", "2031-01", "1999-01"):
        answer = await manager.get(f"{API}/reports/month?month={bad}")
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_month")
    with database.read() as session:
        read = session.scalars(select(AuditRow).where(AuditRow.action == "report.month")).all()
        assert [row.detail for row in read] == ["2026-11"]

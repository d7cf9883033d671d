"""Merging, answering and what stands apart from the queue, over HTTP."""

import pytest
from console_world import COMPOUND, START, incident
from sqlalchemy import select

from alerts.incidents import answers
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import Comparison, State
from alerts.incidents.models import Evidence, Incident, IncidentKey, MergeProposal
from alerts.rulebook.models import RuleVersion
from alerts.rulebook.versions import digest_of
from storage import new_id
from storage.audit import AuditRow

TWO_PERSONS = '[confirmation]\ntwo_persons = ["R-E04"]\n'


@pytest.fixture
def pair(database) -> tuple[str, str]:
    """Two incidents that may be one thing, with a key and a piece of evidence each."""
    rows = [incident(minutes=1, severity=3), incident(minutes=2, severity=2)]
    with database.write() as session:
        for number, row in enumerate(rows):
            session.add(row)
            session.flush()
            session.add(IncidentKey(compound=COMPOUND, key=f"k-{number}", incident=row.id, last_at=START))
            proof = Evidence(
                signal_id=new_id(), incident=row.id, rule="R-E04", severity=row.severity, at=START
            )
            proof.event_ids, proof.sighting_ids = [], []
            proof.trace = {"parameters": {"wait_s": 60.0}}
            session.add(proof)
    return rows[0].id, rows[1].id


def state_of(database, incident_id: str) -> str:
    with database.read() as session:
        return session.get_one(Incident, incident_id).state


async def test_merge_is_previewed_made_and_undone(operator, world, database, pair):
    target, source = pair
    shown = (
        await operator.post(f"/api/v1/incidents/{target}/merges/preview", json={"source": source})
    ).json()
    assert (shown["severity"], shown["evidence"], shown["keys"], shown["refused"]) == (
        2,
        2,
        ["k-0", "k-1"],
        None,
    )
    assert state_of(database, source) == "raised"
    versions = {name: shown[name] for name in ("target_version", "source_version")}
    made = await operator.post(f"/api/v1/incidents/{target}/merges", json={"source": source} | versions)
    assert made.status_code == 201
    full = (await operator.get(f"/api/v1/incidents/{target}")).json()
    assert (full["severity"], len(full["evidence"]), [one["source"] for one in full["merges"]]) == (
        2,
        2,
        [source],
    )
    assert {one["moved_from"] for one in full["evidence"]} == {None, source}
    gone = (await operator.get(f"/api/v1/incidents/{source}")).json()
    assert (gone["state"], gone["merged_into"]) == ("merged", target)
    back = await operator.post(f"/api/v1/merges/{made.json()['id']}/undo")
    assert (back.json()["id"], back.json()["state"]) == (source, "raised")
    again = await operator.post(f"/api/v1/merges/{made.json()['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "merge_undone")


async def test_merge_of_what_has_changed_since_the_preview_is_refused(operator, world, pair):
    target, source = pair
    asked = {"source": source, "target_version": 7}
    answer = await operator.post(f"/api/v1/incidents/{target}/merges", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_version")


async def test_same_request_again_merges_nothing_twice(operator, world, database, pair):
    target, source = pair
    key = {"Idempotency-Key": "once"}
    asked = {"source": source}
    first = await operator.post(f"/api/v1/incidents/{target}/merges", json=asked, headers=key)
    again = await operator.post(f"/api/v1/incidents/{target}/merges", json=asked, headers=key)
    assert first.json() == again.json()
    with database.read() as session:
        assert session.get_one(Incident, target).signal_count == 2


async def test_proposal_is_listed_decided_and_then_gone(operator, world, database, pair):
    first, second = sorted(pair)
    with database.write() as session:
        session.add(
            MergeProposal(
                id="m1", compound=COMPOUND, first=first, second=second, reason="cluster_near", at=START
            )
        )
    listed = (await operator.get("/api/v1/merge-proposals")).json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [("m1", "open")]
    other = await operator.post("/api/v1/merge-proposals/m1/decision", json={"into": world.raised})
    assert (other.status_code, other.json()["code"]) == (409, "proposal_other")
    decided = await operator.post("/api/v1/merge-proposals/m1/decision", json={"into": second})
    assert decided.json()["state"] == "merged"
    assert state_of(database, first) == "merged"
    assert (await operator.get("/api/v1/merge-proposals")).json()["items"] == []
    assert (await operator.get("/api/v1/merge-proposals?state=merged")).json()["items"] != []


async def test_answer_says_what_is_still_missing_and_the_second_person_confirms(operator, world, database):
    with database.write() as session:
        session.add(
            RuleVersion(
                id=new_id(),
                compound=COMPOUND,
                number=1,
                text=TWO_PERSONS,
                digest=digest_of(TWO_PERSONS),
                author="admin",
                at=START,
            )
        )
        row = incident(needs_comparison=True)
        session.add(row)
    base = f"/api/v1/incidents/{row.id}"
    given = await operator.post(f"{base}/answers", json={"answer": "match"})
    assert (given.status_code, given.json()["missing"]) == (201, "second_person_required")
    step = {"to": "confirmed", "comparison": "match"}
    alone = await operator.post(f"{base}/steps", json=step)
    assert (alone.status_code, alone.json()["code"]) == (409, "second_person_required")
    with database.write() as session:
        answers.give(session, row.id, Comparison.MATCH, Actor("another", "operator"), START)
    assert (await operator.post(f"{base}/steps", json=step)).status_code == 201
    full = (await operator.get(base)).json()
    assert (full["two_persons"], full["state"], len(full["answers"])) == (True, "confirmed", 2)
    assert full["timer"] == "dispatch"
    late = await operator.post(f"{base}/answers", json={"answer": "not_match"})
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")


async def test_incident_merged_into_another_takes_its_need_of_two_people_along(operator, world, database):
    text = TWO_PERSONS.replace("R-E04", "R-C08")
    with database.write() as session:
        session.add(
            RuleVersion(
                id=new_id(),
                compound=COMPOUND,
                number=1,
                text=text,
                digest=digest_of(text),
                author="admin",
                at=START,
            )
        )
        target, source = incident(minutes=1), incident(minutes=2, rule="R-C08")
        session.add_all([target, source])
        session.flush()
        proof = Evidence(signal_id=new_id(), incident=source.id, rule="R-C08", severity=3, at=START)
        proof.event_ids, proof.sighting_ids, proof.trace = [], [], {}
        session.add(proof)
    base = f"/api/v1/incidents/{target.id}"
    assert (await operator.get(base)).json()["two_persons"] is False
    assert (await operator.post(f"{base}/merges", json={"source": source.id})).status_code == 201
    assert (await operator.get(base)).json()["two_persons"] is True
    alone = await operator.post(f"{base}/steps", json={"to": "confirmed"})
    assert (alone.status_code, alone.json()["code"]) == (409, "second_person_required")


async def test_what_is_held_back_and_what_is_care_stand_apart_from_the_queue(operator, world, database):
    with database.write() as session:
        held = incident(minutes=3, held=True, held_reason="hour_full")
        care = incident(
            minutes=4, care=True, rule="R-B09", kind="care.silent", subject_kind=None, subject=None
        )
        session.add_all([held, care])
    queue = [one["id"] for one in (await operator.get("/api/v1/incidents")).json()["items"]]
    assert not {held.id, care.id} & set(queue)
    assert [one["id"] for one in (await operator.get("/api/v1/incidents/held")).json()["items"]] == [held.id]
    assert [one["id"] for one in (await operator.get("/api/v1/incidents/care")).json()["items"]] == [care.id]
    with database.read() as session:
        assert "care.listed" in session.scalars(select(AuditRow.action)).all()
    page = (await operator.get("/console")).text
    main, _, apart = page.partition('id="queue-care"')
    assert f"item-{care.id}" not in main
    assert f"item-{care.id}" in apart
    assert f"item-{held.id}" not in main
    assert f"item-{held.id}" in apart


async def test_resolved_one_is_reopened_for_a_reason(operator, world, database):
    with database.write() as session:
        row = incident(State.RESOLVED)
        session.add(row)
    base = f"/api/v1/incidents/{row.id}/steps"
    bare = await operator.post(base, json={"to": "reopened"})
    assert (bare.status_code, bare.json()["code"]) == (409, "reason_required")
    again = await operator.post(base, json={"to": "reopened", "reason": "not_done"})
    assert (again.status_code, again.json()["state"]) == (201, "reopened")


async def test_nobody_merges_by_saying_that_it_is_merged(operator, world):
    answer = await operator.post(f"/api/v1/incidents/{world.raised}/steps", json={"to": "merged"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_from_here")


async def test_guess_is_confirmed_only_after_its_link_was_answered(operator, world, database):
    with database.write() as session:
        session.get_one(Incident, world.raised).probable = True
    base = f"/api/v1/incidents/{world.raised}"
    early = await operator.post(f"{base}/steps", json={"to": "confirmed"})
    assert (early.status_code, early.json()["code"]) == (409, "link_unanswered")
    assert state_of(database, world.raised) == "raised"
    assert (await operator.post(f"{base}/link", json={"right": True})).status_code < 300
    assert (await operator.post(f"{base}/steps", json={"to": "confirmed"})).status_code == 201


async def test_link_that_is_no_guess_needs_nobodys_word(operator, world):
    answer = await operator.post(f"/api/v1/incidents/{world.raised}/link", json={"right": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_probable")

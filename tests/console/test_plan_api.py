"""The response plan over HTTP and on the page: what is next, who did what, and whom doors obey."""

import pytest
from sqlalchemy import select

from alerts.incidents.models import Incident
from alerts.plans.models import PlanStep
from storage.audit import AuditRow


@pytest.fixture
def forced(world, database) -> str:
    with database.write() as session:
        session.get_one(Incident, world.raised).rule = "R-B05"
    return world.raised


async def test_plan_says_what_is_next_and_what_may_still_come(operator, forced) -> None:
    plan = (await operator.get(f"/api/v1/incidents/{forced}/plan")).json()
    assert (plan["id"], plan["silent"], plan["next"]) == ("forced_door", False, "look")
    assert [step["here"] for step in plan["steps"]][:2] == [True, False]


async def test_answer_chooses_the_branch_and_is_audited(operator, forced, database) -> None:
    path = f"/api/v1/incidents/{forced}/plan"
    plan = (await operator.post(f"{path}/look", json={"state": "done", "answer": "known_person"})).json()
    assert [step["id"] for step in plan["steps"]] == ["look", "repair"]
    assert plan["next"] == "repair"
    done = (await operator.post(f"{path}/repair", json={"state": "done"})).json()
    assert done["next"] is None
    with database.read() as session:
        trail = session.scalars(
            select(AuditRow.detail).where(AuditRow.action == "plan.done").order_by(AuditRow.seq)
        )
        assert trail.all() == ["forced_door.look", "forced_door.repair"]


@pytest.mark.parametrize(
    ("step", "body", "status", "code"),
    [
        ("nowhere", {"state": "done"}, 404, "no_such_step"),
        ("police", {"state": "done"}, 409, "not_on_this_way"),
        ("repair", {"state": "done"}, 409, "earlier_first"),
        ("look", {"state": "done"}, 409, "answer_required"),
        ("look", {"state": "done", "answer": "perhaps"}, 409, "unknown_answer"),
        ("look", {"state": "forgotten"}, 422, "invalid_request"),
    ],
)
async def test_refused_with_a_reason(operator, forced, database, step, body, status, code) -> None:
    answer = await operator.post(f"/api/v1/incidents/{forced}/plan/{step}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    with database.read() as session:
        assert session.scalars(select(PlanStep)).all() == []


async def test_plan_of_an_ended_incident_is_read_and_not_worked_off(operator, forced, database) -> None:
    with database.write() as session:
        session.get_one(Incident, forced).state = "closed"
    path = f"/api/v1/incidents/{forced}/plan"
    late = await operator.post(f"{path}/look", json={"state": "done", "answer": "nobody_seen"})
    assert (late.status_code, late.json()["code"]) == (409, "incident_ended")
    assert (await operator.get(path)).json()["next"] == "look"


async def test_plan_stands_on_the_page_and_is_worked_off_there(operator, forced) -> None:
    page = await operator.get(f"/console/fragments/incident/{forced}", headers={"HX-Request": "true"})
    assert "plan-title" in page.text
    token = operator.headers.get("X-CSRF-Token")
    taken = await operator.post(
        f"/console/incidents/{forced}/plan/look",
        data={"answer": "nobody_seen"},
        headers={"HX-Request": "true"} | ({"X-CSRF-Token": token} if token else {}),
    )
    assert taken.status_code == 200
    assert 'aria-current="step"' in taken.text
    again = await operator.post(
        f"/console/incidents/{forced}/plan/look",
        data={"answer": "nobody_seen"},
        headers={"HX-Request": "true"},
    )
    assert 'role="alert"' in again.text

"""Rules, mutes and operating modes over HTTP: read by those who watch, changed by those who answer for it."""

import datetime as dt

import pytest
from console_world import COMPOUND, START
from sqlalchemy import select

from alerts.incidents.actor import Actor
from alerts.incidents.models import Incident
from alerts.rulebook import intake
from alerts.rulebook.models import RuleProposal, RuleVersion
from alerts.rulebook.versions import keep
from alerts.rulebook.writing import default
from alerts.rules import RULES
from console.accounts.models import Role
from storage import new_id
from storage.audit import AuditRow

API = "/api/v1"
TEXT = "version = 1\n\n[rules.R-E01]\nwindow_s = {}\n"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
async def manager(signed_in):
    return signed_in(Role.PROPERTY_MANAGER)


async def put(browser, text, since=0, **headers):
    body = {"text": text, "note": "slow readers", "since": since}
    return await browser.put(f"{API}/rules/file", json=body, headers=headers)


async def rule(browser, rule_id):
    shown = (await browser.get(f"{API}/rules")).json()
    return next(one for one in shown["rules"] if one["id"] == rule_id), shown


async def test_rules_are_shown_with_numbers_ranges_and_what_either_end_costs(operator, world):
    shown, whole = await rule(operator, "R-E01")
    assert {one["id"] for one in whole["rules"]} == {one.id for one in RULES}
    assert (whole["version"], whole["number"], whole["mode"], whole["file"]) == (
        "default",
        None,
        "normal",
        None,
    )
    (window,) = [one for one in shown["parameters"] if one["name"] == "window_s"]
    assert (window["value"], window["unit"], window["low"], window["high"]) == (10, "s", 2, 60)
    assert "Too long" in window["trade_off"]
    assert shown["severities"][0] == {"level": "day", "value": 4, "default": 4, "gravest": 2, "mildest": 4}
    assert shown["says"].startswith("an unknown person passed an entrance")
    assert (shown["enabled"], shown["health"]["share"], shown["mutes"]) == (True, None, 0)
    assert (await rule(operator, "R-E12"))[0]["safety"]


async def test_rules_are_shown_in_the_readers_language(operator, world):
    shown = (await operator.get(f"{API}/rules", headers={"Accept-Language": "zh-CN"})).json()["rules"]
    (one,) = [one for one in shown if one["id"] == "R-E01"]
    assert one["says"].startswith("陌生人")
    assert "找卡的住户" in one["parameters"][0]["trade_off"]


async def test_file_is_put_in_force_and_shown_as_it_was_written(administrator, operator, world):
    before = (await operator.get(f"{API}/rules/file")).json()
    assert (before["number"], before["text"]) == (0, default())
    answer = await put(administrator, TEXT.format(12))
    assert (answer.status_code, answer.json()) == (200, {"number": 1, "new": True, "warnings": []})
    assert (await put(administrator, TEXT.format(12), 1)).json()["new"] is False
    shown, whole = await rule(operator, "R-E01")
    assert (whole["version"], shown["parameters"][0]["value"]) == ("1", 12)
    assert (await operator.get(f"{API}/rules/file")).json()["text"] == TEXT.format(12)
    await put(administrator, TEXT.format(14), 1)
    versions = (await operator.get(f"{API}/rules/versions")).json()
    assert [(one["number"], one["author"], one["note"]) for one in versions] == [
        (2, administrator.user.id, "slow readers"),
        (1, administrator.user.id, "slow readers"),
    ]
    assert (await operator.get(f"{API}/rules/versions/1")).json()["text"] == TEXT.format(12)
    diff = (await operator.get(f"{API}/rules/versions/2/difference?against=1")).json()["diff"]
    assert "-window_s = 12\n+window_s = 14" in diff
    missing = await operator.get(f"{API}/rules/versions/9")
    assert (missing.status_code, missing.json()["code"]) == (404, "rule_version_not_found")


@pytest.mark.parametrize(
    ("language", "word"), [("en", "may be from 2 to 60"), ("zh-CN", "允许范围是 2 到 60")]
)
async def test_file_with_errors_is_refused_with_all_of_them_in_the_readers_words(
    administrator, world, database, language, word
):
    text = TEXT.format(99) + "[rules.R-Z99]\n[nigth]\n"
    answer = await put(administrator, text, **{"Accept-Language": language})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "rules_refused")
    assert answer.headers["content-type"].startswith("application/problem+json")
    found = [(one["line"], one["code"], one["level"]) for one in problem["findings"]]
    assert found == [
        (4, "out_of_range", "error"),
        (5, "unknown_rule", "error"),
        (6, "unknown_table", "error"),
    ]
    assert word in problem["findings"][0]["text"]
    with database.read() as session:
        assert session.scalars(select(RuleVersion)).all() == []


async def test_draft_is_checked_without_being_put_in_force(operator, world, database):
    answer = await operator.post(
        f"{API}/rules/check", json={"text": "version = 1\n[rules.R-E01]\nenabled = false\n"}
    )
    body = answer.json()
    assert (answer.status_code, body["errors"]) == (200, 0)
    assert [(one["code"], one["level"]) for one in body["findings"]] == [("rule_off", "warning")]
    with database.read() as session:
        assert session.scalars(select(RuleVersion)).all() == []


async def test_whoever_saved_in_between_is_not_overwritten(administrator, world):
    await put(administrator, TEXT.format(12))
    answer = await put(administrator, TEXT.format(14), 0)
    assert (answer.status_code, answer.json()["code"], answer.json()["current_version"]) == (
        409,
        "stale_version",
        1,
    )


async def test_refused_file_on_disk_is_said_to_everybody(operator, world, database, tmp_path):
    (tmp_path / "rules.toml").write_text(TEXT.format(99))
    intake.RulesFile(database, COMPOUND, tmp_path / "rules.toml").look(START)
    file = (await operator.get(f"{API}/rules")).json()["file"]
    assert file["refused_since"] is not None
    assert [(one["line"], one["code"]) for one in file["findings"]] == [(4, "out_of_range")]
    assert "2 to 60" in file["findings"][0]["text"]


async def test_mute_is_made_listed_and_lifted(operator, world, database, clock):
    asked = {"rule": "R-E01", "place": "gate", "ends_at": (START + 2 * HOUR).isoformat(), "reason": "works"}
    made = await operator.post(f"{API}/mutes", json=asked, headers={"Idempotency-Key": "k"})
    assert made.status_code == 201
    again = await operator.post(f"{API}/mutes", json=asked, headers={"Idempotency-Key": "k"})
    assert again.json()["id"] == made.json()["id"]
    (shown,) = (await operator.get(f"{API}/mutes")).json()
    assert (shown["rule"], shown["author"], shown["holds"]) == ("R-E01", operator.user.id, True)
    assert (await rule(operator, "R-E01"))[0]["mutes"] == 1
    clock.advance(minutes=30)
    lifted = await operator.post(f"{API}/mutes/{shown['id']}/lifting")
    assert (lifted.status_code, lifted.json()["lifted_by"]) == (200, operator.user.id)
    assert (await operator.get(f"{API}/mutes")).json() == []
    assert len((await operator.get(f"{API}/mutes?ended=true")).json()) == 1
    assert (await rule(operator, "R-E01"))[0]["mutes"] == 0
    with database.read() as session:
        actions = session.scalars(
            select(AuditRow.action).where(AuditRow.subject == f"rule_mute:{shown['id']}")
        )
        assert list(actions) == ["rule.muted", "rule.unmuted"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"rule": "R-E12"}, 409, "safety_rule"),
        ({"rule": "R-Z99"}, 409, "unknown_rule"),
        ({"place": "moon"}, 409, "unknown_place"),
        ({"ends_at": (START + 32 * 24 * HOUR).isoformat()}, 409, "mute_too_long"),
        ({"ends_at": START.isoformat()}, 409, "mute_empty"),
        ({"reason": ""}, 422, "invalid_request"),
    ],
)
async def test_what_may_not_be_silenced_is_refused(operator, world, changes, status, code):
    asked = {"rule": "R-E01", "ends_at": (START + HOUR).isoformat(), "reason": "works"} | changes
    answer = await operator.post(f"{API}/mutes", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await operator.get(f"{API}/mutes")).json() == []


async def test_mutes_of_the_file_are_listed_without_an_id(administrator, operator, world):
    text = (
        'version = 1\n[[mutes]]\nrule = "R-E01"\nplace = "gate"\nfrom = 2026-11-23T06:00:00Z\n'
        'until = 2026-11-24T06:00:00Z\nauthor = "office"\nreason = "works"\n'
    )
    assert (await put(administrator, text)).status_code == 200
    (shown,) = (await operator.get(f"{API}/mutes")).json()
    assert (shown["id"], shown["author"], shown["holds"]) == (None, "office", True)


async def test_mode_needs_two_people_and_ends(operator, manager, administrator, world, clock):
    asked = {"mode": "heightened", "hours": 2, "reason": "three break-ins next door"}
    made = (await manager.post(f"{API}/operating-modes", json=asked)).json()
    own = await manager.post(f"{API}/operating-modes/{made['id']}/approval")
    assert (own.status_code, own.json()["code"]) == (409, "two_people")
    assert (await operator.post(f"{API}/operating-modes/{made['id']}/approval")).status_code == 403
    approved = await administrator.post(f"{API}/operating-modes/{made['id']}/approval")
    assert (approved.status_code, approved.json()["approved_by"]) == (200, administrator.user.id)
    shown = (await operator.get(f"{API}/operating-modes")).json()
    assert (shown["mode"], shown["holds"]["id"]) == ("heightened", made["id"])
    assert (await operator.get(f"{API}/rules")).json()["mode"] == "heightened"
    ended = await operator.post(f"{API}/operating-modes/{made['id']}/end")
    assert ended.json()["ended_by"] == operator.user.id
    assert (await operator.get(f"{API}/operating-modes")).json()["mode"] == "normal"


@pytest.mark.parametrize("asked", [{"mode": "normal"}, {"hours": 73}, {"hours": 0}, {"reason": ""}])
async def test_mode_without_a_reason_or_an_end_is_not_asked_for(manager, world, asked):
    body = {"mode": "emergency", "hours": 2, "reason": "flood"} | asked
    answer = await manager.post(f"{API}/operating-modes", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def incidents(database, count, **more):
    with database.write() as session:
        for _ in range(count):
            fields = {
                "id": new_id(), "compound": COMPOUND, "rule": "R-E01", "kind": "person.unknown_passed",
                "ring": "entrance", "zone": "gate", "device_id": "cam-1", "severity": 4, "state": "false_alarm",
                "version": 1, "happened_at": START - HOUR, "raised_at": START - HOUR,
                "last_signal_at": START - HOUR, "reason": "unknown_passed", "reason_args": {},
                "false_alarm_reason": "courier",
            }  # fmt: skip
            session.add(Incident(**fields | more))


async def test_health_is_reported_by_device_and_shown_with_the_rule(operator, world, database):
    incidents(database, 3)
    incidents(database, 1, state="resolved", false_alarm_reason=None, device_id="cam-2")
    report = (await operator.get(f"{API}/reports/rules")).json()
    shown = {one["device"]: one for one in report if one["rule"] == "R-E01"}
    assert (shown["cam-1"]["false"], shown["cam-1"]["share"], shown["cam-1"]["reasons"]) == (
        3,
        1,
        {"courier": 3},
    )
    health = (await rule(operator, "R-E01"))[0]["health"]
    assert (health["judged"], health["false"], health["share"]) == (4, 3, 0.75)


async def test_what_was_held_back_is_reported(operator, world, database):
    fields = {"state": "raised", "false_alarm_reason": None, "held_reason": "hour_full"}
    incidents(database, 2, held=True, **fields)
    incidents(database, 1, held=False, **fields)
    report = (await operator.get(f"{API}/reports/held")).json()
    (group,) = report["groups"]
    assert (report["held"], report["came_out"], group["count"], group["still"]) == (3, 1, 3, 2)
    earlier = (await operator.get(f"{API}/reports/held?end=2026-11-22T00:00:00Z")).json()
    assert (earlier["raised"], earlier["groups"]) == (0, [])
    wide = await operator.get(f"{API}/reports/held?start=2026-01-01T00:00:00Z&end=2026-11-22T00:00:00Z")
    assert (wide.status_code, wide.json()["code"]) == (422, "span_invalid")


@pytest.mark.parametrize(
    ("verdict", "state", "value"), [("approve", "approved", 13), ("refuse", "refused", 10)]
)
async def test_proposal_changes_the_rules_when_somebody_approves_it(
    administrator, world, database, verdict, state, value
):
    with database.write() as session:
        session.add(
            RuleProposal(
                id="p-1", compound=COMPOUND, rule="R-E01", device="cam-1", advice="parameter",
                parameter="window_s", present=10, proposed=13, alarms=25, false_alarms=20,
                reasons={"courier": 20}, made_at=START, state="open",
            )
        )  # fmt: skip
    (shown,) = (await administrator.get(f"{API}/rule-proposals?state=open")).json()
    assert (shown["parameter"], shown["proposed"], shown["false_alarms"]) == ("window_s", 13, 20)
    answer = await administrator.post(f"{API}/rule-proposals/p-1/decision", json={"verdict": verdict})
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert (await rule(administrator, "R-E01"))[0]["parameters"][0]["value"] == value
    again = await administrator.post(f"{API}/rule-proposals/p-1/decision", json={"verdict": verdict})
    assert (again.status_code, again.json()["code"]) == (409, "proposal_settled")


async def test_other_compounds_rules_are_not_seen(operator, world, database):
    with database.write() as session:
        keep(session, "sifang", TEXT.format(12), Actor("x", "administrator"), START)
    assert (await operator.get(f"{API}/rules/versions")).json() == []
    assert (await operator.get(f"{API}/rules")).json()["version"] == "default"

"""The page of rules: seen by those who may, changed by fewer, and a bad file stands beside its faults."""

import pytest
from sqlalchemy import select

from alerts.mutes import RuleMute
from alerts.rulebook.models import OperatingMode, RuleVersion
from alerts.rules import RULES


async def post(browser, path: str, **data: object):
    return await browser.post(f"/console/rules{path}", data=data)


async def test_every_rule_stands_on_the_page(operator, world) -> None:
    page = (await operator.get("/console/rules")).text
    for rule in RULES:
        assert rule.id in page


async def test_a_rule_is_silenced_with_a_reason_and_spoken_again(operator, world, database) -> None:
    done = await post(operator, "/mutes", rule="R-B06", place="gate", hours=2, reason="moving in")
    assert done.status_code == 303
    with database.read() as session:
        row = session.scalars(select(RuleMute)).one()
        assert (row.rule, row.place, row.reason) == ("R-B06", "gate", "moving in")
        mute_id = row.id
    assert (await post(operator, f"/mutes/{mute_id}/lifting")).status_code == 303
    with database.read() as session:
        assert session.scalars(select(RuleMute)).one().lifted_at is not None


@pytest.mark.parametrize(
    "data", [{"rule": "R-B06", "hours": 2, "reason": " "}, {"rule": "R-B06", "hours": 0, "reason": "x"}]
)
async def test_a_mute_without_reason_or_end_is_refused(operator, world, database, data) -> None:
    assert (await post(operator, "/mutes", **data)).status_code == 422
    with database.read() as session:
        assert session.scalars(select(RuleMute)).all() == []


async def test_safety_is_never_silenced(operator, world, database) -> None:
    refused = await post(operator, "/mutes", rule="R-E12", hours=1, reason="noise")
    assert refused.status_code == 409
    assert 'value="R-E12"' not in refused.text
    with database.read() as session:
        assert session.scalars(select(RuleMute)).all() == []


async def test_a_mode_is_asked_for_here_and_approved_by_another(
    operator, administrator, world, database
) -> None:
    assert (await post(operator, "/modes", mode="heightened", hours=8, reason="fireworks")).status_code == 303
    with database.read() as session:
        row = session.scalars(select(OperatingMode)).one()
        assert row.approved_by is None
        mode_id = row.id
    assert (await post(operator, f"/modes/{mode_id}/approval")).status_code == 403
    assert (await post(administrator, f"/modes/{mode_id}/approval")).status_code == 303
    assert "fireworks" in (await operator.get("/console/rules")).text


async def test_a_file_with_faults_stays_as_typed_beside_them(administrator, world, database) -> None:
    text = "version = 1\n[rules.R-E01]\nwindow_s = 9999\n"
    refused = await post(administrator, "/file", text=text, note="longer", since=0)
    assert refused.status_code == 422
    assert "window_s = 9999" in refused.text
    with database.read() as session:
        assert session.scalars(select(RuleVersion)).all() == []


async def test_a_checked_draft_changes_nothing_and_a_good_one_is_put_in_force(
    administrator, world, database
) -> None:
    text = "version = 1\r\n[rules.R-E01]\r\nwindow_s = 12\r\n"
    checked = await post(administrator, "/file", text=text, since=0, check="1")
    assert checked.status_code == 200
    with database.read() as session:
        assert session.scalars(select(RuleVersion)).all() == []
    assert (await post(administrator, "/file", text=text, note="slow cards", since=0)).status_code == 303
    with database.read() as session:
        row = session.scalars(select(RuleVersion)).one()
        assert "\r" not in row.text
    assert "window_s" in (await administrator.get("/console/rules")).text


async def test_an_operator_reads_the_file_and_cannot_change_it(operator, world, database) -> None:
    page = await operator.get("/console/rules/file")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    assert (await post(operator, "/file", text="version = 1\n", note="x", since=0)).status_code == 403


async def test_a_file_that_was_changed_meanwhile_stays_as_typed_with_whose_the_other_is(
    administrator, world, database
) -> None:
    text = "version = 1\n[rules.R-E01]\nwindow_s = 12\n"
    assert (await post(administrator, "/file", text=text, note="slow cards", since=0)).status_code == 303
    stale = await post(administrator, "/file", text=text.replace("12", "14"), note="slower", since=0)
    assert stale.status_code == 409
    assert "window_s = 14" in stale.text
    assert "slow cards" in stale.text.split('role="alert"')[1].split("</p>")[0]
    with database.read() as session:
        assert len(session.scalars(select(RuleVersion)).all()) == 1


async def test_a_file_is_put_in_force_only_by_who_has_lately_shown_who_they_are(
    administrator, world, database, clock
) -> None:
    clock.advance(minutes=11)
    refused = await post(administrator, "/file", text="version = 1\n# a note\n", note="x", since=0)
    assert refused.status_code == 403
    assert "# a note" in refused.text
    with database.read() as session:
        assert session.scalars(select(RuleVersion)).all() == []


async def test_a_whole_file_is_tried_before_it_is_put_in_force(administrator, world, database, rooms) -> None:
    begun = []
    object.__setattr__(rooms, "rehearse", lambda compound, trial: begun.append((compound, trial)))
    text = "version = 1\n[rules.R-E01]\nwindow_s = 12\n"
    tried = await post(administrator, "/file", text=text, since=0, days=7)
    assert tried.headers["location"] == f"/console/rules/trials/{begun[0][1]}"
    assert "window_s" in (await administrator.get(tried.headers["location"])).text
    with database.read() as session:
        assert session.scalars(select(RuleVersion)).all() == []

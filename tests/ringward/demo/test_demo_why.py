"""Why the demo's incidents were raised: what is said of them is so."""

from dataclasses import replace

import pytest
from playedday import PlayedDay

from alerts.rehearsal.why import Explanation, Scene, Target, explain
from alerts.rehearsal.why.trying import rules_for
from alerts.rules import RULES
from alerts.rules.memory import Recent
from ringward.demo import timeline, weekday

HOUR_S = 3600


@pytest.fixture(scope="module")
def past(home) -> Scene:
    return PlayedDay(home).past([timeline(weekday())])


def explained(past: Scene, rule: str, stage: str, *, alone: bool = False) -> Explanation:
    """The last thing that a rule said at a stage, explained."""
    scene = replace(past, rules=rules_for(rule, RULES))
    said = [
        one
        for one in scene.run(Recent(2 * (past.until - past.observations[0].at), past.site))
        if (one.rule, one.stage) == (rule, stage)
    ]
    anchor = said[-1].anchor
    target = Target(rule, said[-1].dedupe_key, anchor.id, anchor.at, stage, alone)
    found = explain(scene, target, next(one for one in RULES if one.id == rule))
    assert found is not None
    return found


def moved(found: Explanation) -> dict[str, tuple[float | None, int | None]]:
    return {one.parameter.name: (one.value, one.outcome) for one in found.moved}


def test_the_climb_is_critical_by_its_last_step_and_each_step_carries_it(past) -> None:
    found = explained(past, "R-X01", "building")
    assert found.signal.severity == 1
    without = {one.observation.type: one.outcome for one in found.missing}
    # But for the door it would have been the bike sheds' warning; but for the others nothing of the kind.
    assert without["door.forced"] == 3
    assert without["video.loitering"] is None


def test_the_milder_step_before_is_explained_by_itself(past) -> None:
    found = explained(past, "R-X01", "common", alone=True)
    assert found.signal.severity == 3
    # None of them says that it would have been what it was.
    assert 3 not in {outcome for value, outcome in moved(found).values() if value is not None}
    assert explained(past, "R-X01", "common").moved != found.moved


def test_the_lane_that_was_free_after_seventeen_minutes(past) -> None:
    early = moved(explained(past, "R-C05", "", alone=True))
    assert early["blocked_min"] == (17, None)
    assert early["unresolved_min"][0] is None
    assert moved(explained(past, "R-C05", "unresolved"))["unresolved_min"] == (17, 3)


def test_a_sign_of_life_helps_all_day(past) -> None:
    found = explained(past, "R-B09", "quiet")
    sign = next(one for one in found.excuses if one.excuse.type == "care.activity")
    assert sign.outcome is None
    assert sign.last_s == pytest.approx(24 * HOUR_S, abs=1)

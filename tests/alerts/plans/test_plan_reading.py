"""Plans from a file: those that come with Ringward, and what is said of one that is wrong."""

import pytest

from alerts.plans.plan import NOTICED, StepKind
from alerts.plans.reading import PlanError, default_plans, read
from alerts.rules import RULES
from console.texts import load


def faults(text: str) -> dict[str, str]:
    with pytest.raises(PlanError) as wrong:
        read(text)
    return {fault.where: fault.code for fault in wrong.value.faults}


DURESS = '[plans.duress]\nrules = ["R-E12"]\nsilent = true\nsteps = [{ id = "stay_quiet" }]\n'
ANY = '[plans.any]\nrules = []\nsteps = [{ id = "look" }]\n'


def plan(steps: str, head: str = "rules = []") -> str:
    """A file with the duress plan that every file has, and one of these steps."""
    return f"{DURESS}[plans.p]\n{head}\nsteps = [\n{steps}\n]"


def duress(steps: str, head: str = "silent = true") -> str:
    """A file whose duress plan has these steps."""
    return f'[plans.duress]\nrules = ["R-E12"]\n{head}\nsteps = [\n{steps}\n]\n{ANY}'


def test_every_kind_of_the_issue_has_a_plan() -> None:
    plans = {plan.id: plan for plan in default_plans()}
    assert set(plans) == {
        *("fire", "help", "duress", "forced_door", "elder"),
        *("crowd", "thrown_object", "watchlist", "other"),
    }
    assert plans["fire"].rules == {"R-C09"}
    doors = [step for step in plans["fire"].steps if step.kind is StepKind.RELEASE]
    assert [step.scope for step in doors] == ["building"]


def test_duress_has_nothing_that_anybody_on_the_spot_could_notice() -> None:
    (duress,) = [plan for plan in default_plans() if "R-E12" in plan.rules]
    assert duress.silent
    assert not {step.kind for step in duress.steps} & NOTICED
    assert default_plans()[0] is duress, "it comes before every other"


def test_care_tells_the_family_before_anybody_else() -> None:
    (elder,) = [plan for plan in default_plans() if "R-B09" in plan.rules]
    told = [one for step in elder.steps for one in step.tell]
    assert told[0] == "family"
    assert not {"guard", "volunteer_police", "police"} & set(told)


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_every_step_answer_and_person_has_words(locale: str) -> None:
    keys = load(locale).keys
    for one in default_plans():
        assert f"plan.{one.id}" in keys
        for step in one.steps:
            assert f"plan_step.{one.id}.{step.id}" in keys
            assert {f"plan_answer.{answer}" for answer in step.answers} <= keys
            assert {f"plan_tell.{person}" for person in step.tell} <= keys


def test_rules_with_a_plan_are_rules() -> None:
    known = {rule.id for rule in RULES}
    assert {rule for plan in default_plans() for rule in plan.rules} <= known


@pytest.mark.parametrize(
    ("text", "where", "code"),
    [
        ("plans = ", "", "not_toml"),
        ("", "", "no_plans"),
        (plan('{ id = "a" }', 'rules = ["R-C09"]'), "", "no_fallback"),
        (plan('{ id = "a" }', "rules = []\nsilence = true"), "p", "unknown_key"),
        (plan('{ id = "a" }', 'rules = ["R-C99"]'), "p", "unknown_rule"),
        (plan(""), "p", "no_steps"),
        (plan('{ kind = "do" }'), "p.1", "no_id"),
        (plan('{ id = "a" }, { id = "a" }'), "p.a", "id_twice"),
        (plan('{ id = "a", kind = "sing" }'), "p.a", "unknown_kind"),
        (plan('{ id = "a", kind = "ask", answers = ["yes"] }'), "p.a", "answers"),
        (plan('{ id = "a", answers = ["yes", "no"] }'), "p.a", "answers"),
        (plan('{ id = "a", kind = "tell", tell = ["gards"] }'), "p.a", "unknown_people"),
        (plan('{ id = "a", kind = "tell" }'), "p.a", "tell"),
        (plan('{ id = "a", kind = "call", number = "911" }'), "p.a", "number"),
        (plan('{ id = "a", kind = "call", number = ["110"] }'), "p.a", "number"),
        (plan('{ id = "a", kind = "release", scope = "moon" }'), "p.a", "scope"),
        (plan('{ id = "a", kind = "release", scope = ["building"] }'), "p.a", "scope"),
        (plan('{ id = "a", number = ["110"] }'), "p.a", "not_a_word"),
        (f"{DURESS}[plans.p]\nrules = []\nsteps = 3", "p", "no_steps"),
        (f"{DURESS}[plans.p]\nrules = []\nsteps = [3]", "p.1", "not_a_table"),
        (plan('{ id = "a", when = "b", is = ["yes"] }'), "p.a", "when"),
        (
            plan('{ id = "q", kind = "ask", answers = ["y", "n"] }, { id = "a", when = "q", is = ["x"] }'),
            "p.a",
            "is",
        ),
        (plan('{ id = "q", kind = "ask", answers = ["y", "n"] }, { id = "a", when = "q" }'), "p.a", "is"),
        (duress('{ id = "a" }', "silent = false"), "duress", "must_be_silent"),
        (duress('{ id = "a" }', 'silent = "true"'), "duress", "must_be_silent"),
        (ANY, "", "duress_missing"),
        (ANY + DURESS, "duress", "duress_first"),
        *(
            (
                duress(f'{{ id = "a", kind = "tell", tell = ["police", "{who}"] }}'),
                "duress.a",
                "noticed_on_site",
            )
            for who in ("guard", "family", "household", "volunteer_police", "steward", "grid_worker")
        ),
        (plan('{ id = "a", kind = "sound" }', "rules = []\nsilent = true"), "p.a", "noticed_on_site"),
        (
            plan('{ id = "a", kind = "release", scope = "building" }', "rules = []\nsilent = true"),
            "p.a",
            "noticed_on_site",
        ),
        (plan('{ id = "a", words = { de = "x" } }'), "p.a", "words"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(text: str, where: str, code: str) -> None:
    assert faults(text).get(where) == code


def test_whoever_acts_from_a_desk_is_told_in_silence() -> None:
    told = ", ".join(f'"{who}"' for who in ("operator", "property_manager", "police", "administrator"))
    first, _ = read(duress(f'{{ id = "a", kind = "tell", tell = [{told}] }}'))
    assert first.silent


def test_what_is_no_list_or_word_is_said_as_that() -> None:
    with pytest.raises(PlanError) as wrong:
        read(
            plan('{ id = "a", kind = "call", number = ["110"] }, { id = "b", kind = "release", scope = [1] }')
        )
    assert [fault.code for fault in wrong.value.faults] == ["not_a_word", "number", "not_a_word", "scope"]
    with pytest.raises(PlanError) as wrong:
        read(f"{DURESS}[plans.p]\nrules = []\nsteps = 3")
    assert [fault.code for fault in wrong.value.faults] == ["not_a_list", "no_steps"]


def test_all_faults_are_said_at_once_and_with_what_may_be_meant() -> None:
    with pytest.raises(PlanError) as wrong:
        read(plan('{ id = "a", kind = "tell", tell = ["gards"] }, { id = "b", kind = "cal" }'))
    words = {fault.where: fault.text for fault in wrong.value.faults}
    assert "did you mean guard?" in words["p.a"]
    assert "did you mean call?" in words["p.b"]


def test_a_compounds_own_words_stand_in_the_step() -> None:
    (_, own) = read(plan('{ id = "a", words = { zh_CN = "看一看", en = "Look" } }'))
    assert own.steps[0].words == {"zh_CN": "看一看", "en": "Look"}

"""Plans from a TOML file; what is wrong with it is said all at once, and in words that help."""

import functools
import importlib.resources
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.duty.models import TeamKind
from alerts.plans.plan import NOTICED, Plan, Step, StepKind
from alerts.rulebook.findings import nearest
from alerts.rules import RULES

# Whom a step may tell besides teams: roles of the console, and offices outside.
_ROLES: Final = frozenset(
    {"operator", "property_manager", "guard", "grid_worker", "police", "administrator", "family", "household"}
)
_NUMBERS: Final = frozenset({"110", "119", "120", "122"})
_SCOPES: Final = frozenset({"building", "compound", "entrance"})
_STEP_KEYS: Final = frozenset(
    {"id", "kind", "when", "is", "answers", "tell", "number", "scope", "optional", "words"}
)
_PLAN_KEYS: Final = frozenset({"rules", "steps", "silent", "words"})
_RULES: Final = frozenset(rule.id for rule in RULES)
# Plans whose noise could hurt somebody: duress.
_MUST_BE_SILENT: Final = frozenset({"R-E12"})
# Whom a silent plan may tell: those who act from a desk. Guards, teams and neighbours would come and look,
# and a call to the family or the household rings beside whoever is being forced.
_TOLD_SILENTLY: Final = frozenset({"operator", "property_manager", "police", "administrator"})


@dataclass(frozen=True, slots=True)
class PlanFault:
    """What is wrong, where (plan, or plan.step), and what may be meant."""

    where: str
    code: str
    text: str


class PlanError(Exception):
    """The file cannot be used; `faults` are all that was found."""

    def __init__(self, faults: Sequence[PlanFault]) -> None:
        super().__init__("; ".join(f"{fault.where}: {fault.text}" for fault in faults))
        self.faults = tuple(faults)


@functools.cache
def default_plans() -> tuple[Plan, ...]:
    """The plans that Ringward comes with."""
    return read(
        importlib.resources.files("alerts.plans").joinpath("default.toml").read_text("utf-8"), known=None
    )


def read(text: str, known: Collection[str] | None = _RULES) -> tuple[Plan, ...]:
    """Plans in the order of their precedence; `known` are the rules there are. Raises `PlanError`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError([PlanFault("", "not_toml", str(error))]) from error
    faults: list[PlanFault] = []
    _unknown(faults, "", document, {"plans"})
    given = document.get("plans")
    if not isinstance(given, Mapping) or not given:
        faults.append(PlanFault("", "no_plans", "there is no [plans.…] table"))
        raise PlanError(faults)
    plans = [_plan(faults, plan_id, values, known) for plan_id, values in given.items()]
    if not any(not plan.rules for plan in plans):
        faults.append(PlanFault("", "no_fallback", "no plan without `rules`, for whatever has no other"))
    taken: dict[str, str] = {}
    for plan in plans:
        for rule in sorted(plan.rules):
            if rule in taken:
                faults.append(PlanFault(plan.id, "rule_twice", f"{rule} has the plan {taken[rule]} already"))
            taken.setdefault(rule, plan.id)
    _duress(faults, plans)
    if faults:
        raise PlanError(faults)
    return tuple(plans)


def _duress(faults: list[PlanFault], plans: Sequence[Plan]) -> None:
    """Without a plan of its own, or behind a louder one, duress would be worked off aloud."""
    for rule in sorted(_MUST_BE_SILENT):
        at = next((number for number, plan in enumerate(plans) if rule in plan.rules), None)
        if at is None:
            text = f"no plan is for {rule}; one with `silent = true` comes before every other"
            faults.append(PlanFault("", "duress_missing", text))
        elif at > 0:
            text = f"the plan for {rule} is the first of the file: an incident takes the first that fits"
            faults.append(PlanFault(plans[at].id, "duress_first", text))


def _plan(faults: list[PlanFault], plan_id: str, values: Any, known: Collection[str] | None) -> Plan:
    if not isinstance(values, Mapping):
        faults.append(PlanFault(plan_id, "not_a_table", "a plan is a table"))
        return Plan(plan_id, frozenset(), ())
    _unknown(faults, plan_id, values, _PLAN_KEYS)
    rules = _words(faults, plan_id, "rules", values.get("rules", []))
    faults += [
        PlanFault(plan_id, "unknown_rule", f"there is no rule {rule}{_near(rule, sorted(known or ()))}")
        for rule in rules
        if known is not None and rule not in known
    ]
    silent = values.get("silent", False) is True
    steps: list[Step] = []
    given = values.get("steps", [])
    if not isinstance(given, list):
        faults.append(PlanFault(plan_id, "not_a_list", "`steps` is a list of tables"))
        given = []
    for number, step in enumerate(given):
        made = _step(faults, plan_id, number, step, steps)
        if made is not None:
            steps.append(made)
    if not steps:
        faults.append(PlanFault(plan_id, "no_steps", "a plan has at least one [[plans.….steps]]"))
    if not _MUST_BE_SILENT.isdisjoint(rules) and not silent:
        faults.append(
            PlanFault(
                plan_id, "must_be_silent", "a plan for duress says `silent = true`: noise endangers people"
            )
        )
    if silent:
        faults += [
            PlanFault(
                f"{plan_id}.{step.id}",
                "noticed_on_site",
                f"`{step.kind}` can be heard or seen on the spot; a silent plan has none",
            )
            for step in steps
            if step.kind in NOTICED
        ]
        faults += [
            PlanFault(
                f"{plan_id}.{step.id}",
                "noticed_on_site",
                f"{one} may be noticed there; a silent plan tells {', '.join(sorted(_TOLD_SILENTLY))}",
            )
            for step in steps
            for one in step.tell
            if one not in _TOLD_SILENTLY
        ]
    return Plan(plan_id, frozenset(rules), tuple(steps), silent, _texts(faults, plan_id, values.get("words")))


def _step(
    faults: list[PlanFault], plan_id: str, number: int, values: Any, before: Sequence[Step]
) -> Step | None:
    where = f"{plan_id}.{number + 1}"
    if not isinstance(values, Mapping):
        faults.append(PlanFault(where, "not_a_table", "a step is a table"))
        return None
    step_id = values.get("id")
    if not isinstance(step_id, str) or not step_id or len(step_id) > 64:
        faults.append(PlanFault(where, "no_id", "a step has an `id` of 1 to 64 characters"))
        return None
    where = f"{plan_id}.{step_id}"
    _unknown(faults, where, values, _STEP_KEYS)
    if any(step.id == step_id for step in before):
        faults.append(PlanFault(where, "id_twice", f"there are two steps {step_id}"))
    kinds = [str(kind) for kind in StepKind]
    kind = values.get("kind", "do")
    if kind not in kinds:
        faults.append(PlanFault(where, "unknown_kind", f"no kind {kind!r}{_near(str(kind), kinds)}"))
        return None
    answers = _words(faults, where, "answers", values.get("answers", []))
    if (kind == StepKind.ASK) != (len(answers) >= 2):
        faults.append(
            PlanFault(where, "answers", "a question has two answers or more, and nothing else has any")
        )
    tell = _words(faults, where, "tell", values.get("tell", []))
    people = [*(str(team) for team in TeamKind), *sorted(_ROLES)]
    faults += [
        PlanFault(where, "unknown_people", f"nobody is called {one}{_near(one, people)}")
        for one in tell
        if one not in people
    ]
    if (kind == StepKind.TELL) != bool(tell):
        faults.append(PlanFault(where, "tell", "`tell` names people where the kind is tell, and only there"))
    called = _word(faults, where, "number", values.get("number"))
    if (kind == StepKind.CALL) != (called in _NUMBERS):
        faults.append(
            PlanFault(where, "number", f"a call has one of the numbers {', '.join(sorted(_NUMBERS))}")
        )
    scope = _word(faults, where, "scope", values.get("scope"))
    if (kind == StepKind.RELEASE) != (scope in _SCOPES):
        faults.append(
            PlanFault(where, "scope", f"a release has one of the scopes {', '.join(sorted(_SCOPES))}")
        )
    return Step(
        step_id,
        StepKind(kind),
        _when(faults, where, values, before),
        tuple(answers),
        tuple(tell),
        called,
        scope,
        values.get("optional", False) is True,
        _texts(faults, where, values.get("words")),
    )


def _when(
    faults: list[PlanFault], where: str, values: Mapping[str, Any], before: Sequence[Step]
) -> tuple[str, frozenset[str]] | None:
    question = values.get("when")
    if question is None:
        return None
    asked = next((step for step in before if step.id == question), None)
    if asked is None or asked.kind is not StepKind.ASK:
        questions = [step.id for step in before if step.kind is StepKind.ASK]
        near = _near(str(question), questions)
        faults.append(
            PlanFault(where, "when", f"`when` names an earlier question; {question!r} is none{near}")
        )
        return None
    answers = _words(faults, where, "is", values.get("is", []))
    for answer in answers:
        if answer not in asked.answers:
            near = _near(answer, asked.answers)
            faults.append(PlanFault(where, "is", f"{asked.id} has no answer {answer!r}{near}"))
    if not answers:
        faults.append(PlanFault(where, "is", "`is` names the answers for which the step is there"))
    return asked.id, frozenset(answers)


def _words(faults: list[PlanFault], where: str, key: str, given: Any) -> list[str]:
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        return list(given)
    faults.append(PlanFault(where, "not_a_list", f"`{key}` is a list of words"))
    return []


def _word(faults: list[PlanFault], where: str, key: str, given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    faults.append(PlanFault(where, "not_a_word", f"`{key}` is one word in quotes"))
    return None


def _texts(faults: list[PlanFault], where: str, given: Any) -> dict[str, str]:
    if given is None:
        return {}
    known = {"zh_CN", "en"}
    if (
        isinstance(given, Mapping)
        and set(given) <= known
        and all(isinstance(one, str) for one in given.values())
    ):
        return dict(given)
    faults.append(PlanFault(where, "words", "`words` has a text for zh_CN and for en"))
    return {}


def _unknown(faults: list[PlanFault], where: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    faults += [
        PlanFault(where, "unknown_key", f"no key {key!r}{_near(key, sorted(known))}")
        for key in given
        if key not in known
    ]


def _near(word: str, known: Sequence[str]) -> str:
    guess = nearest(word, known)
    if guess is not None:
        return f"; did you mean {guess}?"
    return f"; there are {', '.join(known)}" if known else ""

"""A response plan as a value: its steps, its branches, and what is to be done next. Pure."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


class StepKind(enum.StrEnum):
    """What a step asks of the person who follows the plan."""

    DO = "do"
    # A question whose answer chooses the branch.
    ASK = "ask"
    # Somebody is told: a team, a role of the console.
    TELL = "tell"
    # 110, 119, 120: the operator calls, the system writes down that it was done and never dials.
    CALL = "call"
    # Doors are held open (L-23); none is ever locked.
    RELEASE = "release"
    # Siren, loudspeaker, light: noticed by whoever stands there.
    SOUND = "sound"


class Do(enum.StrEnum):
    """What became of a step."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


# What a person on the spot could hear or see. Doors that spring open are among it.
NOTICED = frozenset({StepKind.SOUND, StepKind.RELEASE})


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `when` names an earlier question and the answers for which this step is there at all."""

    id: str
    kind: StepKind
    when: tuple[str, frozenset[str]] | None = None
    answers: tuple[str, ...] = ()
    # Team kinds and roles who are told.
    tell: tuple[str, ...] = ()
    # The number that is called.
    number: str | None = None
    # Which doors: `building`, `compound` or `entrance`.
    scope: str | None = None
    # May be left out without a word; any other needs a note.
    optional: bool = False
    # A compound's own words, by locale; the catalogue's where there are none.
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. `rules` are those whose incidents it is for; empty: for whatever has no other.

    A `silent` plan has nothing in it that anybody on the spot could notice.
    """

    id: str
    rules: frozenset[str]
    steps: tuple[Step, ...]
    silent: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    def step(self, step_id: str) -> Step | None:
        """The step of an id."""
        return next((step for step in self.steps if step.id == step_id), None)


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken: what became of it, and the answer where it asked."""

    state: Do
    answer: str | None = None


def plan_for(plans: Sequence[Plan], rules: Collection[str]) -> Plan:
    """The first plan that is for any of an incident's rules, else the one that is for all others.

    The order of plans is their precedence: duress before everything, for what is silent must stay so
    whatever else happens beside it.
    """
    fallback: Plan | None = None
    for plan in plans:
        if not plan.rules:
            fallback = fallback or plan
        elif not plan.rules.isdisjoint(rules):
            return plan
    assert fallback is not None, "plans without one for everything else are refused when they are read"
    return fallback


def applies(step: Step, taken: Mapping[str, Taken]) -> bool:
    """Whether a step is on the way that was chosen; one whose question is still open is not yet."""
    if step.when is None:
        return True
    question, answers = step.when
    asked = taken.get(question)
    return asked is not None and asked.state is Do.DONE and asked.answer in answers


def on_the_way(plan: Plan, taken: Mapping[str, Taken]) -> list[Step]:
    """The steps of the branch that was chosen, done or not, in order."""
    return [step for step in plan.steps if applies(step, taken)]


def next_step(plan: Plan, taken: Mapping[str, Taken]) -> Step | None:
    """The step that is to be done now; None when the plan is through. One that failed stays to be done."""
    for step in on_the_way(plan, taken):
        done = taken.get(step.id)
        if done is None or done.state is Do.FAILED:
            return step
    return None


class StepError(Exception):
    """A step cannot be taken so; `code` says why.

    Codes: `no_such_step`, `not_on_this_way`, `earlier_first`, `answer_required`, `unknown_answer`,
    `skip_reason_required`, `taken_already`, `question_not_skipped`, `incident_ended`.
    """

    def __init__(self, step: str, code: str) -> None:
        super().__init__(f"{step}: {code}")
        self.step = step
        self.code = code


def check(plan: Plan, taken: Mapping[str, Taken], step_id: str, wanted: Taken, *, note: str | None) -> Step:
    """The step, where it may be taken so. Raises `StepError`.

    Steps are in order: a later one waits until the earlier ones are done, or skipped with a reason. A
    question is answered or the plan stops there, since nobody knows which way it goes on.
    """
    step = plan.step(step_id)
    if step is None:
        raise StepError(step_id, "no_such_step")
    if not applies(step, taken):
        raise StepError(step_id, "not_on_this_way")
    before = taken.get(step_id)
    if before is not None and before.state is not Do.FAILED:
        raise StepError(step_id, "taken_already")
    first = next_step(plan, taken)
    if first is not None and first.id != step_id:
        raise StepError(step_id, "earlier_first")
    if step.kind is StepKind.ASK:
        if wanted.state is Do.SKIPPED:
            raise StepError(step_id, "question_not_skipped")
        if wanted.answer is None:
            raise StepError(step_id, "answer_required")
        if wanted.answer not in step.answers:
            raise StepError(step_id, "unknown_answer")
    elif wanted.answer is not None:
        raise StepError(step_id, "unknown_answer")
    if wanted.state is Do.SKIPPED and not step.optional and not note:
        raise StepError(step_id, "skip_reason_required")
    return step

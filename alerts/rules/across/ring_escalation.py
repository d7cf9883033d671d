"""R-X01: somebody whom nobody vouches for goes deeper, ring by ring.

An entrance that was passed in no proper way, then somebody in the common area who has no business
there, then a building: each alone is a notice, and all of them are one person on the way to a door.
It joins what the rules of the single rings have said into one incident, which climbs with every
step and never falls by itself.

Verified at any step, by a card of somebody who lives here or a guard who checks in, it is somebody
else. Linked by nearness alone the incident says so, and the operator looks before anybody is sent.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from alerts.rules.across import climbing
from alerts.rules.across.climbing import BUILDING, COMMON, ENTRANCE, SEEN, TRIED, Chain, Reach, Rings, Step
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

# A sighting is told apart from a signal of the same anchor.
_SEEN = "seen"


class RingEscalation(Rule):
    """Raises nothing of its own where a signal's incident is open: it joins and raises that."""

    id = "R-X01"
    kind = "path.escalation"
    rings = frozenset({"common", "building"})
    listens = SEEN | {TRIED}
    hears = ENTRANCE | COMMON | BUILDING
    # What the deepest step is, and what it is with a door forced or a fence climbed.
    severities: ClassVar = {"common": 3, "building": 2, "forced": 1}
    key = "entry"
    parameters = (
        Parameter(
            "window_min",
            "min",
            30,
            5,
            120,
            "Within what time the steps of one subject must lie. Too short: who waits for dusk is not "
            "seen as one. Too long: a morning's notice is drawn into an evening's.",
        ),
        Parameter(
            "likely_min",
            "min",
            10,
            1,
            60,
            "The same from one step to the next where nothing but nearness links them. Too short: who "
            "takes his time is two incidents. Too long: two strangers become one.",
        ),
        Parameter(
            "speed_m_s",
            "m/s",
            4,
            1,
            15,
            "How fast somebody is believed to go on foot or by e-bike. Too slow: a runner is two "
            "incidents. Too fast: what happens at both ends of the compound is one.",
        ),
        Parameter(
            "borders",
            "borders",
            3,
            1,
            10,
            "Over how many borders of zones nearness may lead. Too few: zones that nobody watches break "
            "the trail. Too many: in a small compound everything is near.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        """A plate, pass or token that is seen deeper, and a refusal at a building's door."""
        if observation.type == TRIED:
            deeper = observation.ring == "building"
        else:
            deeper = observation.ring == "common" and bool(observation.subjects)
        return Question(observation, observation.at + DISORDER, _SEEN) if deeper else None

    @staticmethod
    def hear(signal: Signal, view: View, settings: Settings) -> Question | None:
        # At once, in one breath with what was heard: else that would open an incident of its own first.
        return Question(signal.anchor, signal.anchor.at, signal.rule)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        seen, reach = question.anchor, _reach(settings)
        if question.stage == _SEEN:
            rings = Rings(climbing.steps_of(view.signals(seen.at - reach.within, seen.at)))
            found = climbing.chain_to(view, reach, Step(seen, (seen,)), rings)
        else:
            found = _deepest(climbing.chains_with(view, reach, question.stage, seen))
        return None if found is None else _say(found, settings)


def _reach(settings: Settings) -> Reach:
    return Reach(
        settings.minutes("window_min"),
        settings.minutes("likely_min"),
        settings.values["speed_m_s"],
        int(settings.values["borders"]),
    )


def _deepest(found: Iterable[Chain]) -> Chain | None:
    """The one that leads furthest, the surer of two, the earlier of equals."""
    return min(
        found,
        key=lambda chain: (-len(chain.steps), chain.probable, chain.deepest.at, chain.deepest.seen.id),
        default=None,
    )


def _say(chain: Chain, settings: Settings) -> Signal:
    first, last = chain.steps[0], chain.deepest
    level = "common" if len(chain.steps) == 2 else "building"
    severity = settings.severity("forced" if level == "building" and chain.is_by_force else level)
    keys = tuple(dict.fromkeys(step.key for step in chain.steps if step.key is not None))
    kind, subject = _subject(chain.steps)
    evidence = {seen.id: seen for step in chain.steps for seen in step.evidence}
    return Signal(
        rule=RingEscalation.id,
        kind=RingEscalation.kind,
        severity=min(severity, *(step.severity for step in chain.steps)),
        dedupe_key=f"{RingEscalation.id}:{first.key}",
        dedupe_window=settings.minutes("window_min"),
        anchor=last.seen,
        evidence=tuple(sorted(evidence.values(), key=by_time)),
        reason="ring_escalation_probable" if chain.probable else "ring_escalation",
        reason_args={
            "steps": len(chain.steps),
            "ring": last.seen.ring,
            "minutes": round((last.at - first.at).total_seconds() / 60),
            "forced": chain.is_by_force,
        },
        stage=level,
        window=(first.at, last.at),
        joins=keys,
        probable=chain.probable,
        subject_kind=kind,
        subject=subject,
    )


def _subject(steps: Sequence[Step]) -> tuple[str, str] | tuple[None, None]:
    """What all of them are of, where it is known."""
    common = frozenset.intersection(*(step.subjects for step in steps))
    if not common:
        return None, None
    kind, _, subject = min(common).partition(":")
    return kind, subject

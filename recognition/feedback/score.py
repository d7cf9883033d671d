"""How a camera does, by what people answered: names that were false, people who were missed.

Answers are no fair sample. People are asked where something looked wrong, so the share of false
names among the answers is higher than among all passages; and a false name that looked right was
never asked about, so those that are confirmed are the least there were. Both figures are given,
each with its interval, and neither is called the error rate.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from recognition.decisions import FaceOutcome
from recognition.feedback.answers import NAMED
from recognition.feedback.intervals import Share, share
from recognition.models import DecisionRow, SightingAnswer, Verdict

WINDOW: Final = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True, order=True)
class Looked:
    """One camera with one version of an engine; an `engine` of "" is a device's own match."""

    device: str
    engine: str
    engine_version: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one camera over a window, a track counting once.

    `named` and `unnamed` are all passages decided on. Of the names that people judged, `right`
    were right and `false` false; of the passages without a name, `missed` were of somebody
    registered and `strangers` of nobody who is. `false_inside` says how far inside the threshold
    false names lay, `missed_outside` how far outside missed people did, as distances, where known.
    """

    named: int = 0
    unnamed: int = 0
    right: int = 0
    false: int = 0
    missed: int = 0
    strangers: int = 0
    undecided: int = 0
    false_inside: tuple[float, ...] = ()
    missed_outside: tuple[float, ...] = ()

    @property
    def judged(self) -> int:
        """Passages on which people could say something."""
        return self.right + self.false + self.missed + self.strangers


@dataclass(frozen=True, slots=True)
class Score:
    """What a tally says, as shares with their 95 % intervals.

    `false_of_judged`: false names among the names that people judged. `false_of_named`: the
    confirmed ones among all names, so a bound from below. `missed_of_judged`: registered people
    among the passages without a name that people judged.
    """

    looked: Looked
    tally: Tally
    false_of_judged: Share
    false_of_named: Share
    missed_of_judged: Share


@dataclass(frozen=True, slots=True)
class Said:
    """All that was answered to one decision. `inside` is threshold less distance, None if unmeasured."""

    named: bool
    verdicts: tuple[Verdict, ...]
    inside: float | None = None


def judged(verdicts: Iterable[Verdict]) -> bool | None:
    """Whether the two are one; None where nobody could tell.

    Of several operators the majority holds; of two who disagree the one who doubts, so that a
    name is never confirmed by halves.
    """
    given = list(verdicts)
    same, other = given.count(Verdict.MATCH), given.count(Verdict.NO_MATCH)
    return None if same == other == 0 else same > other


def tally(named: int, unnamed: int, said: Iterable[Said]) -> Tally:
    """Counts answers beside the passages they are of."""
    right = false = missed = strangers = undecided = 0
    false_inside: list[float] = []
    missed_outside: list[float] = []
    for one in said:
        same = judged(one.verdicts)
        if same is None:
            undecided += 1
        elif one.named and same:
            right += 1
        elif one.named:
            false += 1
            false_inside += [] if one.inside is None else [one.inside]
        elif same:
            missed += 1
            missed_outside += [] if one.inside is None else [-one.inside]
        else:
            strangers += 1
    # A decision may have been amended since it was answered: what was asked did happen.
    return Tally(
        max(named, right + false),
        max(unnamed, missed + strangers),
        right,
        false,
        missed,
        strangers,
        undecided,
        tuple(sorted(false_inside)),
        tuple(sorted(missed_outside)),
    )


def score(looked: Looked, counts: Tally) -> Score:
    """The shares of a tally."""
    return Score(
        looked,
        counts,
        share(counts.false, counts.right + counts.false),
        share(counts.false, counts.named),
        share(counts.missed, counts.missed + counts.strangers),
    )


def scores(session: Session, compound: str, at: dt.datetime, window: dt.timedelta = WINDOW) -> list[Score]:
    """Every camera of a compound that decided on faces within a window, by camera and engine."""
    found = tallies(session, compound, at - window, at)
    return [score(looked, found[looked]) for looked in sorted(found)]


def tallies(
    session: Session, compound: str, since: dt.datetime, until: dt.datetime, *, device: str | None = None
) -> Mapping[Looked, Tally]:
    """Counts from the log of decisions, of passages from `since` to before `until`."""
    mine = [
        DecisionRow.compound == compound,
        DecisionRow.at >= since,
        DecisionRow.at < until,
        DecisionRow.subject_kind == "face",
        DecisionRow.outcome.in_(list(FaceOutcome)),
        DecisionRow.device.is_not(None) if device is None else DecisionRow.device == device,
    ]
    # The other rows of a track carry the same decision.
    once = or_(DecisionRow.leader.is_(None), DecisionRow.leader == DecisionRow.sighting_id)
    parts = (DecisionRow.device, DecisionRow.engine, DecisionRow.engine_version)
    found: defaultdict[Looked, _Counts] = defaultdict(_Counts)
    for row in session.execute(
        select(*parts, DecisionRow.outcome, func.count().label("passages"))
        .where(*mine, once)
        .group_by(*parts, DecisionRow.outcome)
    ):
        counts = found[Looked(row.device or "", row.engine or "", row.engine_version or "")]
        if row.outcome in NAMED:
            counts.named += row.passages
        else:
            counts.unnamed += row.passages
    answers = session.execute(
        select(
            DecisionRow.device,
            SightingAnswer.engine,
            SightingAnswer.engine_version,
            SightingAnswer.sighting_id,
            SightingAnswer.outcome,
            SightingAnswer.verdict,
            SightingAnswer.score,
            DecisionRow.threshold,
        )
        .join(DecisionRow, DecisionRow.sighting_id == SightingAnswer.sighting_id)
        .where(SightingAnswer.compound == compound, *mine)
        .order_by(SightingAnswer.sighting_id, SightingAnswer.id)
    ).all()
    for one in answers:
        counts = found[Looked(one.device or "", one.engine or "", one.engine_version or "")]
        inside = None if one.score is None or one.threshold is None else one.threshold - one.score
        counts.answers[one.sighting_id, one.outcome in NAMED].append((Verdict(one.verdict), inside))
    return {looked: counts.tally() for looked, counts in found.items()}


@dataclass(slots=True)
class _Counts:
    """What is read of one camera before it is a tally."""

    named: int = 0
    unnamed: int = 0
    answers: defaultdict[tuple[str, bool], list[tuple[Verdict, float | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def tally(self) -> Tally:
        return tally(self.named, self.unnamed, self._said())

    def _said(self) -> Sequence[Said]:
        return [
            Said(named, tuple(verdict for verdict, _ in given), given[-1][1])
            for (_, named), given in self.answers.items()
        ]

"""Who was seen, decided from values alone.

Three answers leave no gap: somebody (a person, or at least one household), nobody we
know, or uncertain. Uncertain is an ordinary answer; guessing is not. Nothing here
knows a clock, a database or a picture, so a decision can be replayed from its record.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from recognition.calibration.thresholds import FaceThresholds


class FaceOutcome(StrEnum):
    IDENTIFIED = "identified"
    HOUSEHOLD = "household"
    UNKNOWN = "unknown"
    UNCERTAIN = "uncertain"


_NAMED = frozenset({FaceOutcome.IDENTIFIED, FaceOutcome.HOUSEHOLD})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the gallery and how far the seen face is from them."""

    person_id: str
    household_id: str | None
    distance: float
    under_14: bool = False


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Somebody who was named where it was ``other``; None: somebody who is not registered."""

    person_id: str
    other: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """One gallery that a face was compared with.

    ``people`` were compared. ``candidates`` holds at least everybody within twice the margin of
    the nearest. ``stricter`` names whoever was taken for a stranger before. ``exclusions`` are
    seen from this gallery: whoever is not in it is a stranger there (see `seen_from`).
    ``watchlist``: the people an order looks for, who are named only where nobody else was.
    """

    gallery: str
    people: int
    candidates: tuple[Candidate, ...]
    thresholds: FaceThresholds
    stricter: FaceThresholds
    exclusions: frozenset[Exclusion] = frozenset()
    watchlist: bool = False


@dataclass(frozen=True, slots=True)
class FaceDecision:
    """``score`` is the best distance, ``margin`` how much farther the second person is;
    both None where nobody was there to compare with. ``gallery`` is the one of the scope that
    decided, ``people`` its size; None where no gallery was asked.
    """

    outcome: FaceOutcome
    person_id: str | None
    household_id: str | None
    score: float | None
    reasons: tuple[str, ...]
    threshold: float
    margin: float | None
    gallery: str | None = None
    people: int = 0


def decide_in(
    scopes: Sequence[Scope], quality_reasons: Sequence[str], *, liveness: bool | None = None
) -> FaceDecision:
    """Decide one face against galleries, the smallest lawful one first.

    A gallery that names somebody ends the search: whoever is found among their neighbours is
    not looked for in the compound. Where none does, the answer is *unknown* only if every
    gallery says so. An exclusion that bites ends it too: a wider gallery would only name
    somebody else for the same face. A watch-list adds a name that no gallery gave (reason
    ``watchlist_gallery``), and only that of the person who is nearest in all of them.

    ``scopes`` has at least one and ends with the watch-list, if there is one. ``quality_reasons``
    is empty for a usable face; ``liveness`` is what the terminal asserts, None where it says nothing.
    """
    answered: list[FaceDecision] = []
    for scope in scopes:
        if scope.watchlist:
            break
        decision = _in_gallery(scope, quality_reasons, liveness)
        answered.append(decision)
        if decision.outcome in _NAMED or _is_excluded(decision):
            return decision
    last = next((one for one in reversed(answered) if one.outcome is FaceOutcome.UNCERTAIN), answered[-1])
    wanted = _wanted(scopes, quality_reasons, liveness) if scopes[-1].watchlist else None
    return wanted or last


def decide_face(
    candidates: Collection[Candidate],
    gallery_size: int,
    quality_reasons: Sequence[str],
    thresholds: FaceThresholds,
    *,
    liveness: bool | None = None,
    exclusions: Collection[Exclusion] = (),
    stricter: FaceThresholds | None = None,
) -> FaceDecision:
    """Decide one face against its nearest people in a single gallery.

    ``candidates`` holds at least all people within twice the margin of the nearest one;
    ``gallery_size`` is the number of people compared. Order and repeated people do not matter.
    ``stricter`` names whoever was taken for a stranger before; without it nobody does.

    An empty gallery with a good face is *unknown*, reason ``empty_gallery``: nobody is
    enrolled, so it is nobody who is. The reason lets a rule tell it from a stranger.
    """
    ranked = _ranked(candidates)
    best = ranked[0] if ranked else None
    margin = round(ranked[1].distance - ranked[0].distance, 6) if len(ranked) > 1 else None

    def answer(
        outcome: FaceOutcome, *reasons: str, person: str | None = None, household: str | None = None
    ) -> FaceDecision:
        score = best.distance if best else None
        return FaceDecision(outcome, person, household, score, reasons, thresholds.identify, margin)

    if liveness is False:
        return answer(FaceOutcome.UNCERTAIN, "not_live")
    if quality_reasons:
        return answer(FaceOutcome.UNCERTAIN, "poor_quality", *quality_reasons)
    if best is None or gallery_size <= 0:
        return answer(FaceOutcome.UNKNOWN, "empty_gallery")
    if best.distance > thresholds.unknown:
        return answer(FaceOutcome.UNKNOWN, "nobody_near")
    if best.distance > thresholds.identify:
        return answer(FaceOutcome.UNCERTAIN, "between_thresholds")
    contenders = [c for c in ranked if c.distance - best.distance < thresholds.margin]
    if any(c.under_14 for c in contenders):
        # The encoder was not trained on children; their faces are nearer to each other.
        return answer(FaceOutcome.UNCERTAIN, "under_14")
    mistaken = _mistaken_for_strangers(exclusions)
    if best.person_id in mistaken and (stricter is None or best.distance > stricter.identify):
        return answer(FaceOutcome.UNCERTAIN, "excluded_stranger")
    near = [c for c in ranked if c.distance - best.distance < 2 * thresholds.margin]
    paired = _paired(contenders, near, exclusions)
    if paired:
        contenders = [c for c in near if c in contenders or c in paired]
        if any(c.under_14 for c in contenders):
            return answer(FaceOutcome.UNCERTAIN, "under_14")
        if best.household_id is None or len({c.household_id for c in contenders}) != 1:
            return answer(FaceOutcome.UNCERTAIN, "excluded_pair")
        return answer(FaceOutcome.HOUSEHOLD, "same_household", "excluded_pair", household=best.household_id)
    if len(contenders) == 1:
        return answer(
            FaceOutcome.IDENTIFIED, "within_threshold", person=best.person_id, household=best.household_id
        )
    if best.household_id is not None and len({c.household_id for c in contenders}) == 1:
        # Same door, same rights: a wrong name on the screen would help nobody.
        return answer(FaceOutcome.HOUSEHOLD, "same_household", household=best.household_id)
    return answer(FaceOutcome.UNCERTAIN, "ambiguous")


def seen_from(exclusions: Iterable[Exclusion], people: Collection[str]) -> frozenset[Exclusion]:
    """Exclusions as they count in a gallery of these people.

    Confusion goes both ways. Whoever is not in the gallery cannot come out of its search, and
    is the same as a stranger to those who can.
    """
    return frozenset(
        Exclusion(named, other if other in people else None)
        for one in exclusions
        for named, other in ((one.person_id, one.other), (one.other, one.person_id))
        if named is not None and named in people
    )


def _in_gallery(scope: Scope, quality_reasons: Sequence[str], liveness: bool | None) -> FaceDecision:
    decision = decide_face(
        scope.candidates,
        scope.people,
        quality_reasons,
        scope.thresholds,
        liveness=liveness,
        exclusions=scope.exclusions,
        stricter=scope.stricter,
    )
    return replace(decision, gallery=scope.gallery, people=scope.people)


def _wanted(
    scopes: Sequence[Scope], quality_reasons: Sequence[str], liveness: bool | None
) -> FaceDecision | None:
    """Whom the watch-list, the last of the scopes, names; None where it names nobody."""
    scope = scopes[-1]
    looked_for = {c.person_id for c in scope.candidates}
    # Somebody nearer, or as near, whom nobody looks for is the better explanation of this face.
    everybody = tuple(c for each in scopes for c in each.candidates)
    decision = _in_gallery(replace(scope, candidates=everybody), quality_reasons, liveness)
    if decision.outcome is not FaceOutcome.IDENTIFIED or decision.person_id not in looked_for:
        return None
    return replace(decision, reasons=(*decision.reasons, "watchlist_gallery"))


def _is_excluded(decision: FaceDecision) -> bool:
    return decision.reasons[0] in {"excluded_pair", "excluded_stranger"}


def _mistaken_for_strangers(exclusions: Iterable[Exclusion]) -> set[str]:
    return {one.person_id for one in exclusions if one.other is None}


def _paired(
    contenders: Sequence[Candidate], near: Sequence[Candidate], exclusions: Iterable[Exclusion]
) -> list[Candidate]:
    """Contenders whom a face that is near as well was taken for, together with those faces."""
    by_id = {c.person_id: c for c in near}
    ours = {c.person_id for c in contenders}
    found: dict[str, Candidate] = {}
    for one in exclusions:
        pair = {one.person_id, one.other}
        if one.other is not None and pair <= by_id.keys() and pair & ours:
            found |= {person: by_id[person] for person in (one.person_id, one.other)}
    return list(found.values())


def _ranked(candidates: Collection[Candidate]) -> list[Candidate]:
    nearest_first = sorted(candidates, key=lambda c: (c.distance, c.person_id))
    seen: dict[str, Candidate] = {}
    for candidate in nearest_first:
        seen.setdefault(candidate.person_id, candidate)
    return list(seen.values())

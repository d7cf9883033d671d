"""One plate out of the readings of one passage, position by position.

Readings of one vehicle differ by glyphs that look alike; readings of two vehicles differ by more.
So readings are grouped first, and only within a group do positions vote.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from registry.plates import NEAR_LIMIT, edit_cost, is_well_formed, normalise

Character = tuple[str, float, str | None]
"""A character, its probability 0…1, and what it was nearly taken for."""

UNSCORED: Final = 0.9
"""Weight of a reading that tells no probabilities: about as many are right (measured)."""

_MOST_DOUBTS: Final = 2


@dataclass(frozen=True, slots=True)
class PlateText:
    """One reading of the plate, by a device or by us; an absent confidence is None.

    ``characters`` belong to the text, one each; empty where nothing is known of single characters.
    """

    text: str | None
    confidence: float | None = None
    characters: tuple[Character, ...] = ()


@dataclass(frozen=True, slots=True)
class Vote:
    """``text`` is what the largest group of readings says, ``agreed`` whether it is more than half
    of all. ``least`` is the certainty of its weakest character, 0…1, None where no reading tells.
    ``readings`` are all that were in the group, ``others`` those of the other groups.
    """

    text: str
    agreed: bool
    least: float | None
    confidence: float | None
    readings: frozenset[str]
    others: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    confidence: float | None
    characters: tuple[Character, ...]

    def weight(self, position: int) -> float:
        if self.characters:
            return self.characters[position][1]
        return UNSCORED if self.confidence is None else self.confidence


def vote(reads: Sequence[PlateText], registered: Collection[str] = ()) -> Vote | None:
    """What the readings of one passage say together; None where none of them is a plate.

    Two different registered plates in one group are two vehicles, however alike: then nothing is
    agreed. The order of the readings does not matter, and one more that agrees never lowers
    ``least``.
    """
    known = sorted(_normalised(reads), key=repr)
    if not known:
        return None
    groups = _groups(known)
    group = min(groups, key=lambda one: (-len(one), -_weight(one), min(read.text for read in one)))
    texts = frozenset(read.text for read in group)
    text = _voted(group)
    vehicles = sum(other in registered for other in texts)
    return Vote(
        text,
        agreed=len(group) * 2 > len(known) and vehicles <= 1,
        least=_least(text, group),
        confidence=max(
            (r.confidence for r in group if r.text == text and r.confidence is not None), default=None
        ),
        readings=texts,
        others=frozenset(read.text for read in known) - texts,
    )


def alike(one: PlateText, other: PlateText) -> bool:
    """Whether two readings may be of one plate."""
    pairs = list(_normalised((one, other)))
    return len(pairs) == 2 and _alike(*pairs)


def _normalised(reads: Sequence[PlateText]) -> Iterator[_Read]:
    for read in reads:
        text = normalise(read.text)
        if text is None:
            continue
        fits = "".join(character[0] for character in read.characters) == text
        yield _Read(text, read.confidence, read.characters if fits else ())


def _groups(reads: Sequence[_Read]) -> list[list[_Read]]:
    """Readings that are connected by likely misreadings. One more of a known text joins no groups."""
    groups: list[list[_Read]] = []
    for read in reads:
        near = [group for group in groups if any(_alike(read, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([read, *(other for group in near for other in group)])
    return groups


def _alike(a: _Read, b: _Read) -> bool:
    if a.text == b.text or edit_cost(a.text, b.text) <= NEAR_LIMIT:
        return True
    if len(a.text) != len(b.text) or not (a.characters or b.characters):
        return False
    differing = [i for i, (left, right) in enumerate(zip(a.text, b.text, strict=True)) if left != right]
    return len(differing) <= _MOST_DOUBTS and all(_doubted(a, b, i) or _doubted(b, a, i) for i in differing)


def _doubted(read: _Read, other: _Read, position: int) -> bool:
    """Whether a reading itself held the other's character for possible."""
    return bool(read.characters) and read.characters[position][2] == other.text[position]


def _weight(group: Sequence[_Read]) -> float:
    return sum(sorted(read.weight(i) for read in group for i in range(len(read.text))))


def _voted(group: Sequence[_Read]) -> str:
    """Position by position among readings of the commonest length; a reading where that is no plate."""
    lengths: dict[int, float] = defaultdict(float)
    texts: dict[str, list[_Read]] = defaultdict(list)
    for read in group:
        lengths[len(read.text)] += 1
        texts[read.text].append(read)
    length = min(lengths, key=lambda one: (-lengths[one], -one))
    chosen = []
    for position in range(length):
        votes: dict[str, list[float]] = defaultdict(list)
        for read in group:
            if len(read.text) == length:
                weight = read.weight(position)
                votes[read.text[position]].append(weight)
                rival = read.characters[position][2] if read.characters else None
                if rival is not None:
                    # Never more than the character itself, so that a reading speaks for its own text.
                    votes[rival].append(min(weight, 1 - weight) / 2)
        chosen.append(min(votes, key=lambda glyph: (-sum(sorted(votes[glyph])), glyph)))
    text = "".join(chosen)
    if text in texts or is_well_formed(text):
        return text
    return min(texts, key=lambda one: (-len(texts[one]), -_weight(texts[one]), one))


def _least(text: str, group: Sequence[_Read]) -> float | None:
    """Certainty of the weakest character: the best probability that any reading gave it, less the
    square of the dissent's share in its support. None where no reading tells probabilities and
    none dissents.
    """
    certainties: list[float] = []
    for position, glyph in enumerate(text):
        support, dissent, best = [], [], None
        for read in group:
            weight = read.weight(position) if position < len(read.text) else UNSCORED
            if position < len(read.text) and read.text[position] == glyph:
                support.append(weight)
                told = read.characters[position][1] if read.characters else 1.0
                best = max(told, best or 0.0)
            else:
                dissent.append(weight)
        # A text that no reading has as a whole may hold a character that is only a rival.
        held, against = sum(sorted(support)), sum(sorted(dissent))
        share = min(1.0, against / held) if held else 1.0
        certainties.append((best or 0.0) * (1 - share * share))
    if all(not read.characters for read in group) and len({read.text for read in group}) == 1:
        return None
    return min(certainties, default=0.0)

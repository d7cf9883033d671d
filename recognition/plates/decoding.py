"""From the probabilities of a line reader to the likeliest plate: a beam search that knows GA 36.

The reader tells for each step of the line how likely every glyph is, or none (CTC's blank). The
greedy answer takes each step alone and knows no plates; here whole plates are compared, so a
letter never stands where only a digit can, and a blurred glyph is settled by its neighbours.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognition.plates.grammar import ALPHABET, FORCES, HOLDS, INDEX, LONGEST, fitting

BEAM: Final = 12
"""Prefixes kept at each step; with 6 and with 40 the same plates were read."""

FLOOR: Final = 1e-4
"""No step forbids a plate by itself: what the reader excludes is this likely, 0…1."""

_BACKGROUND: Final = 0.05
_RIVAL: Final = 1e-3
_TOLD: Final = 2e-4  # a glyph below this is not followed
_HOPELESS: Final = -14.0
_CLEAR: Final = -7.5
"""Every barrier opens for plates of the forces: with one glyph left out or made up there is none."""

_SPREAD: Final = 8.0

_SECOND: Final = dict(zip("0258764", "OZSBTGA", strict=True))
"""At the office's position digits stand for the letters that look like them."""

_SECOND_SHARE: Final = 0.5
_O_SHARE: Final = 0.5  # offices named O are rarer than its look-alikes Q and D
_STROKES_SHARE: Final = 0.05  # three strokes at the start are 川 more often than M, which is none


class PlateCharacter(NamedTuple):
    """A character as it was read, its probability 0…1, and what else it may be (None: nothing)."""

    char: str
    probability: float
    runner_up: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A possible plate; ``score`` is its natural log probability, ≤ 0, with the prior of its shape."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Steps:
    """What the line reader said: for each step the chance of no glyph, shape (steps,), and of each
    of the alphabet, shape (steps, glyphs), 0…1. ``raw`` is its own greedy text.
    """

    blank: NDArray[np.float64]
    glyphs: NDArray[np.float64]
    raw: str = ""

    def at(self, position: int) -> NDArray[np.float64]:
        """Chances of the glyphs where they stand at this position of a plate."""
        chances = self.glyphs.copy()
        if position == 0:
            chances[:, INDEX["川"]] += _STROKES_SHARE * self.glyphs[:, INDEX["M"]]
        elif position == 1:
            for digit, letter in _SECOND.items():
                chances[:, INDEX[letter]] += _SECOND_SHARE * self.glyphs[:, INDEX[digit]]
            chances[:, INDEX["O"]] *= _O_SHARE
        else:
            # Serials use neither O nor I.
            chances[:, INDEX["0"]] += self.glyphs[:, INDEX["O"]]
            chances[:, INDEX["1"]] += self.glyphs[:, INDEX["I"]]
        return chances


def decode(steps: Steps, shapes: int) -> tuple[Reading, ...]:
    """The likeliest plates of these shapes (bits of the grammar), best first; empty where the
    line holds nothing like a plate.
    """
    views = [steps.at(position) for position in range(3)]
    views += [views[2]] * (LONGEST - 3)
    # Prefix → chance that it ends in no glyph, that it ends in its last one, shapes still open.
    beam: dict[tuple[int, ...], tuple[float, float, int]] = {(): (1.0, 0.0, shapes)}
    for step, silence in enumerate(np.maximum(steps.blank, FLOOR)):
        beam = _advance(beam, [view[step] for view in views], float(silence))
    readings = []
    for prefix, (silent, told, open_) in beam.items():
        shape = fitting(open_, len(prefix))
        if shape is None or silent + told <= 0.0:
            continue
        heard = min(0.0, math.log(silent + told))
        if heard + shape.prior > (_CLEAR if shape.kind in FORCES else _HOPELESS):
            readings.append(Reading("".join(ALPHABET[glyph] for glyph in prefix), heard + shape.prior))
    return tuple(sorted(readings, key=lambda reading: (-reading.score, reading.text)))


def _advance(
    beam: dict[tuple[int, ...], tuple[float, float, int]], rows: list[NDArray[np.float64]], silence: float
) -> dict[tuple[int, ...], tuple[float, float, int]]:
    followed = [np.flatnonzero(row > _TOLD).tolist() for row in rows]
    after: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
    open_: dict[tuple[int, ...], int] = {}
    for prefix, (silent, told, shapes) in beam.items():
        position = len(prefix)
        last = prefix[-1] if prefix else None
        open_[prefix] = shapes
        after[prefix][0] += (silent + told) * silence
        if last is not None:
            after[prefix][1] += told * max(float(rows[position - 1][last]), FLOOR)
        if position == LONGEST:
            continue
        for glyph in followed[position]:
            left = shapes & HOLDS[position][glyph]
            if left:
                longer = (*prefix, glyph)
                open_[longer] = left
                # A glyph is told twice only where a step without one lies between.
                before = silent if glyph == last else silent + told
                after[longer][1] += before * float(rows[position][glyph])
    best = sorted(after.items(), key=lambda item: -sum(item[1]))[:BEAM]
    return {prefix: (silent, told, open_[prefix]) for prefix, (silent, told) in best}


def fuse(looks: Sequence[Sequence[Reading]]) -> tuple[Reading, ...]:
    """Readings of several looks at one plate as one list: the mean of their scores.

    A look that does not know a plate counts as knowing it a little worse than its own worst.
    """
    scores: dict[str, float] = defaultdict(float)
    texts = {reading.text for look in looks for reading in look}
    for look in looks:
        own = {reading.text: reading.score for reading in look}
        least = max(min(own.values()) - 1.0, max(own.values()) - _SPREAD) if own else _HOPELESS - 1.0
        for text in texts:
            scores[text] += max(own.get(text, least), least) / len(looks)
    return tuple(sorted((Reading(t, s) for t, s in scores.items()), key=lambda r: (-r.score, r.text)))


def characters(text: str, looks: Sequence[Steps], shapes: int) -> tuple[PlateCharacter, ...]:
    """Each character of a plate with its probability over all looks.

    That is its chance among the glyphs that these shapes hold there: a province is no less
    certain for looking like a letter that cannot stand first. ``_BACKGROUND`` stands for all else,
    so what hardly shows has a low probability also where nothing rivals it.
    """
    told = [_told(text, steps) for steps in looks]
    found = []
    for position, char in enumerate(text):
        held = np.array([bool(shapes & holds) for holds in HOLDS[position]])
        chances = np.where(held, np.mean([rows[position] for rows in told], axis=0), 0.0)
        own = float(chances[INDEX[char]])
        probability = own * (1 + _BACKGROUND) / (float(chances.sum()) + _BACKGROUND)
        chances[INDEX[char]] = 0.0
        other = int(chances.argmax())
        runner_up = ALPHABET[other] if chances[other] > _RIVAL else None
        found.append(PlateCharacter(char, round(min(1.0, probability), 4), runner_up))
    return tuple(found)


def _told(text: str, steps: Steps) -> list[NDArray[np.float64]]:
    """For each character the row of chances at the step that tells it best, in order (Viterbi)."""
    views = [steps.at(position) for position in range(min(3, len(text)))]
    rows = [views[min(position, 2)] for position in range(len(text))]
    count = len(steps.blank)
    silence = np.log(np.maximum(steps.blank, FLOOR))
    quiet = np.concatenate(([0.0], np.cumsum(silence)))
    best = quiet[:count].copy()
    back: list[NDArray[np.intp]] = []
    for position, char in enumerate(text):
        here = best + np.log(np.maximum(rows[position][:, INDEX[char]], FLOOR))
        if position == len(text) - 1:
            last = int(np.argmax(here + quiet[count] - quiet[1:]))
            break
        # The next character starts at a later step, with silence in between.
        ends = here - quiet[1:]
        running = np.maximum.accumulate(ends)
        origin = np.maximum.accumulate(np.where(ends >= running, np.arange(count), 0))
        back.append(np.concatenate(([0], origin[:-1])))
        best = np.concatenate(([-np.inf], running[:-1])) + quiet[:count]
    path = [last]
    for origin in reversed(back):
        path.append(int(origin[path[-1]]))
    path.reverse()
    return [rows[position][step] for position, step in enumerate(path)]

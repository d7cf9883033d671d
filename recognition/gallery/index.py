"""The gallery (底库) in memory: exact search over the people of one compound.

No approximate index earns its missed neighbours: the matrix product over 100,000 rows of 128
takes 2.3 ms (one core), and everything around it is built to cost less than that.
"""

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recognition.decisions import Candidate
from recognition.gallery.image import Entry, Image
from recognition.gallery.rows import Matrix, Rows, Vector

TOP: Final = 5
WITHIN: Final = 0.05
"""Who is this much farther than the nearest person may still be a contender; a decision knows its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One enrolled picture of a person; ``vector`` has shape (dimension,), float32."""

    template_id: str
    person_id: str
    household_id: str | None
    vector: Vector
    under_14: bool = False


class _Person:
    """What a decision needs to know of a person, and which templates stand for the person."""

    __slots__ = ("household_id", "templates", "under_14")

    def __init__(self, templates: list[str]) -> None:
        self.templates = templates
        self.household_id: str | None = None
        # Whoever nothing is known of yet is named to nobody.
        self.under_14 = True


class Gallery:
    """People by row. May be searched and changed from several threads.

    Where embeddings are ``unit`` a person is one row, the centroid: the mean of the person's
    templates, brought back to length 1. Its distance is the person's score. At a measured FPIR of
    1 % on the open-set half of LFW (1,943 enrolled, up to 3 photos each, dlib) it named 88.2 %
    where the nearest template named 86.4 %: one odd photo of somebody else's look pulls the
    nearest template to strangers, and the centroid hardly at all. So photos that differ are no
    reason to fall back to single templates; they are kept beside for the day one of them goes.

    Embeddings of other lengths have no such mean: a person's score is the nearest template's.
    """

    def __init__(self, dimension: int, templates: Iterable[Template] = (), *, unit: bool = False) -> None:
        self.dimension = dimension
        self.unit = unit
        # By person where unit, else by template.
        self._rows = Rows(dimension)
        # Templates of people with several, where unit; a single one is its person's row.
        self._singles: dict[str, Vector] = {}
        self._people: dict[str, _Person] = {}
        self._owner: dict[str, str] = {}
        # Templates of whoever has most: so many rows may be one person.
        self._most = 1
        self._lock = threading.Lock()
        for template in templates:
            self.add(template)

    @classmethod
    def of(cls, image: Image) -> "Gallery":
        """The gallery that an image was made of, which may go on using the image's memory.

        Households are unknown and everybody counts as a child until ``describe`` says more.
        """
        made = cls(image.dimension, unit=image.unit)
        people = made._people
        for entry in image.entries:
            known = people.get(entry.person)
            if known is None:
                people[entry.person] = _Person(list(entry.templates))
            else:
                known.templates.extend(entry.templates)
            for template in entry.templates:
                made._owner[template] = entry.person
        made._most = max((len(person.templates) for person in people.values()), default=1)
        keys = [entry.person if image.unit else entry.templates[0] for entry in image.entries]
        made._rows = Rows(image.dimension, image.matrix, keys)
        made._singles = {
            template: vector.copy() for template, vector in zip(image.apart, image.singles, strict=True)
        }
        return made

    def image(self) -> Image:
        """The gallery as it is, for a snapshot; its arrays are copies."""
        with self._lock:
            entries = tuple(
                Entry(key, tuple(self._people[key].templates))
                if self.unit
                else Entry(self._owner[key], (key,))
                for key in self._rows.keys
            )
            singles: Matrix = np.zeros((len(self._singles), self.dimension), np.float32)
            if self._singles:
                np.stack(list(self._singles.values()), out=singles)
            return Image(self.unit, entries, self._rows.matrix.copy(), tuple(self._singles), singles)

    def __len__(self) -> int:
        """Templates held."""
        return len(self._owner)

    @property
    def people(self) -> int:
        """Persons held: the N of the threshold."""
        return len(self._people)

    @property
    def persons(self) -> frozenset[str]:
        """Ids of the persons held."""
        with self._lock:
            return frozenset(self._people)

    @property
    def children(self) -> frozenset[str]:
        """Ids of the persons held who are under 14."""
        with self._lock:
            return frozenset(one for one, person in self._people.items() if person.under_14)

    @property
    def templates(self) -> frozenset[str]:
        """Ids of the templates held."""
        with self._lock:
            return frozenset(self._owner)

    def __contains__(self, template_id: object) -> bool:
        return template_id in self._owner

    def size(self, scope: Collection[str] | None = None) -> int:
        """Persons that a search in this scope compares."""
        return self.people if scope is None else sum(person in self._people for person in set(scope))

    def add(self, template: Template) -> None:
        """Add a template, or replace the one of the same id.

        Raises ValueError for a vector of another shape, with values that are no numbers, or all 0.
        """
        vector = np.asarray(template.vector, np.float32)
        if vector.shape != (self.dimension,) or not np.isfinite(vector).all() or not vector.any():
            raise ValueError(f"a template is {self.dimension} finite numbers, not all of them 0")
        with self._lock:
            if self._owner.get(template.template_id, template.person_id) != template.person_id:
                self._remove(template.template_id)
            person = self._people.setdefault(template.person_id, _Person([]))
            if template.template_id not in self._owner:
                person.templates.append(template.template_id)
                self._owner[template.template_id] = template.person_id
            self._most = max(self._most, len(person.templates))
            person.household_id, person.under_14 = template.household_id, template.under_14
            if self.unit:
                self._place(template.person_id, person, template.template_id, _to_unit(vector))
            else:
                self._rows.put(template.template_id, vector)

    def describe(self, person_id: str, household_id: str | None, *, under_14: bool) -> None:
        """Says anew what is known of a person held. Raises KeyError for another."""
        with self._lock:
            person = self._people[person_id]
            person.household_id, person.under_14 = household_id, under_14

    def remove(self, template_id: str) -> bool:
        """Remove one template; False when it was not there."""
        with self._lock:
            return self._remove(template_id)

    def search(
        self,
        embedding: Vector,
        scope: Collection[str] | None = None,
        *,
        top: int = TOP,
        within: float = WITHIN,
    ) -> tuple[Candidate, ...]:
        """The nearest people, nearest first; equally near ones by their id.

        ``top`` people where there are as many, and everybody within ``within`` of the nearest: a
        decision about a household must see all its contenders. ``scope`` limits the search to
        these person ids, and costs their rows alone; None searches all. Distances are exact,
        rounded to six digits.
        """
        if embedding.shape != (self.dimension,):
            raise ValueError(f"an embedding has {self.dimension} numbers")
        with self._lock:
            among = None if scope is None else self._rows_of(scope)
            # Each person may be up to `most` rows.
            rows, distances = self._rows.near(
                embedding, among, top * (1 if self.unit else self._most), within
            )
            nearest: dict[str, float] = {}
            for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
                # A row of zeros is nobody's: whoever shares its memory has just erased it there.
                if not self._rows.matrix[row].any():
                    continue
                person_id = self._rows.keys[row] if self.unit else self._owner[self._rows.keys[row]]
                nearest[person_id] = min(distance, nearest.get(person_id, distance))
            found = sorted((round(distance, 6), person_id) for person_id, distance in nearest.items())
            if not found:
                return ()
            reach = max(found[min(top, len(found)) - 1][0], found[0][0] + within)
            return tuple(
                Candidate(
                    person_id,
                    self._people[person_id].household_id,
                    distance,
                    self._people[person_id].under_14,
                )
                for distance, person_id in found
                if distance <= reach
            )

    def _rows_of(self, scope: Collection[str]) -> NDArray[np.intp]:
        here = (person_id for person_id in set(scope) if person_id in self._people)
        if self.unit:
            rows = [self._rows.row(person_id) for person_id in here]
        else:
            rows = [self._rows.row(template) for one in here for template in self._people[one].templates]
        return np.array(sorted(rows), np.intp)

    def _remove(self, template_id: str) -> bool:
        person_id = self._owner.pop(template_id, None)
        if person_id is None:
            return False
        person = self._people[person_id]
        person.templates.remove(template_id)
        if not self.unit:
            self._rows.remove(template_id)
        elif not person.templates:
            self._rows.remove(person_id)
        else:
            self._singles.pop(template_id)
            self._settle(person_id, person)
        if not person.templates:
            del self._people[person_id]
        return True

    def _place(self, person_id: str, person: _Person, template_id: str, vector: Vector) -> None:
        """Puts a template of a person in its place, who has been told of it already."""
        if person.templates == [template_id]:
            self._rows.put(person_id, vector)
            return
        first = person.templates[0]
        if first not in self._singles:
            self._singles[first] = self._rows.get(person_id)
        self._singles[template_id] = vector
        self._settle(person_id, person)

    def _settle(self, person_id: str, person: _Person) -> None:
        """Makes a person's row what the templates say."""
        if len(person.templates) == 1:
            self._rows.put(person_id, self._singles.pop(person.templates[0]))
            return
        # In one order, so that the same templates give the same row however they came.
        vectors = [self._singles[template] for template in sorted(person.templates)]
        mean: NDArray[np.float64] = np.stack(vectors).mean(axis=0, dtype=np.float64)
        # Opposite vectors have no mean to speak of; then one of them stands for the person.
        self._rows.put(person_id, _to_unit(mean) if np.linalg.norm(mean) > 1e-6 else vectors[0])


def _to_unit(vector: NDArray[Any]) -> Vector:
    wide = vector.astype(np.float64)
    unit: Vector = (wide / np.linalg.norm(wide)).astype(np.float32)
    return unit

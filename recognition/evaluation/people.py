"""The people of an evaluation: whose embeddings are whose, and in which group they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.embedding import Looked
from recognition.evaluation.labels import Kind

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class People:
    """One entry a person everywhere. ``embeddings`` are (pictures, dimension), rows of length 1."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    embeddings: tuple[Matrix, ...]
    kinds: tuple[Kind, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.names)

    @property
    def pictures(self) -> int:
        return sum(len(own) for own in self.embeddings)

    def chosen(self, numbers: Sequence[int]) -> "People":
        """Only these people, in this order."""
        return People(
            tuple(self.names[i] for i in numbers),
            tuple(self.groups[i] for i in numbers),
            tuple(self.embeddings[i] for i in numbers),
            tuple(self.kinds[i] for i in numbers),
        )

    def of_group(self, group: str) -> "People":
        return self.chosen([i for i, own in enumerate(self.groups) if own == group])

    def of_kind(self, kind: Kind) -> "People":
        return self.chosen([i for i, own in enumerate(self.kinds) if own is kind])


def people_of(looked: Sequence[Looked], aliases: Mapping[str, str] | None = None) -> People:
    """People in the order of their first picture.

    A person with aligned crops is known by those alone: photos of the same person may be the
    pictures that the crops were cut from. ``aliases`` join identities or, where "", leave them out.
    """
    rows: dict[str, dict[Kind, list[NDArray[np.float32]]]] = defaultdict(lambda: defaultdict(list))
    groups: dict[str, str] = {}
    for one in looked:
        identity = (aliases or {}).get(one.picture.identity, one.picture.identity)
        if one.vector is None or not identity:
            continue
        rows[identity][one.picture.kind].append(one.vector)
        groups[identity] = groups.get(identity) or one.picture.group
    kinds = {name: Kind.ALIGNED if Kind.ALIGNED in own else Kind.PHOTO for name, own in rows.items()}
    return People(
        tuple(rows),
        tuple(groups[name] for name in rows),
        tuple(np.array(own[kinds[name]], np.float32) for name, own in rows.items()),
        tuple(kinds[name] for name in rows),
    )

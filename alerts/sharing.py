"""How processes share the compounds: each as many as the others, and as few moves as that takes.

Pure: every process works it out for itself from the same rows, and the leases see to it that
two that looked at different moments do not both act on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """A process that evaluates rules; `only` are the compounds that it is for, None for any."""

    holder: str
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one process should take of what is free, and give up of what it has."""

    take: tuple[str, ...] = ()
    release: tuple[str, ...] = ()


def turn(holder: str, compounds: Iterable[str], members: Sequence[Member], held: Mapping[str, str]) -> Turn:
    """What `holder` does next. `held` names who holds a compound, of those that are held.

    A compound that a process is for belongs to the processes that are for it while one of them
    is there, and otherwise to those that take any. Among those that may have it none has more
    than one compound more than another; whoever has more already keeps what cannot be shared evenly.
    """
    take: list[str] = []
    give: list[str] = []
    for entitled, shared in _groups(compounds, members).items():
        mine = [compound for compound in shared if held.get(compound) == holder]
        if holder not in entitled:
            give += mine
            continue
        quota = _quota(holder, entitled, shared, held)
        free = [compound for compound in shared if compound not in held]
        give += mine[quota:]
        take += free[: max(0, quota - len(mine))]
    return Turn(tuple(take), tuple(give))


def _groups(compounds: Iterable[str], members: Sequence[Member]) -> dict[tuple[str, ...], list[str]]:
    """Compounds by those that may have them."""
    any_of = tuple(sorted(member.holder for member in members if member.only is None))
    groups: dict[tuple[str, ...], list[str]] = {}
    for compound in sorted(compounds):
        meant = tuple(sorted(m.holder for m in members if m.only is not None and compound in m.only))
        groups.setdefault(meant or any_of, []).append(compound)
    return groups


def _quota(holder: str, entitled: Sequence[str], shared: Sequence[str], held: Mapping[str, str]) -> int:
    each, over = divmod(len(shared), len(entitled))
    has = {one: sum(held.get(compound) == one for compound in shared) for one in entitled}
    rank = sorted(entitled, key=lambda one: (-has[one], one)).index(holder)
    return each + (rank < over)

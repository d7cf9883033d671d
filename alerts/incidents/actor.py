"""Who takes a step."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A user or a part of the system, by id and role; never a name."""

    id: str
    role: str


SYSTEM = Actor("system", "system")

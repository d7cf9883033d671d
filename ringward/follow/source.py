"""Where the rows come from: one protocol, so that following is the same for either database."""

from collections.abc import Iterator
from typing import Any, Protocol

from ringward.foundation import Foundation


class Source(Protocol):
    """A database that is followed. Frames are lists of msgpack values that begin with a text."""

    name: str

    def begin(self) -> tuple[dict[str, Any], Iterator[list[Any]]]:
        """Where it stands, and the frames of a whole copy from which `changes` go on."""

    def resume(self, position: dict[str, Any]) -> bool:
        """Goes on from there; False where something may have been missed."""

    def changes(self) -> tuple[dict[str, Any], Iterator[list[Any]]] | None:
        """Where it stands now, and what has changed; None when nothing has. Raises `GapError`."""

    def accept(self) -> None:
        """What `changes` gave last is safe."""

    def let_go(self) -> None:
        """Keeps nothing for us any longer; `begin` comes next."""

    def close(self) -> None: ...


def source_of(ground: Foundation) -> Source:
    """The source that fits a deployment's database."""
    if ground.database.is_sqlite:
        from ringward.follow.pages import Pages

        return Pages(ground.settings.data_dir / "ringward.db")
    from ringward.follow.postgres import Postgres

    return Postgres(ground.settings)

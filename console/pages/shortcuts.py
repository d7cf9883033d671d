"""The keys of the live page, in one list: what the help shows is what the page listens to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from console.accounts.models import User
from console.pages.navigation import ROWS
from console.permissions import Action, allowed


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A key as it is shown, and the key of its text. `path`: `g` and this key lead there."""

    shown: str
    text: str
    path: str = ""


_KEYS: Final[tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = (
    (
        "help.group_queue",
        (
            ("j / k", "help.move"),
            ("Enter", "help.open"),
            (".", "help.show_new"),
            ("Esc", "help.close"),
        ),
    ),
    (
        "help.group_decide",
        (
            ("a", "help.acknowledge"),
            ("c", "help.confirm"),
            ("f + 1 … 9", "help.false_alarm"),
            ("d + Enter", "help.dispatch"),
            ("m", "help.merge"),
            ("p", "help.aside"),
            ("r", "help.resolve"),
            ("y / n / u", "help.answer"),
            ("t", "help.plan"),
        ),
    ),
    (
        "help.group_page",
        (("s", "help.sound"), ("l", "help.filters"), ("/", "help.search"), ("?", "help.help")),
    ),
)

_GO: Final[Mapping[str, str]] = {
    "l": "/console",
    "h": "/console/history",
    "s": "/console/search",
    "v": "/console/coverage",
    "w": "/console/wall",
    "o": "/console/handovers",
    "r": "/console/roster",
    "p": "/console/patrols",
    "d": "/console/devices",
    "e": "/console/reviews",
    "f": "/registry",
}


def shortcuts(user: User | None) -> Sequence[tuple[str, Sequence[Shortcut]]]:
    """Groups of keys with their texts; of the pages those that the user's menu has."""
    rows = {path: text for path, text, actions in ROWS if _shown(user, actions)}
    groups = [(title, [Shortcut(*one) for one in keys]) for title, keys in _KEYS]
    go = [Shortcut(f"g {key}", rows[path], path) for key, path in _GO.items() if path in rows]
    return [*groups, ("help.group_go", go)]


def _shown(user: User | None, actions: Sequence[Action]) -> bool:
    return user is not None and any(allowed(user, action) for action in actions)

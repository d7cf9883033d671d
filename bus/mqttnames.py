"""MQTT topics and filters as nats-server's subjects, in the way nats-server itself maps them.

| MQTT | subject |
|---|---|
| `/` | `.` |
| an empty level, as before the first `/` of `/hiot/connection` | `/` |
| `.` | `//` |
| `+`, `#` | `*`, `>` |

A filter that ends in `/#` matches the level above it too; here that takes two subjects.
"""

from collections.abc import Iterable
from typing import Final

_WILD: Final = {"+": "*", "#": ">", "": "/"}


def subjects_of(filters: Iterable[str]) -> list[str]:
    """The subjects that stand for MQTT topic filters, each once.

    Raises `ValueError` for names that nats-server takes from no MQTT client, and for such as
    would mean more to it than they say.
    """
    found: dict[str, None] = {}
    for wanted in filters:
        if wanted.endswith("/#"):
            found[subject_of(wanted.removesuffix("/#"))] = None
        found[subject_of(wanted)] = None
    return list(found)


def subject_of(topic: str) -> str:
    """The subject of one topic or filter. Raises `ValueError`."""
    if not topic or not topic.isprintable() or any(character in ' *>"\\' for character in topic):
        raise ValueError(f"nats-server has no subject for {topic!r}")
    return ".".join(_WILD.get(level, level.replace(".", "//")) for level in topic.split("/"))


def topic_of(subject: str) -> str:
    """The topic of a subject, for people who read the server's log."""
    levels = subject.split(".")
    return "/".join("" if level == "/" else level.replace("//", ".") for level in levels)

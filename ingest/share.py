"""Which part of what devices publish one ingest takes: all of it, or some compounds' and some vendors'.

Several ingests share a deployment by compounds, since native topics name them. Vendors' topics do
not: one of the ingests takes these, or each those that are named for it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bus.subjects import MQTT_UPLINK
from ingest.routes import mqtt_filters

ALL: Final = "all"
NONE: Final = "none"


class ShareError(ValueError):
    """A share that cannot be subscribed to."""


@dataclass(frozen=True, slots=True)
class Share:
    """`compounds` None is every compound; `vendor_topics` None is every vendor's topics, empty is none's."""

    compounds: frozenset[str] | None = None
    vendor_topics: tuple[str, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left for another one."""
        return self.compounds is None and self.vendor_topics is None

    def filters(self) -> tuple[str, ...]:
        """What an ingest of this share subscribes to."""
        return _filters(self)

    def suffix(self) -> str:
        """What tells its client id from those of others; empty for all compounds.

        Eight hexadecimal digits of the compounds, whatever their order: a process that is started
        again, on any machine, comes back to the session that the broker keeps for it.
        """
        if self.compounds is None:
            return ""
        named = "\n".join(sorted(self.compounds))
        return f"-{hashlib.sha256(named.encode()).hexdigest()[:8]}"


EVERYTHING: Final = Share()


def share(compounds: str | None, vendor_topics: str) -> Share:
    """What two settings say: names with commas, or none; `all`, `none` or topic filters with commas.

    Raises `ShareError` where a compound's name would be a pattern, or a filter is none that an
    adapter reads.
    """
    named = frozenset(_parts(compounds or "")) or None
    for name in named or ():
        if set(name) & set("+#/"):
            raise ShareError(f"{name} is no compound")
    if vendor_topics.strip() == ALL:
        return Share(named, None)
    wanted = () if vendor_topics.strip() == NONE else tuple(_parts(vendor_topics))
    known = set(_of_vendors())
    for one in wanted:
        if one not in known:
            raise ShareError(f"{one} is no topic filter of an adapter; there are: {', '.join(sorted(known))}")
    return Share(named, wanted)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What no ingest takes, and what several take, which costs work and loses nothing."""

    compounds: tuple[str, ...] = ()
    vendor_topics: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether every message has an ingest."""
        return not self.compounds and not self.vendor_topics


def gaps(shares: Sequence[Share], compounds: Iterable[str]) -> Gaps:
    """What falls between the shares that there are, of the compounds that are registered."""
    takers = {
        compound: sum(one.compounds is None or compound in one.compounds for one in shares)
        for compound in sorted(compounds)
    }
    vendors = {
        topic: sum(one.vendor_topics is None or topic in one.vendor_topics for one in shares)
        for topic in _of_vendors()
    }
    return Gaps(
        tuple(name for name, count in takers.items() if not count),
        tuple(name for name, count in vendors.items() if not count),
        tuple(name for name, count in {**takers, **vendors}.items() if count > 1),
    )


@lru_cache(64)
def _filters(one: Share) -> tuple[str, ...]:
    native = (
        (MQTT_UPLINK,)
        if one.compounds is None
        else tuple(MQTT_UPLINK.replace("+", name, 1) for name in sorted(one.compounds))
    )
    vendors = _of_vendors() if one.vendor_topics is None else one.vendor_topics
    return (*native, *vendors)


def _of_vendors() -> tuple[str, ...]:
    return tuple(wanted for wanted in mqtt_filters() if wanted != MQTT_UPLINK)


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))

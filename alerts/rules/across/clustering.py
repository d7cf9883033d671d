"""R-X02: two alarms at nearly the same time and place may be one thing; a person says so.

It raises nothing. It proposes that two incidents become one, where their kinds go together and
their zones adjoin: a camera that is covered and a door that is forced beside it. What one device
says in two ways within two minutes is one thing, and needs nobody's word.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from alerts.rules.rule import Parameter, Proposal, Question, Rule, Settings, Signal, View

# Kinds that can be sides of one thing. Duress is in none: nothing may draw attention to it. Nor is
# care, which is nobody's alarm, nor what a person has to compare first.
TOGETHER: Final = (
    # Somebody who goes where they should not, and what they do to doors and cameras.
    frozenset(
        {"R-E01", "R-E05", "R-E10", "R-C01", "R-C02", "R-C03", "R-B01", "R-B05", "R-B06", "R-B10", "R-D02"}
    ),
    # What happens around one car.
    frozenset({"R-E04", "R-E06", "R-E08", "R-E13", "R-E14", "R-C05"}),
    # What happens when people are in danger, or a crowd looks on.
    frozenset({"R-C04", "R-C07", "R-C08", "R-C09"}),
    # One switch, one cable, one mistake of setting up.
    frozenset({"R-D01", "R-D02", "R-D03", "R-D05", "R-D06", "R-D07"}),
)


class Clustering(Rule):
    """Proposes each pair of keys once; a person decides, except where it is one device."""

    id = "R-X02"
    kind = "incidents.cluster"
    rings = frozenset({"entrance", "common", "building"})
    hears = frozenset(rule for group in TOGETHER for rule in group)
    severities: ClassVar = {}
    key = "pair"
    parameters = (
        Parameter(
            "window_s",
            "s",
            120,
            10,
            900,
            "How near in time two alarms must lie. Too short: one thing is worked on twice. Too long: "
            "operators refuse proposals all day, and then the right one as well.",
        ),
    )

    @staticmethod
    def hear(signal: Signal, view: View, settings: Settings) -> Question | None:
        return Question(signal.anchor, signal.anchor.at, signal.rule)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Proposal | None:
        at, window = question.anchor.at, settings.seconds("window_s")
        said = view.signals(at - 2 * window, at + 2 * window)
        heard = next(
            (one for one in said if one.rule == question.stage and one.anchor.id == question.anchor.id), None
        )
        if heard is None:
            return None
        by_key: dict[str, list[Signal]] = {}
        for one in said:
            by_key.setdefault(one.dedupe_key, []).append(one)
        near = [one for one in _beside(heard, said, view) if abs(one.anchor.at - at) <= window]
        near.sort(key=lambda one: (not _is_one_device(heard, one), abs(one.anchor.at - at), one.dedupe_key))
        for other in near:
            if _were_paired(heard, other, by_key, window) or _are_joined(heard, other, said):
                continue
            first, second = sorted((heard.dedupe_key, other.dedupe_key))
            return Proposal(
                rule=Clustering.id,
                keys=(first, second),
                at=max(at, other.anchor.at),
                reason="cluster_device" if _is_one_device(heard, other) else "cluster_near",
                automatic=_is_one_device(heard, other),
            )
        return None


def _beside(heard: Signal, said: Iterable[Signal], view: View) -> Iterator[Signal]:
    for other in said:
        if other.dedupe_key == heard.dedupe_key or not _go_together(heard, other):
            continue
        if _is_one_device(heard, other) or view.site.adjoin(heard.anchor.zone, other.anchor.zone):
            yield other


def _go_together(one: Signal, other: Signal) -> bool:
    return any(one.rule in group and other.rule in group for group in TOGETHER)


def _is_one_device(one: Signal, other: Signal) -> bool:
    return bool(one.anchor.device) and one.anchor.device == other.anchor.device


def _were_paired(
    heard: Signal, other: Signal, by_key: Mapping[str, Sequence[Signal]], window: dt.timedelta
) -> bool:
    """Whether another word of the one or the other has brought the two together already.

    A proposal that waits for a person does not stand in the way of one that needs nobody.
    """
    is_certain = _is_one_device(heard, other)
    return any(
        abs(one.anchor.at - two.anchor.at) <= window
        and (one is not heard or two is not other)
        and (not is_certain or _is_one_device(one, two))
        for one in by_key[heard.dedupe_key]
        for two in by_key[other.dedupe_key]
        # The first pair proposes; with the word that was just heard there is none before it.
        if one is not heard or two.anchor.at < other.anchor.at
    )


def _are_joined(heard: Signal, other: Signal, said: Iterable[Signal]) -> bool:
    """Whether a rule has said already that the two are one."""
    pair = {heard.dedupe_key, other.dedupe_key}
    return any(pair <= {one.dedupe_key, *one.joins} for one in said if one.joins)

"""A hand-over (交接班) on paper: what was frozen, what was written beside it, and where two people sign."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alerts.handover.rules import Side
from console.api.handovers import HandoverInFull
from console.figures.document import Document, Section, Signing, Table
from console.pages.places import Names
from console.pages.staff import Staff
from console.pages.view import Frame


@dataclass(frozen=True)
class _Words:
    """What the facts are said with."""

    view: Frame
    places: Names
    people: Staff
    when: Callable[[str | None], str]

    def code(self, group: str, code: str | None) -> str:
        return self.view.t.code(group, code)

    def joined(self, parts: Iterable[str]) -> str:
        return " · ".join(part for part in parts if part)


def document(
    view: Frame, one: HandoverInFull, places: Names, people: Staff, when: Callable[[str | None], str]
) -> Document:
    """The hand-over as its page shows it; the digest of what is signed stands on every sheet."""
    t = view.t
    say = _Words(view, places, people, when)
    facts = one.facts
    signed = {sign.side: sign for sign in one.signatures}
    said = [f"{view.compound_name} · {view.clock(one.since)} – {view.clock(one.until)}"]
    said.append(t("handovers.made_at", at=view.clock(one.made_at)))
    if not one.stands:
        said.append(t("handovers.changed_long"))
    return Document(
        t("handovers.one"),
        said,
        [
            _open(say, facts),
            _alerts(say, facts),
            *_lists(say, facts, one.reasons),
            *_entries(say, one),
        ],
        signing=[
            Signing(
                t.code("side", side),
                f"{people.name(sign.user)} · {view.clock(sign.at)}" if (sign := signed.get(side)) else "",
            )
            for side in Side
        ],
        foot=f"SHA-256 {one.to_sign}",
    )


def _open(say: _Words, facts: Mapping[str, Any]) -> Section:
    t = say.view.t
    rows = [
        (
            say.code("severity", str(item["severity"])),
            say.joined([say.code("kind", item["kind"]), t("reviews.drill") if item.get("drill") else ""]),
            say.places.zone(item["zone"]),
            say.code("state", item["state"]),
            say.when(item["raised_at"]),
        )
        for item in facts["open"]["items"]
    ]
    heads = ("severity", "kind", "zone", "state", "raised")
    table = Table("open", "", tuple(t(f"handing.{head}") for head in heads), rows)
    title = f"{t('handovers.open')} · {facts['open']['number']}"
    words = [t("handovers.care", n=facts["open"]["care"])] if facts["open"].get("care") else []
    if facts["unreviewed"] or facts["measures_late"]:
        words.append(t("handovers.papers", reviews=facts["unreviewed"], measures=facts["measures_late"]))
    return Section("open", title, words=words, tables=[table], nothing=t("handovers.nothing"))


def _alerts(say: _Words, facts: Mapping[str, Any]) -> Section:
    t, totals = say.view.t, facts["alerts"]["totals"]
    rows = [
        (
            say.code("kind", one["kind"]),
            say.code("ring", one["ring"]),
            say.code("severity", str(one["severity"])),
            str(one["total"]),
            str(one["outcomes"].get("confirmed", 0)),
            str(one["outcomes"].get("false", 0)),
        )
        for one in facts["alerts"]["counts"]
    ]
    heads = ("kind", "ring", "severity", "total", "confirmed", "false")
    table = Table("alerts", "", tuple(t(f"figures.{head}") for head in heads), rows, frozenset({3, 4, 5}))
    words = [
        t(
            "handovers.alerts_sum",
            total=totals["total"],
            confirmed=totals["confirmed"],
            false=totals["false"],
            undecided=totals["undecided"],
        )
    ]
    if facts["drills"] or facts["held"]:
        words.append(t("handovers.apart", drills=facts["drills"], held=facts["held"]))
    return Section("alerts", t("handovers.alerts"), words=words, tables=[table])


def _lists(say: _Words, facts: Mapping[str, Any], reasons: Mapping[str, str]) -> list[Section]:
    """What is quiet, what is away, what stands open, who was missing."""
    t, when = say.view.t, say.when
    lists: dict[str, list[str]] = {
        "mutes": [
            say.joined(
                [
                    say.code("rule", one["rule"]),
                    say.places.device(say.places.zone(one["place"])) if one["place"] else "",
                    t("rules_page.until", at=when(one["until"])),
                ]
            )
            for one in facts["mutes"]
        ]
        + [
            say.joined(
                [
                    f"{t('handovers.silence')} {' '.join(one['matchers'])}",
                    t("rules_page.until", at=when(one["until"])),
                    say.people.name(one["author"]),
                    reasons.get(one["id"], ""),
                ]
            )
            for one in facts["silences"]
        ],
        "devices": [
            say.joined(
                [
                    say.places.device(one["id"]),
                    t("list.comma").join(say.code("device_trouble", what) for what in one["what"]),
                    when(one.get("since")),
                ]
            )
            for one in facts["devices"]
        ],
        "doors": [
            say.joined(
                [
                    say.places.device(one["device"]),
                    when(one["since"]),
                    say.people.name(one["author"]),
                    "" if one["certain"] else t("handovers.uncertain"),
                ]
            )
            for one in facts["doors"]
        ],
        "patrols": [say.joined([one["route"], one["point"], when(one["due"])]) for one in facts["patrols"]],
        "gaps": [
            say.joined(
                [
                    say.code("roster_need", one["need"]),
                    say.places.zone(one["zone"]) if one["zone"] else "",
                    f"{when(one['starts'])} – {when(one['ends'])}",
                    f"{one['have']}/{one['want']}",
                ]
            )
            for one in facts["roster_gaps"]
        ],
        "else": [
            t(
                "handovers.watchlist",
                begin=_number(facts["watchlist"]["begin"]),
                end=_number(facts["watchlist"]["end"]),
            ),
            *(
                say.joined(
                    [t("handovers.dead_letters", n=one["number"]), say.code("deadletter", one["reason"])]
                )
                for one in facts["dead_letters"]
            ),
            *(
                say.joined([t("handovers.dead_channel"), say.code("way", one["kind"]), when(one["since"])])
                for one in facts["dead_channels"]
            ),
        ],
    }
    return [
        Section(
            name,
            t(f"handovers.{name}"),
            words=[f"• {line}" for line in lines],
            nothing=t("handovers.nothing"),
        )
        for name, lines in lists.items()
    ]


def _entries(say: _Words, one: HandoverInFull) -> list[Section]:
    """What was written, by kind, as it was written."""
    found: dict[str, list[str]] = {}
    for entry in one.entries:
        by = say.joined(
            [
                say.people.name(entry.author),
                say.code("side", entry.side) if entry.side else "",
                say.view.clock(entry.at),
            ]
        )
        found.setdefault(str(entry.kind), []).append(f"{entry.text}  ({by})")
    return [Section(kind, say.code("handover_entry", kind), words=lines) for kind, lines in found.items()]


def _number(listed: Any) -> int:
    return listed if isinstance(listed, int) else len(listed)

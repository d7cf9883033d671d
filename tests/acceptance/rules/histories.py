"""Made histories of a compound: whatever devices may report, in any order, of people who do not exist."""

import datetime as dt

from hypothesis import strategies as st
from telling import MORNING, NIGHT, Happens, Seen, at, seen

from alerts.rules import CredentialFacts, DwellingFacts, PassFacts, PersonFacts, Rule, VehicleFacts, WatchHit

_GATES = ("gate", "side-gate")
_DRIVES = ("drive", "far-drive")
_COMMON = ("square", "bike-shed", "garage", "fence", "fire-lane", "playground")
_HALLS = ("hall-3", "hall-9", "lobby-9", "roof-9", "lift-9")
_ALL = (*_GATES, *_DRIVES, *_COMMON, *_HALLS)

_PEOPLE = {
    "p-lives": PersonFacts("p-lives", "h-1", belongs=True, buildings=frozenset({"hall-9"})),
    "p-guest": PersonFacts("p-guest"),
    "p-guard": PersonFacts("p-guard", belongs=True, staff=True),
    "p-left": PersonFacts("p-left", tenancy_ended_on=dt.date(2026, 11, 20)),
    "p-cared": PersonFacts("p-cared", "h-2", belongs=True, buildings=frozenset({"hall-3"}), cared_for=True),
}
_PASSES = (
    PassFacts(
        "v-1",
        MORNING - dt.timedelta(hours=1),
        MORNING + dt.timedelta(minutes=10),
        zones=frozenset({"gate", "hall-3"}),
    ),
    PassFacts("v-2", MORNING, NIGHT, "contractor", zones=frozenset(_ALL), uses=2, max_uses=2),
)
_CREDENTIALS = tuple(
    CredentialFacts(f"c-{status}", "card", status) for status in ("active", "lost", "ended", "suspended")
)
_VEHICLES = (
    VehicleFacts("car-1", "h-1", guarded=True, drivers=frozenset({"p-lives"})),
    VehicleFacts("car-2", "h-2"),
)
_WATCHED = WatchHit("w-1", frozenset({"entrance", "common", "building"}), 2)

# Mostly close together, so that windows and their edges meet; some as far as the longer windows.
_seconds = (
    st.integers(0, 20)
    | st.integers(0, 130)
    | st.sampled_from([179, 180, 181, 299, 301, 600, 899, 1200, 1799])
)
_directions = st.sampled_from(["in", "in", "out", None])


def _one(draw: st.DrawFn, kind: str, places: list[str], people: list[str]) -> Seen:
    """One happening of a kind, with what such a device may say and the register may know."""
    facts: dict = {"direction": draw(_directions)}
    head = kind.partition(".")[0]
    zones = {
        "plate": _DRIVES, "barrier": _DRIVES, "vehicle": _DRIVES, "access": (*_GATES, *_HALLS),
        "door": (*_GATES, *_HALLS), "face": (*_GATES, *_COMMON, *_HALLS), "visitor": _GATES,
    }.get(head, _ALL)  # fmt: skip
    zone = draw(st.sampled_from([zone for zone in places if zone in zones] or zones))
    attributes: dict = {}
    if kind in {
        "face.identified",
        "access.granted",
        "access.denied",
        "care.activity",
        "care.began",
        "care.away",
    }:
        whom = draw(st.sampled_from(people))
        facts |= {"person_id": whom, "person": _PEOPLE[whom], "household_id": _PEOPLE[whom].household_id}
    if kind == "face.identified" and draw(st.integers(0, 3)) == 0:
        facts["watch"] = (_WATCHED,)
    if head == "face":
        facts["score"] = draw(st.sampled_from([0.3, 0.7]))
        facts["token"] = draw(st.sampled_from([None, None, "t-1", "t-2"])) if kind == "face.unknown" else None
    if head == "access":
        if draw(st.integers(0, 3)) == 0:
            facts |= {"visit": draw(st.sampled_from(_PASSES)), "person_id": None, "person": None}
        else:
            credential = draw(st.sampled_from(_CREDENTIALS))
            facts |= {"credential": credential, "credential_id": credential.id}
        facts["cause"] = draw(st.sampled_from([None, "expired", "lost", "unknown", "maintenance"]))
    if head == "plate":
        vehicle = draw(st.sampled_from([None, *_VEHICLES]))
        facts |= {
            "plate": "云M00001" if vehicle is None else f"云M1000{vehicle.id[-1]}",
            "vehicle": vehicle,
            "vehicle_id": vehicle.id if vehicle else None,
            "score": draw(st.sampled_from([0.79, 0.97])),
        }
    if head in {"door", "barrier"}:
        facts["cause"] = draw(st.sampled_from([None, None, "exit_button", "manual_open", "fire_release"]))
    if kind in {"visitor.expired", "visitor.extended", "visitor.checked_out"}:
        facts["visit"] = draw(st.sampled_from(_PASSES))
    if kind == "care.away":
        facts["until"] = MORNING + dt.timedelta(hours=6)
    if kind == "post.shift":
        facts["until"] = MORNING + dt.timedelta(hours=1)
    if kind.startswith(("video.", "alarm.")):
        attributes = {
            "dwell_s": draw(st.sampled_from([10, 200])), "count": draw(st.integers(1, 80)),
            "class": draw(st.sampled_from(["person", "animal", "trolley"])), "armed": draw(st.booleans()),
        }  # fmt: skip
        if draw(st.integers(0, 5)) == 0:
            attributes["ended"] = True
    if kind == "access.granted" and draw(st.integers(0, 5)) == 0:
        facts["dwelling"] = DwellingFacts("d-1", "vacant", zone)
    if kind.startswith("device."):
        facts["cause"] = draw(st.sampled_from(["silence", "last_will", "gateway", "heartbeat", "clock_off"]))
    return seen(kind, zone, attributes=attributes, **facts)


def _heard_by(rule: type[Rule], rules: tuple[type[Rule], ...]) -> list[type[Rule]]:
    # R-D04 is asked of late records, whatever they are.
    return [other for other in rules if other.listens and (other.id in rule.hears or not rule.hears)]


@st.composite
def histories(draw: st.DrawFn, rules: tuple[type[Rule], ...], *, most: int = 14) -> list[Happens]:
    """Some happenings within half an hour, each with a name of its own.

    What one or two rules listen to, in a few places and of a few people, makes a story; everything
    everywhere makes noise that meets nowhere, and is made too.
    """
    about = draw(st.lists(st.sampled_from(rules), min_size=1, max_size=2))
    # Of one that hears others, what one of those listens to.
    heard = [rule if rule.listens else draw(st.sampled_from(_heard_by(rule, rules))) for rule in about]
    kinds = sorted({kind for rule in heard for kind in rule.listens})
    if draw(st.integers(0, 4)) == 0:
        kinds = sorted({kind for rule in rules for kind in rule.listens})
    places = draw(st.lists(st.sampled_from(_ALL), min_size=1, max_size=3, unique=True))
    people = draw(st.lists(st.sampled_from(sorted(_PEOPLE)), min_size=1, max_size=2, unique=True))
    steps = []
    for number in range(draw(st.integers(1, most))):
        what = _one(draw, draw(st.sampled_from(kinds)), places, people)
        # A device that says a thing again and again is what many rules are about.
        for again in range(draw(st.sampled_from([1, 1, 1, 3]))):
            steps.append(at(draw(_seconds), what, name=f"n{number:02}-{again}"))
    return sorted(steps, key=lambda step: (step.at, step.name or ""))

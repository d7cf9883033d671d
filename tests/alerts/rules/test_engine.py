"""What holds of all rules together, whatever happens in whatever order."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.incidents.folding import Fold
from alerts.rules import RULES, Clear, Engine, Observation, Said, Signal, WatchHit, with_values
from alerts.rules.engine import HORIZON

T0 = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
LANES = {"gate": "entrance", "square": "common", "hall": "building"}
TYPES = (
    "face.unknown",
    "face.identified",
    "plate.recognised",
    "door.opened",
    "door.forced",
    "barrier.opened",
    "video.line_crossing",
    "access.granted",
    "visitor.registered",
    "device.offline",
    "device.online",
)

STORIES = (
    ["face.unknown", "door.opened", "video.line_crossing", "access.granted"],
    ["plate.recognised", "barrier.opened", "visitor.registered"],
    ["door.opened", "door.forced", "access.granted"],
    ["face.identified", "plate.recognised"],
    ["device.offline", "device.online"],
)

type_name = st.sampled_from(TYPES)
# Mostly close together, so that windows and their edges meet; some as far as the guard's minute.
second = st.integers(0, 13) | st.sampled_from([30, 31, 60, 61])


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    """Up to eight things within a minute and a half, each with its own id."""
    seen: list[Observation] = []
    # Few kinds in few places make a story; all of them everywhere make noise that meets nowhere.
    kinds = draw(st.sampled_from(STORIES) | st.lists(type_name, min_size=1, unique=True))
    lanes = draw(st.lists(st.sampled_from(sorted(LANES)), min_size=1, unique=True))
    for number in range(draw(st.integers(1, 8))):
        kind, lane = draw(st.sampled_from(kinds)), draw(st.sampled_from(lanes))
        moment = T0 + dt.timedelta(seconds=draw(second))
        is_plate = kind == "plate.recognised"
        subject = draw(st.sampled_from(["1", "2"]))
        watched = kind in {"face.identified", "plate.recognised"} and draw(st.booleans())
        seen.append(
            Observation(
                id=f"{number:02}",
                event_id=f"e{number:02}",
                type=kind,
                at=moment,
                received_at=moment + dt.timedelta(seconds=draw(st.integers(0, 5))),
                device=f"{lane}-{subject}",
                zone=lane,
                ring=LANES[lane],
                lane=lane,
                direction=draw(st.sampled_from(["in", "out"])),
                cause=draw(st.sampled_from([None, None, None, None, "manual_open", "exit_button"])),
                plate=f"云M0000{subject}" if is_plate else None,
                person_id=f"p-{subject}" if kind == "face.identified" else None,
                watch=(WatchHit(f"w-{subject}", frozenset({"entrance", "building"})),) if watched else (),
            )
        )
    return seen


def reported(kind: str, lane: str, offset: float, *, delay: float = 0) -> Observation:
    """One thing of a lane's first device, named by what and when it is."""
    moment = T0 + dt.timedelta(seconds=offset)
    return Observation(
        id=f"{kind}@{offset}",
        type=kind,
        at=moment,
        received_at=moment + dt.timedelta(seconds=delay),
        device=f"{lane}-1",
        zone=lane,
        ring=LANES[lane],
        lane=lane,
    )


def late(observation: Observation) -> Observation:
    return replace(observation, id=f"late-{observation.id}", late=True)


def standing(said: Iterable[Said]) -> list[tuple[str, str, int, bool]]:
    """The incidents that are left when everything has been said in this order.

    How often a thing was said, and of which of two that came together, is not among it.
    """
    fold = Fold()
    fold.take(said, T0)
    return sorted(
        (case.rule, min(case.keys), case.severity, case.cleared_at is not None) for case in fold.cases
    )


def engine(**overrides: dict[str, float]) -> Engine:
    return Engine(RULES, with_values({name.replace("_", "-"): values for name, values in overrides.items()}))


def feed_all(seen: Iterable[Observation]) -> list[Signal | Clear]:
    """Everything first, then the time: as a restart reads it."""
    one = engine()
    said: list[Signal | Clear] = []
    for observation in seen:
        said += one.feed(observation)
    return said + one.advance(T0 + dt.timedelta(minutes=5))


def feed_live(seen: Iterable[Observation]) -> list[Signal | Clear]:
    """Second by second, as it happens."""
    one = engine()
    said: list[Signal | Clear] = []
    for number in range(200):
        now = T0 + dt.timedelta(seconds=number)
        for observation in seen:
            if observation.at == now:
                said += one.feed(observation)
        said += one.advance(now)
    return said


@given(observations(), st.data())
def test_order_of_feeding_changes_nothing(seen: list[Observation], data: st.DataObject) -> None:
    # Coming and going is told at once, so only its order of arrival matters, below.
    waiting = [observation for observation in seen if not observation.type.startswith("device.")]
    shuffled = data.draw(st.permutations(waiting))
    assert standing(feed_all(shuffled)) == standing(feed_all(waiting))


@example([reported("device.offline", "square", 0, delay=5), reported("device.online", "square", 3)])
@given(observations())
def test_five_seconds_of_disorder_change_nothing(seen: list[Observation]) -> None:
    happened = sorted(seen, key=lambda observation: observation.at)
    arrived = sorted(seen, key=lambda observation: observation.received_at)
    assert standing(feed_all(arrived)) == standing(feed_all(happened))


@given(observations())
def test_every_observation_twice_changes_nothing(seen: list[Observation]) -> None:
    doubled = [observation for observation in seen for _ in range(2)]
    assert feed_all(doubled) == feed_all(seen)
    assert feed_all(seen + seen) == feed_all(seen)


@given(observations(), observations())
def test_dropping_late_observations_changes_nothing(live: list[Observation], old: list[Observation]) -> None:
    history = [late(observation) for observation in old]
    assert feed_all(history + live) == feed_all(live)
    assert feed_all(live + history) == feed_all(live)


@example([reported("door.opened", "hall", 0), reported("access.granted", "hall", 2)])
@given(observations())
def test_what_is_said_live_is_what_a_restart_says(seen: list[Observation]) -> None:
    in_order = sorted(seen, key=lambda observation: observation.at)
    assert standing(feed_live(in_order)) == standing(feed_all(in_order))


@given(observations())
def test_every_signal_stands_on_what_was_fed_and_says_so(seen: list[Observation]) -> None:
    for said in feed_all(seen):
        if isinstance(said, Signal):
            assert said.anchor in said.evidence
            assert set(said.evidence) <= set(seen)
            assert said.severity in {1, 2, 3, 4}


def test_properties_are_not_about_nothing() -> None:
    """The kinds of observation that the properties draw from do make rules of every ring speak."""
    base = {"received_at": T0, "direction": "in", "device": "d", "zone": "z"}

    def seen(number: str, kind: str, lane: str, **facts: object) -> Observation:
        return Observation(id=number, type=kind, at=T0, lane=lane, ring=LANES[lane], **base, **facts)

    said = feed_all(
        [
            seen("1", "face.unknown", "gate"),
            seen("2", "door.opened", "gate"),
            seen("3", "plate.recognised", "gate", plate="云M00001"),
            seen("4", "barrier.opened", "gate"),
            seen("5", "face.identified", "hall", watch=(WatchHit("w", frozenset({"building"})),)),
            seen("6", "door.forced", "hall"),
            seen("7", "device.offline", "square"),
        ]
    )
    assert {"R-E01", "R-E04", "R-E09", "R-B05", "R-D01"} <= {signal.rule for signal in said}


@pytest.mark.parametrize(
    ("window_s", "card_at", "speaks"),
    [(10, 10, False), (10, 11, True), (11, 11, False), (9, 10, True), (9, 9, False)],
)
def test_parameter_moves_the_boundary(window_s: int, card_at: int, *, speaks: bool) -> None:
    one = engine(R_E01={"window_s": window_s})
    for number, (kind, offset) in enumerate(
        [("face.unknown", 0), ("door.opened", 1), ("access.granted", card_at)]
    ):
        moment = T0 + dt.timedelta(seconds=offset)
        one.feed(
            Observation(
                id=str(number), type=kind, at=moment, received_at=moment, device="d", zone="gate",
                ring="entrance", lane="gate", direction="in",
            )
        )  # fmt: skip
    due = T0 + dt.timedelta(seconds=window_s + 5)
    assert one.advance(due - dt.timedelta(microseconds=1)) == []
    assert bool(one.advance(due)) is speaks


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_parameter_has_a_default_in_range_and_a_reason(rule) -> None:
    for parameter in rule.parameters:
        assert parameter.low <= parameter.default <= parameter.high
        assert "Too " in parameter.trade_off


def test_device_without_a_lane_is_a_place_of_its_own() -> None:
    one = engine()
    face = Observation(
        id="1",
        type="face.unknown",
        at=T0,
        received_at=T0,
        device="cam",
        zone="gate",
        ring="entrance",
        direction="in",
    )
    one.feed(face)
    one.feed(replace(face, id="2", type="door.opened", device="door"))
    assert one.advance(T0 + dt.timedelta(minutes=1)) == []
    one.feed(replace(face, id="3", device="both"))
    one.feed(replace(face, id="4", type="door.opened", device="both"))
    assert [signal.anchor.id for signal in one.advance(T0 + dt.timedelta(minutes=1))] == ["3"]


def test_what_is_older_than_the_horizon_is_forgotten_and_nothing_younger() -> None:
    one = engine()
    card = Observation(
        id="1",
        type="access.granted",
        at=T0,
        received_at=T0,
        device="d",
        zone="hall",
        ring="building",
        lane="hall",
    )
    door = replace(
        card,
        id="2",
        type="door.opened",
        at=T0 + dt.timedelta(minutes=6),
        received_at=T0 + dt.timedelta(minutes=6),
    )
    one.feed(card)
    one.advance(T0 + HORIZON)
    one.feed(door)
    assert [seen.id for seen in one.view.at_place("hall", T0, T0 + HORIZON)] == ["1", "2"]
    # Clearing out costs a walk through everything, so that it is done every five minutes.
    one.advance(T0 + HORIZON + dt.timedelta(minutes=5))
    assert list(one.view.at_place("hall", T0, T0)) == []
    assert [seen.id for seen in one.view.at_place("hall", T0, T0 + HORIZON)] == ["2"]

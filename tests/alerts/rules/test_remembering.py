"""What is remembered is what a plain list would remember, whatever came, was amended and forgotten."""

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from alerts.rules import Observation
from alerts.rules.memory import CONDITIONS, Recent

T0 = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
HORIZON = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def seen(name: str, minute: int, kind: str, device: str = "a", plate: str | None = None) -> Observation:
    at = T0 + minute * MINUTE
    return Observation(
        id=name, type=kind, at=at, received_at=at, device=device, zone="z", ring="common", plate=plate
    )


kinds = st.sampled_from(["door.opened", "device.offline", "device.online"])
steps = st.lists(
    st.tuples(st.integers(0, 12), st.integers(-3, 20), kinds, st.sampled_from("ab"), st.booleans()),
    max_size=40,
)


def plainly(known: dict[str, Observation], limit: dt.datetime) -> dict[str, Observation]:
    """What is young enough, and each device's last word on its own condition."""
    last: dict[str, tuple[dt.datetime, str]] = {}
    for one in known.values():
        if one.type in CONDITIONS:
            last[one.device] = max(last.get(one.device, (one.at, one.id)), (one.at, one.id))
    return {
        name: one
        for name, one in known.items()
        if one.at >= limit or (one.type in CONDITIONS and last[one.device] == (one.at, one.id))
    }


@given(steps)
def test_nothing_is_lost_and_nothing_stays(story: list) -> None:
    recent = Recent(HORIZON)
    known: dict[str, Observation] = {}
    now = T0
    for number, minute, kind, device, amends in story:
        now += 7 * MINUTE
        one = seen(
            f"{number}", int((now - T0) / MINUTE) - minute, kind, device, "云M11111" if amends else None
        )
        one = replace(one, amends=amends)
        if recent.add(one):
            assert amends or one.id not in known
            known[one.id] = one
        recent.forget_before(now)
        known = plainly(known, now - HORIZON)
        ordered = sorted(known.values(), key=lambda one: (one.at, one.id))
        assert recent.observations() == ordered
        ever = (T0 - 10 * HORIZON, now + HORIZON)
        for place in "ab":
            assert list(recent.at_device(place, *ever)) == [one for one in ordered if one.device == place]
        assert list(recent.of_type("door.opened", *ever)) == [o for o in ordered if o.type == "door.opened"]
        assert list(recent.of_subject("plate:云M11111", *ever)) == [o for o in ordered if o.plate]
        half = (now - 20 * MINUTE, now - 7 * MINUTE)
        assert list(recent.in_zone("z", *half)) == [o for o in ordered if half[0] <= o.at <= half[1]]


def test_last_word_of_a_device_stays_until_its_next() -> None:
    recent = Recent(HORIZON)
    recent.add(seen("off", 0, "device.offline"))
    recent.add(seen("door", 0, "door.opened"))
    for minute in (0, 100, 200):
        recent.forget_before(T0 + minute * MINUTE)
    assert [one.id for one in recent.observations()] == ["off"]
    recent.add(seen("on", 201, "device.online"))
    recent.forget_before(T0 + 210 * MINUTE)
    assert [one.id for one in recent.observations()] == ["on"]
    recent.add(seen("late", 205, "door.opened"))
    recent.forget_before(T0 + 300 * MINUTE)
    assert [one.id for one in recent.conditions("a", T0, T0 + 300 * MINUTE)] == ["on"]

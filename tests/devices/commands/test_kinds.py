import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.adapters.contract import COMMANDS
from devices.commands.kinds import (
    GATE,
    LISTS,
    MAX_HOLD_S,
    PATIENCE,
    InvalidCommandError,
    UnlawfulCommandError,
    check_arguments,
    check_lawful,
)


@pytest.mark.parametrize("direction", ["out", None, "both"])
def test_l23_nothing_that_is_a_way_out_is_commanded_shut(direction: str | None) -> None:
    with pytest.raises(UnlawfulCommandError) as refused:
        check_lawful("close", direction)
    assert refused.value.clause == "L-23"
    for kind in COMMANDS - {"close"}:
        check_lawful(kind, direction)


def test_what_leads_in_and_nowhere_else_may_be_shut() -> None:
    check_lawful("close", "in")


def test_every_command_knows_how_long_it_is_worth_sending_and_doors_five_seconds_at_most() -> None:
    assert set(PATIENCE) == set(COMMANDS)
    assert all(PATIENCE[kind].waits <= dt.timedelta(seconds=5) for kind in GATE)
    assert GATE | LISTS <= COMMANDS


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("open", {"door": 4}, "door"),
        ("open", {"door": True}, "door"),
        ("open", {"seconds": 0.4}, "seconds"),
        ("open", {"seconds": 61}, "seconds"),
        ("open", {"force": 1}, "force"),
        ("hold", {}, "seconds"),
        ("hold", {"seconds": MAX_HOLD_S + 1}, "seconds"),
        ("speak", {}, "text"),
        ("speak", {"text": "  "}, "text"),
        ("speak", {"text": "x" * 101}, "text"),
        ("speak", {"text": "a\nb"}, "text"),
        ("resend", {"from": "2026-11-23T07:00:00", "until": "2026-11-23T08:00:00+08:00"}, "from"),
        ("resend", {"from": "2026-11-23T08:00:00+08:00", "until": "2026-11-23T08:00:00+08:00"}, "until"),
        ("resend", {"from": "yesterday"}, "from"),
        ("sync_time", {"at": 1}, "at"),
    ],
)
def test_wrong_arguments_are_named(kind: str, given: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidCommandError) as refused:
        check_arguments(kind, given)
    assert refused.value.field == field


def test_right_arguments_are_kept_and_nothing_else() -> None:
    assert check_arguments("open", {"door": 1, "seconds": 2}) == {"door": 1, "seconds": 2.0}
    assert check_arguments("hold", {"seconds": MAX_HOLD_S}) == {"seconds": float(MAX_HOLD_S)}
    assert check_arguments("speak", {"text": " 请稍候 "}) == {"text": "请稍候"}
    period = {"from": "2026-11-23T07:00:00+08:00", "until": "2026-11-23T08:00:00+08:00"}
    assert check_arguments("resend", period) == {
        "from": "2026-11-22T23:00:00+00:00",
        "until": "2026-11-23T00:00:00+00:00",
    }
    assert check_arguments("release", {}) == {}


@given(
    st.sampled_from(sorted(COMMANDS)),
    st.dictionaries(
        st.sampled_from(["door", "seconds", "text", "from", "until", "x"]),
        st.none() | st.floats() | st.integers() | st.text(max_size=5) | st.booleans(),
        max_size=3,
    ),
)
def test_arguments_are_taken_or_refused_and_nothing_else(kind: str, given: dict[str, object]) -> None:
    try:
        checked = check_arguments(kind, given)
    except InvalidCommandError:
        return
    assert set(checked) <= set(given)

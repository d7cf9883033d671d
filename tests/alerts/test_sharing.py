"""Sharing: whatever processes come and go, soon every compound has one, and none has two more than another."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.sharing import Member, turn

COMPOUNDS = [f"c{number}" for number in range(9)]


def settle(compounds: list[str], members: list[Member], held: dict[str, str]) -> tuple[dict[str, str], int]:
    """Lets everybody act in turn until nobody has anything to do; also how often something was given up."""
    moves = 0
    for _ in range(20):
        before = dict(held)
        for member in members:
            now = turn(member.holder, compounds, members, held)
            for compound in now.release:
                assert held.pop(compound) == member.holder
                moves += 1
            for compound in now.take:
                assert compound not in held
                held[compound] = member.holder
        if held == before:
            return held, moves
    raise AssertionError("it never comes to rest")


def counts(held: dict[str, str], members: list[Member]) -> list[int]:
    return sorted(sum(holder == member.holder for holder in held.values()) for member in members)


@given(
    count=st.integers(0, 9),
    heads=st.integers(1, 5),
    before=st.lists(st.integers(0, 6), min_size=9, max_size=9),
)
def test_everything_is_held_and_shares_differ_by_one(count: int, heads: int, before: list[int]) -> None:
    compounds = COMPOUNDS[:count]
    members = [Member(f"m{number}") for number in range(heads)]
    # Some are held already, also by those who are no more but are believed to be.
    held = {
        compound: f"m{owner}" for compound, owner in zip(compounds, before, strict=False) if owner < heads
    }
    settled, _ = settle(compounds, members, held)
    assert set(settled) == set(compounds)
    shares = counts(settled, members)
    assert shares[-1] - shares[0] <= 1


def test_one_that_comes_gets_its_share_with_as_few_moves_as_that_takes() -> None:
    members = [Member("a"), Member("b")]
    held, _ = settle(COMPOUNDS, members, {})
    settled, moves = settle(COMPOUNDS, [*members, Member("c")], held)
    assert counts(settled, [*members, Member("c")]) == [3, 3, 3]
    assert moves == 3


def test_nobody_moves_what_cannot_be_shared_more_evenly() -> None:
    held = {"c0": "b", "c1": "b", "c2": "a"}
    _, moves = settle(COMPOUNDS[:3], [Member("a"), Member("b")], held)
    assert moves == 0


def test_what_is_held_by_one_that_is_gone_is_left_until_it_runs_out() -> None:
    assert turn("a", ["c0"], [Member("a")], {"c0": "gone"}).take == ()
    assert turn("a", ["c0"], [Member("a")], {}).take == ("c0",)


def test_a_compound_belongs_to_who_is_for_it_while_that_one_is_there() -> None:
    members = [Member("any"), Member("own", frozenset({"c0"}))]
    held, _ = settle(COMPOUNDS[:3], members, {"c0": "any"})
    assert held == {"c0": "own", "c1": "any", "c2": "any"}
    held.pop("c0")
    alone, _ = settle(COMPOUNDS[:3], members[:1], held)
    assert alone == dict.fromkeys(COMPOUNDS[:3], "any")


def test_who_is_for_some_takes_no_others() -> None:
    assert turn("own", ["c0", "c1"], [Member("own", frozenset({"c0"}))], {}).take == ("c0",)

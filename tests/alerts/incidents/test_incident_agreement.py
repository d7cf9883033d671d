"""The database and its pure twin say the same of the same signals: which are one incident, and how grave."""

import datetime as dt
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from saying import moment, observed, one_thing, over, said
from sqlalchemy import select
from timeline import COMPOUND

from alerts.incidents import raising
from alerts.incidents.folding import Fold
from alerts.incidents.models import Evidence, Incident, IncidentKey, MergeProposal
from alerts.rules import Clear, Proposal, Said, Signal
from storage import Database, new_id

KEYS = ("a", "b", "c", "d")
RULE_OF = {"a": "R-E01", "b": "R-E01", "c": "R-B05", "d": "R-D01"}


@dataclass
class Standing:
    """What stands at the end, by what was said and not by ids that chance gave."""

    # (signals, what raised it and when, severity, cleared, keys under which it grows).
    cases: list[tuple] = field(default_factory=list)


def signals(offsets: st.SearchStrategy[float]) -> st.SearchStrategy[Signal]:
    return st.builds(
        lambda key, offset, severity, joins: said(
            key,
            severity=severity,
            rule=RULE_OF[key],
            anchor=observed(offset),
            joins=tuple(sorted(joins - {key})),
        ),
        st.sampled_from(KEYS),
        offsets,
        st.integers(1, 4),
        st.just(frozenset()) | st.frozensets(st.sampled_from(KEYS), max_size=3),
    )


def batches() -> st.SearchStrategy[list[list[Said]]]:
    offsets = st.integers(0, 400).map(float)
    one = st.one_of(
        signals(offsets),
        signals(offsets),
        st.builds(over, st.sampled_from(KEYS), offsets),
        st.builds(
            lambda pair, automatic: one_thing(*pair, automatic=automatic),
            st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)).filter(lambda pair: pair[0] != pair[1]),
            st.booleans(),
        ),
    )
    return st.lists(st.lists(one, min_size=1, max_size=4), max_size=8)


def of_fold(history: list[list[Said]], fold: Fold) -> Standing:
    standing = Standing()
    for number, batch in enumerate(history):
        fold.take(batch, moment(number))
    for case in fold.cases:
        standing.cases.append(
            (
                sorted(raising.signal_id(one) for one in case.signals),
                (case.key, case.rule, case.raised_at),
                case.severity,
                case.cleared_at is not None,
                sorted(case.growing),
            )
        )
    return standing


def of_database(history: list[list[Said]], database: Database, compound: str) -> Standing:
    standing = Standing()
    for number, batch in enumerate(history):
        with database.write() as session:
            raising.apply_all(session, compound, batch, moment(number))
    with database.read() as session:
        for row in session.scalars(select(Incident).where(Incident.compound == compound)):
            if row.merged_into is not None:
                assert row.state == "merged"
                continue
            stands_on = session.scalars(select(Evidence.signal_id).where(Evidence.incident == row.id)).all()
            assert row.signal_count == len(stands_on)
            grows = session.scalars(select(IncidentKey.key).where(IncidentKey.incident == row.id)).all()
            standing.cases.append(
                (
                    sorted(stands_on),
                    (row.key, row.rule, row.raised_at),
                    row.severity,
                    row.state == "auto_cleared",
                    sorted(grows),
                )
            )
        proposed = session.scalars(select(MergeProposal).where(MergeProposal.compound == compound)).all()
        assert all(row.first < row.second for row in proposed)
    return standing


@given(history=batches())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_database_and_fold_agree_on_every_history(database: Database, history: list[list[Said]]) -> None:
    compound = new_id()
    kept = of_database(history, database, compound)
    pure = of_fold(history, Fold())
    assert sorted(kept.cases) == sorted(pure.cases)


def test_twin_says_the_same_of_a_story_with_everything_in_it(database: Database) -> None:
    """One that is known by heart, so that the property above cannot agree on nothing."""
    first, second = said("a", 0, severity=4), said("b", 10, severity=3)
    both = said("c", 20, severity=2, rule="R-B05", joins=("a", "b"))
    # Both in one batch: then the order in which they are named says which one stays.
    history: list[list[Said]] = [[first, second], [both], [over("a", 30)], [said("d", 40, rule="R-D01")]]
    history.append([over("d", 50)])
    kept, pure = of_database(history, database, COMPOUND), of_fold(history, Fold())
    assert sorted(kept.cases) == sorted(pure.cases)
    assert sorted((severity, cleared, keys) for _, _, severity, cleared, keys in pure.cases) == [
        (2, False, ["a", "b", "c"]),
        (3, True, []),
    ]
    assert {case[1][0] for case in kept.cases} == {"a", "d"}


def test_what_joins_goes_first_and_proposals_last() -> None:
    clear: Clear = over("a")
    proposal: Proposal = one_thing("a", "b")
    alone, joining = said("a"), said("c", joins=("a",))
    fold = Fold()
    changes = fold.take([proposal, alone, clear, joining], moment(0) + dt.timedelta(seconds=1))
    assert [change for change, _ in changes] == ["raised", "amended"]
    # By then there is no other incident to be one with.
    assert fold.proposals == []

"""What holds of every incident, whatever is said and whatever people do in between."""

import itertools
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from saying import moment, one_thing, over, said
from sqlalchemy import select

from alerts.incidents import actions, linking, merging, raising, timers
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import (
    Comparison,
    FalseAlarmReason,
    ReopenReason,
    State,
    Step,
    StepRefusedError,
)
from alerts.incidents.merging import MergeRefusedError
from alerts.incidents.models import Evidence, Incident, IncidentKey, IncidentMerge, Transition
from bus.messages import IncidentChanged, decode
from storage import Database, new_id
from storage.events import OutboxRow

KEYS = ("a", "b", "c")
PEOPLE = (Actor("operator-1", "operator"), Actor("operator-2", "operator"))
ENDS = {State.CLOSED, State.FALSE_ALARM, State.AUTO_CLEARED, State.MERGED}


@dataclass(frozen=True)
class Does:
    """Somebody does something with one of the incidents that there are by then."""

    what: str
    which: int
    other: int
    to: State
    person: int


def doings() -> st.SearchStrategy:
    keys = st.sampled_from(KEYS)
    saying = st.builds(
        lambda key, severity, joins, probable, needs: (
            key,
            {
                "severity": severity,
                "joins": tuple(sorted(joins - {key})),
                "probable": probable,
                "needs_comparison": needs,
            },
        ),
        keys,
        st.integers(1, 4),
        st.just(frozenset()) | st.frozensets(keys, max_size=2),
        st.booleans(),
        st.booleans(),
    )
    what = st.sampled_from(["step", "step", "step", "merge", "undo", "split", "sweep"])
    does = st.builds(
        Does, what, st.integers(0, 5), st.integers(0, 5), st.sampled_from(State), st.integers(0, 1)
    )
    pair = st.tuples(keys, keys).filter(lambda pair: pair[0] != pair[1])
    return st.lists(st.one_of(saying, saying, does, does, does, keys, pair), max_size=24)


def do(database: Database, compound: str, doing: object, at: float) -> None:
    with database.write() as session:
        if isinstance(doing, str):
            raising.apply_all(session, compound, [over(doing, at)], moment(at))
        elif isinstance(doing, Does):
            _by_hand(session, compound, doing, at)
        elif isinstance(doing[1], dict):
            raising.apply_all(session, compound, [said(doing[0], at, **doing[1])], moment(at))
        else:
            automatic = one_thing(*doing, at, automatic=True)
            raising.apply_all(session, compound, [automatic], moment(at))


def _by_hand(session, compound: str, does: Does, at: float) -> None:
    there = session.scalars(select(Incident).where(Incident.compound == compound).order_by(Incident.id)).all()
    if not there:
        return
    one, other = there[does.which % len(there)].id, there[does.other % len(there)].id
    person = PEOPLE[does.person]
    try:
        with session.begin_nested():
            if does.what == "step":
                reason = {
                    State.FALSE_ALARM: FalseAlarmReason.COURIER,
                    State.REOPENED: ReopenReason.NOT_DONE,
                }
                step = Step(does.to, reason=reason.get(does.to), comparison=Comparison.MATCH)
                actions.take_step(session, one, step, person, moment(at))
            elif does.what == "merge":
                merging.merge(session, compound, one, other, person, moment(at))
            elif does.what == "undo":
                made = session.scalars(select(IncidentMerge.id).where(IncidentMerge.target == one)).all()
                if made:
                    merging.undo(session, compound, made[-1], person, moment(at))
            elif does.what == "split":
                linking.wrong(session, compound, one, person, moment(at))
            else:
                timers.sweep(session, moment(at))
    except (StepRefusedError, MergeRefusedError):
        return


@given(history=doings())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_incident_has_one_path_with_an_actor_each_and_evidence_has_one_incident(
    database: Database, history: list
) -> None:
    compound = new_id()
    gravest: dict[str, int] = {}
    for number, doing in enumerate(history):
        do(database, compound, doing, number * 7.0)
        _severity_fell_only_by_hand(database, compound, gravest, doing)

    with database.read() as session:
        rows = {row.id: row for row in session.scalars(select(Incident).where(Incident.compound == compound))}
        announced = [decode(raw) for raw in session.scalars(select(OutboxRow.payload))]
        for incident in rows.values():
            path = session.scalars(
                select(Transition).where(Transition.incident == incident.id).order_by(Transition.version)
            ).all()
            _path_holds(incident, list(path))
            versions = [
                one.version for one in announced if isinstance(one, IncidentChanged) and one.id == incident.id
            ]
            # Every change was told, once.
            assert versions == list(range(1, incident.version + 1))
            stands_on = session.scalars(select(Evidence).where(Evidence.incident == incident.id)).all()
            keys = session.scalars(select(IncidentKey.key).where(IncidentKey.incident == incident.id)).all()
            if incident.state == State.MERGED:
                target = rows[incident.merged_into]
                assert target.state != State.MERGED, "no chains"
                assert not stands_on
                assert not keys
            else:
                assert incident.merged_into is None
                assert stands_on
                assert incident.signal_count == len(stands_on)
            if not State(incident.state).grows:
                assert not keys
        everything = session.scalars(
            select(Evidence.signal_id).where(Evidence.incident.in_(list(rows) or [""]))
        ).all()
    spoken = sum(isinstance(one, tuple) and isinstance(one[1], dict) for one in history)
    assert len(everything) == spoken, "no evidence is lost and none is doubled"


def _path_holds(incident: Incident, path: list[Transition]) -> None:
    assert path[0].from_state is None
    assert path[0].to_state == State.RAISED
    for before, after in itertools.pairwise(path):
        assert after.from_state == before.to_state
        assert after.version > before.version
        assert after.at >= before.at
    assert path[-1].to_state == incident.state
    assert all(row.actor and row.role for row in path)
    # It ends once; only the undoing of a merge leads out of an end.
    for row in path:
        if row.from_state in ENDS and row.to_state != row.from_state:
            assert (row.from_state, row.reason) == (State.MERGED, "merge_undone")
    assert (incident.due_at is None) or State(incident.state).is_open


def _severity_fell_only_by_hand(
    database: Database, compound: str, gravest: dict[str, int], doing: object
) -> None:
    by_hand = isinstance(doing, Does) and doing.what in {"undo", "split"}
    with database.read() as session:
        for row in session.scalars(select(Incident).where(Incident.compound == compound)):
            assert by_hand or row.severity <= gravest.get(row.id, 4)
            gravest[row.id] = row.severity

"""For how long those who are asked need to know where and what it is (L-20)."""

from typing import Final

from alerts.dispatch.models import UNDER_WAY, DispatchState
from alerts.incidents.lifecycle import State

ASKED: Final = frozenset({DispatchState.OFFERED, DispatchState.TAKEN, *UNDER_WAY})
"""A responder is asked, goes, or may still go along."""


def needs_to_know(dispatch: DispatchState, incident: State) -> bool:
    """Whether somebody who was asked may still do something there.

    Who has said no or was called off knows no more of it than who comes back from what is over.
    """
    return dispatch in ASKED and incident.grows

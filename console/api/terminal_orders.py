"""What a terminal has to forget: it fetches its orders by itself and answers each.

A terminal sees its own orders and nothing else: a reference that says nothing to anybody.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from console.accounts.models import User
from console.api.paging import Page
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found
from devices import enrolments
from devices.enrolments import DeleteOrder, OrderState

router = APIRouter(tags=["terminal orders"])
Terminal = Annotated[User, may(Action.TERMINAL_ORDERS)]


class OrderView(BaseModel):
    """Delete what lies under `ref`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    ref: str
    ordered_at: dt.datetime
    attempts: int


class OrderAnswered(BaseModel):
    """`deleted` or `unknown_ref` confirm; any other code says why not, and the order comes again."""

    result: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]


class AnswerTaken(BaseModel):
    """Where the order stands now."""

    id: str
    state: OrderState


@router.get("/terminal-orders")
def orders(here: Here, user: Terminal) -> Page[OrderView]:
    """Orders of the terminal that asks, as far as they are due, the oldest first; they count as sent."""
    with here.database.write() as session:
        at = here.clock.now()
        due = enrolments.pending(session, user.device_id or "", at, fetched=True)
        enrolments.mark_sent(session, due, at)
        return Page(items=[OrderView.model_validate(order) for order in due], next_cursor=None)


@router.post("/terminal-orders/{order_id}/answer")
def answer(here: Here, user: Terminal, order_id: str, answered: OrderAnswered) -> AnswerTaken:
    """What became of an order. Another terminal's is not found."""
    with here.database.write() as session:
        own = session.scalar(
            select(DeleteOrder.id).where(
                DeleteOrder.id == order_id,
                DeleteOrder.device == (user.device_id or ""),
                DeleteOrder.compound == here.compound,
            )
        )
        if own is None:
            raise not_found("terminal_order")
        order = enrolments.answer(session, own, answered.result, here.clock.now())
        return AnswerTaken(id=order.id, state=OrderState(order.state))

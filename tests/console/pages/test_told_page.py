"""An incident's page says who was told, by what, and whether it came."""

from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import select

from alerts.duty.models import Responder
from alerts.notify.asking import Ask, ask
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from console.context import Rooms
from storage import new_id

Visit = Callable[..., TestClient]


def test_the_page_says_who_was_told_by_what_and_who_was_not_reached(visit: Visit, seeded: Rooms) -> None:
    now = seeded.clock.now()
    with seeded.database.write() as session:
        first, second = session.scalars(select(Responder).order_by(Responder.id).limit(2)).all()
        names = (first.name, second.name)
        rows = ask(
            session,
            [
                Ask(seeded.compound, f"k:{one.id}", Purpose.INCIDENT, responder=one.id, incident="i-hit")
                for one in (first, second)
            ],
            now,
        )
        rows[1].state, rows[1].due_at = NotificationState.UNREACHED, None
        attempt = NotificationAttempt(
            id=new_id(),
            notification=rows[0].id,
            contact="c1",
            kind=ChannelKind.WEB_PUSH,
            number=1,
            state=AttemptState.RECEIVED,
            at=now,
            received_at=now,
        )
        session.add(attempt)
    page = visit("operator").get("/console", params={"incident": "i-hit"}).text
    told = page.partition('class="told"')[2].partition("</details>")[0]
    # Whoever was not reached stands first.
    assert told.index(names[1]) < told.index(names[0])
    assert "未能联系上" in told or "not reached" in told
    assert attempt.id not in page


def test_nobody_told_says_nothing(visit: Visit, seeded: Rooms) -> None:
    assert 'class="told"' not in visit("operator").get("/console", params={"incident": "i-hit"}).text

"""The page of routes answers whom an incident reaches, and begins a silence from one; never of safety."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from pages_history import incident
from sqlalchemy import select

from alerts.routing.models import Silence
from alerts.rules import RULES
from alerts.rules.rule import Rule
from console.context import Rooms

Visit = Callable[..., TestClient]
DOOR = {"ring": "building", "zone": "b3", "kind": "door.forced", "severity": 2}


def area(html: str) -> str:
    """The text of the field in which matchers are typed."""
    found = re.search(r'<textarea name="matchers"[^>]*>([^<]*)<', html)
    assert found
    return found[1]


def test_whom_an_incident_reaches_is_said_with_the_way_and_why(visit: Visit) -> None:
    client = visit("operator", "en")
    html = client.get("/console/routes", params=DOOR).text
    answer = html.split('id="answer"')[1].split("</section>")[0]
    assert "Door forced, 3幢" in answer
    assert "all → inside" in answer
    assert "takes it" in answer
    assert "does not match:" in answer
    gate = client.get("/console/routes", params=DOOR | {"zone": "gate-north"}).text
    assert "ring = entrance" in gate.split('id="way"')[1].split("</ul>")[0]


def test_a_time_may_be_asked_about_and_stays_in_the_form(visit: Visit, at: dt.datetime) -> None:
    client = visit("operator", "en")
    html = client.get("/console/routes", params=DOOR | {"at": "2026-12-24T03:30"}).text
    assert 'value="2026-12-24T03:30"' in html
    assert "03:30" in html.split('class="sentence"')[1].split("</p>")[0]
    wrong = client.get("/console/routes", params=DOOR | {"at": "tomorrow"})
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text


def test_a_zone_says_in_which_ring_it_lies(visit: Visit) -> None:
    html = visit("operator", "en").get("/console/routes", params=DOOR | {"ring": "entrance"}).text
    assert re.search(r'value="building" selected', html)


def test_names_of_those_on_duty_are_for_those_who_see_rosters(visit: Visit, seeded: Rooms) -> None:
    # The guard of the compound is on duty at the north gate.
    asked = {"ring": "entrance", "zone": "gate-north", "kind": "vehicle.unregistered", "severity": 2}
    asked["stage"] = "confirmed"
    way = "/console/routes"
    assert "赵保安" in visit("operator", "en").get(way, params=asked).text
    assert "赵保安" not in visit("auditor", "en").get(way, params=asked).text


def test_a_silence_begins_with_what_is_like_an_incident_and_what_it_would_keep_quiet(visit: Visit) -> None:
    client = visit("operator", "en")
    assert "/console/routes?like=i-off" in client.get("/console?incident=i-off").text
    html = client.get("/console/routes?like=i-off").text
    assert area(html).splitlines() == [
        "ring = common", "kind = device.offline", "zone = sheds", "device = cam-sheds",
    ]  # fmt: skip
    assert re.search(r'<option value="3" selected', html)
    assert 'id="like"' in html
    assert "Device offline" in html.split('role="status"')[1].split("</div>")[0]


@pytest.mark.parametrize("safety", [rule for rule in RULES if rule.safety], ids=lambda rule: rule.id)
def test_fire_help_and_duress_have_no_silence_to_begin_with(
    visit: Visit, seeded: Rooms, safety: type[Rule]
) -> None:
    with seeded.database.write() as session:
        session.add(incident("i-grave", seeded.clock.now(), rule=safety.id, kind=safety.kind, severity=1))
    client = visit("operator", "en")
    html = client.get("/console/routes?like=i-grave").text
    assert "never silenced" in html
    assert area(html) == ""


def test_a_silence_that_names_safety_is_refused(visit: Visit, seeded: Rooms) -> None:
    form = {"matchers": "safety = true", "gravest": 1, "hours": 2, "comment": "noise"}
    answer = visit("operator", "en").post("/console/routes/silences", data=form)
    assert answer.status_code == 409
    assert area(answer.text) == "safety = true"
    with seeded.database.read() as session:
        assert session.scalars(select(Silence.id)).all() == []


def test_who_may_not_silence_is_offered_none(visit: Visit) -> None:
    html = visit("auditor", "en").get("/console/routes?like=i-off").text
    assert "<textarea" not in html
    assert 'id="like"' not in html


def test_what_is_over_stays_to_be_seen_with_who_ended_it(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    form = {"matchers": "zone = sheds", "gravest": 3, "hours": 2, "comment": "paint"}
    assert client.post("/console/routes/silences", data=form).status_code == 303
    with seeded.database.read() as session:
        (made,) = session.scalars(select(Silence.id)).all()
    assert client.post(f"/console/routes/silences/{made}/lifting").status_code == 303
    over = client.get("/console/routes").text.split("Over lately")[1].split("</details>")[0]
    assert "paint" in over
    assert "by operator" in over

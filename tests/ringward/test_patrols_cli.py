"""`ringward patrols`, and whose credential a reader at a checkpoint was shown."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.actor import Actor
from alerts.patrols import checkpoints, routes, walking
from alerts.patrols.checkpoints import PointGiven
from alerts.patrols.models import PointKind
from alerts.patrols.routes import RouteGiven, ScheduleGiven
from console.accounts.models import Role, User
from registry.credentials.issuing import NewCredential, issue
from registry.credentials.models import CredentialKind
from registry.models import Compound, Person, Zone
from ringward.cli import app
from ringward.foundation import Foundation, lay
from ringward.patrolside import ROUND, walker
from ringward.settings import Settings
from storage import migrate

RUNNER = CliRunner()
BY = Actor("manager", "property_manager")


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Foundation]:
    monkeypatch.setenv("RINGWARD_DATA_DIR", str(tmp_path / "data"))
    ground = lay(Settings())
    migrate.upgrade(ground.database)
    compound = ground.settings.compound
    with ground.database.write() as session:
        session.add(Compound(id=compound, name="柳荫", time_zone="Asia/Shanghai"))
        session.flush()
        session.add(
            Zone(id="hall", compound=compound, name="3幢", ring="building", kind="hall", outline=[[0, 0]])
        )
        session.add(Team(id="walkers", compound=compound, name="保安", kind=TeamKind.GUARD))
        session.flush()
        session.add(Responder(id="li", team="walkers", name="甲"))
    yield ground
    ground.database.close()


def run(*arguments: str) -> str:
    made = RUNNER.invoke(app, ["patrols", *arguments])
    assert made.exit_code == 0, made.output
    return made.output


def test_routes_rounds_and_the_month_are_shown(ground: Foundation) -> None:
    compound, now = ground.settings.compound, ground.clock.now()
    with ground.database.write() as session:
        given = PointGiven("泵房", "hall", PointKind.QR)
        point, _ = checkpoints.add_point(session, compound, given, BY, now)
        route = routes.add_route(session, compound, RouteGiven("夜巡", "walkers", (point.id,)), BY, now)
        routes.add_schedule(
            session, compound, route.id, ScheduleGiven((1500,), 45, day_kinds=("weekday",)), BY, now
        )
        walking.walk(session, compound, route.id, "li", now)
    [shown] = json.loads(run("show", "--json"))
    assert (shown["points"], shown["times"][0]["begins"]) == (["泵房"], ["25:00"])
    assert "25:00  45 min" in run("show")
    [today] = json.loads(run("today", "--json"))
    assert (today["state"], today["visited"], today["points"]) == ("under_way", 0, 1)
    assert "0/1" in run("today", "--lang", "en")
    month = now.astimezone(dt.timezone(dt.timedelta(hours=8))).strftime("%Y-%m")
    [counted] = json.loads(run("report", month, "--json"))
    assert (counted["name"], counted["rounds"], counted["open"]) == ("夜巡", 1, 1)
    assert "rounds 1" in run("report", month)
    assert RUNNER.invoke(app, ["patrols", "report", "November"]).exit_code == 1


def test_a_card_before_a_reader_is_its_owners(ground: Foundation) -> None:
    compound, now = ground.settings.compound, ground.clock.now()
    with ground.database.write() as session:
        for name, responder in (("guard", "li"), ("resident", None)):
            person = Person(id=name, compound=compound, name="甲")
            session.add(person)
            session.flush()
            issue(session, person, NewCredential(CredentialKind.CARD, f"CAFE0{len(name)}"), at=now)
            session.add(
                User(
                    id=name,
                    name=name,
                    password_hash="",
                    role=Role.GUARD,
                    responder_id=responder,
                    person_id=name,
                    created_at=now,
                )
            )
    with ground.database.read() as session:

        def whose(body: dict) -> str | None:
            return walker(session, compound, body)

        assert whose({"credential": {"kind": "card", "ref": "CAFE05"}}) == "li"
        assert whose({"credential": {"kind": "card", "ref": "CAFE08"}}) is None
        assert whose({"credential": {"kind": "card", "ref": "unknown !"}}) is None
        assert whose({"credential": {"kind": "wand", "ref": "CAFE05"}}) is None
        assert whose({"credential": None}) is None
        assert whose({}) is None
    with ground.database.write() as session:
        assert ROUND.do(session, now) == 0

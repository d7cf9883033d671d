"""Writes a first compound: copy this file, make it yours, run it once.

    .venv/bin/python first_compound.py --data-dir /var/lib/ringward

There is no import command yet, so this is how places, teams and shifts come into the
database. Plan coordinates are metres from the north-west corner, y grows to the south.
A zone's ring decides how grave things are there; devices are registered into zones.
"""

import argparse
import datetime as dt
from pathlib import Path

from alerts.duty.models import Responder, Shift, Team, TeamKind
from registry.models import Building, Compound, Ring, Zone
from ringward.cli.common import opened, settings

COMPOUND = Compound(id="willow", name="杨柳小区", time_zone="Asia/Shanghai")
ZONES = [
    # id, name, ring, kind, [[x, y], …] in metres, neighbours that one can walk to
    ("gate-1", "一号门", Ring.ENTRANCE, "vehicle_pedestrian_gate", (90, 0, 20, 12), ["yard"]),
    ("yard", "内院", Ring.COMMON, "square", (20, 12, 160, 60), ["gate-1", "b01"]),
    ("b01", "1幢", Ring.BUILDING, "building", (40, 72, 60, 20), ["yard"]),
]
BUILDINGS = [("b01-house", "b01", "1幢", (45, 76, 50, 14))]
TEAMS = [("guards", "门岗", TeamKind.GUARD), ("volunteers", "义警", TeamKind.VOLUNTEER_POLICE)]
RESPONDERS = [("guard-1", "guards", "门岗甲", "gate-1"), ("volunteer-1", "volunteers", "志愿者甲", "yard")]
ON_DUTY = dt.timedelta(days=30)


def outline(x: float, y: float, width: float, height: float) -> list[list[float]]:
    """The four corners of an upright rectangle."""
    return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]


def write(data_dir: Path | None) -> None:
    """Adds everything in one transaction; run twice it fails and changes nothing."""
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        now = ground.clock.now()
        session.add(COMPOUND)
        session.flush()
        for zone, name, ring, kind, (x, y, width, height), neighbours in ZONES:
            session.add(
                Zone(
                    id=zone,
                    compound=COMPOUND.id,
                    name=name,
                    ring=ring,
                    kind=kind,
                    outline=outline(x, y, width, height),
                    neighbours=neighbours,
                )
            )
        session.flush()
        for building, zone, name, (x, y, width, height) in BUILDINGS:
            session.add(
                Building(
                    id=building,
                    compound=COMPOUND.id,
                    zone=zone,
                    name=name,
                    x=x,
                    y=y,
                    width=width,
                    height=height,
                )
            )
        for team, name, team_kind in TEAMS:
            session.add(Team(id=team, compound=COMPOUND.id, name=name, kind=team_kind))
        session.flush()
        for responder, team, name, post in RESPONDERS:
            session.add(Responder(id=responder, team=team, name=name, post=post, active=True))
        session.flush()
        for responder, *_ in RESPONDERS:
            session.add(
                Shift(id=f"{responder}-shift", responder=responder, starts_at=now, ends_at=now + ON_DUTY)
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes a first compound.")
    parser.add_argument("--data-dir", type=Path, default=None)
    write(parser.parse_args().data_dir)

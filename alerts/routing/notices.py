"""The notices of incidents: who gets one, under which key, and what fills its blanks."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Notification, Purpose
from alerts.routing.models import RouteGroup, Telling
from alerts.routing.reaching import FELL, reach
from alerts.routing.tree import Facts, Receiver

WORTH: Final = dt.timedelta(hours=12)
"""After this nobody is told any more: by then it is the hand-over's to say."""


@dataclass
class Notices:
    """Within one transaction, at one moment."""

    session: Session
    now: dt.datetime

    def tell(
        self,
        receiver: Receiver,
        ready: Sequence[tuple[Incident, Facts, Telling]],
        group: RouteGroup | None = None,
        *,
        repeats: bool = False,
    ) -> int:
        """Asks that a receiver's people and channels are told of incidents, together where they are several.

        Several are told under one notice, that of the gravest; whoever was told of that one already hears
        of the next.
        """
        per: dict[tuple[str, bool], list[tuple[Incident, Telling]]] = defaultdict(list)
        for incident, given, row in ready:
            reached = reach(self.session, incident.compound, receiver, given, incident.zone, self.now)
            if reached.fell is not None:
                FELL.labels(reached.fell).inc()
            for responder in reached.responders:
                per[responder, False].append((incident, row))
            for channel in reached.channels:
                per[channel, True].append((incident, row))
        known = self._known(
            _key(incident, row, target, repeats=repeats)
            for (target, _), ones in per.items()
            for incident, row in ones
        )
        under = self._told_under(ready) if not repeats else {}
        asks: list[Ask] = []
        for (target, is_channel), ones in per.items():
            unknown = [
                one
                for one in ones
                if _key(*one, target, repeats=repeats) not in known and target not in under.get(one[0].id, ())
            ]
            if not unknown:
                continue
            face, row = min(unknown, key=lambda one: (one[0].severity, one[0].raised_at, one[0].id))
            for incident, other in unknown:
                other.face = None if incident is face else face.id
            asks.append(
                Ask(
                    compound=face.compound,
                    key=_key(face, row, target, repeats=repeats),
                    purpose=Purpose.INCIDENT,
                    severity=face.severity,
                    responder=None if is_channel else target,
                    channel=target if is_channel else None,
                    # Graver than it was told as: as important as what was grave from the beginning.
                    important=face.severity <= 2 or row.severity is not None,
                    drill=face.drill,
                    incident=face.id,
                    arguments=_arguments(face, len(unknown), repeats=repeats),
                    expires_at=self.now + WORTH,
                )
            )
        made = ask(self.session, asks, self.now)
        for incident, _, row in ready:
            row.severity = incident.severity if row.severity is None else min(row.severity, incident.severity)
            row.told_at = self.now
            row.times += 1
            repeat = row.repeat_s if State(incident.state) is State.RAISED else 0
            row.again_at = self.now + dt.timedelta(seconds=repeat) if repeat else None
        self._note_told(group, ready)
        self.session.flush()
        return len(made)

    def _note_told(self, group: RouteGroup | None, ready: Sequence[tuple[Incident, Facts, Telling]]) -> None:
        if group is None:
            ids = {row.group for _, _, row in ready if row.group is not None}
            groups = [self.session.get(RouteGroup, one) for one in ids]
        else:
            groups = [group]
        gravest = min(incident.severity for incident, _, _ in ready)
        for one in groups:
            if one is not None:
                one.told_at = self.now
                one.gravest = gravest if one.gravest is None else min(one.gravest, gravest)

    def _known(self, keys: Iterable[str]) -> set[str]:
        wanted = list(keys)
        found: set[str] = set()
        for start in range(0, len(wanted), 500):
            found |= set(
                self.session.scalars(
                    select(Notification.key).where(Notification.key.in_(wanted[start : start + 500]))
                )
            )
        return found

    def _told_under(self, ready: Sequence[tuple[Incident, Facts, Telling]]) -> dict[str, set[str]]:
        """Who has heard of an incident under another's notice, by another receiver and as grave as it is."""
        new = {incident.id: incident.severity for incident, _, row in ready if row.severity is None}
        if not new:
            return {}
        rows = self.session.execute(
            select(Telling.incident, Telling.severity, Notification.responder, Notification.channel)
            .join(Notification, Notification.incident == Telling.face)
            .where(Telling.incident.in_(new), Notification.purpose == Purpose.INCIDENT)
        )
        under: dict[str, set[str]] = defaultdict(set)
        for incident, severity, responder, channel in rows:
            if severity is not None and severity <= new[incident]:
                under[incident].add(responder or channel or "")
        return under


def _key(incident: Incident, row: Telling, target: str, *, repeats: bool = False) -> str:
    """One incident, one severity, one receiver of notices, one life; repeats are numbered."""
    parts = ["incident", incident.id, str(incident.severity), target]
    if row.life:
        parts.append(f"v{row.life}")
    if repeats:
        parts.append(f"r{row.times}")
    return ":".join(parts)


def _arguments(face: Incident, count: int, *, repeats: bool) -> Mapping[str, Any]:
    """What fills a notice's blanks: codes and places. `count` incidents are told together."""
    return {
        "kind": face.kind,
        "rule": face.rule,
        "ring": face.ring,
        "zone": face.zone,
        "state": str(face.state),
        "count": count,
        "again": repeats,
    }

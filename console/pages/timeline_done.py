"""Of a timeline, what people decided, answered, put together, reviewed and looked at."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from alerts.incidents.models import Evidence, Incident, IncidentAnswer, IncidentMerge, Transition
from alerts.review.models import IncidentRating, IncidentReview
from console.accounts.models import User
from console.pages.timeline_entries import Entry, Moment, Sort, of
from console.pages.timeline_letters import letters
from console.pages.timeline_sent import Sent
from console.pages.view import Frame
from recognition.models import SightingAnswer
from storage.audit import AuditRow

_OF_ANOTHER: Final = frozenset({"took_in", "gave_back", "split_off"})
_PUT_ASIDE: Final = "put_aside"


@dataclass
class Done:
    """Reads the moments; names are looked up for the page that is shown."""

    session: Session
    incident: Incident
    view: Frame
    # Whether the reader may see who looked.
    looks: bool
    _people: dict[str, str] = field(default_factory=dict)

    def moments(self) -> list[Moment]:
        """All that was done, in no order."""
        parts: list[Callable[[], Iterable[Moment]]] = [
            self._steps,
            self._answers,
            self._merges,
            self._reviews,
            Sent(self.session, self.incident, self.view, self._name, self._who).moments,
            lambda: letters(self.session, self.incident.id, self.view, self._name),
        ]
        if self.looks:
            parts.append(self._looks)
        return [moment for part in parts for moment in part()]

    def load(self, moments: Iterable[Moment]) -> None:
        """Reads the names that a page's moments will tell."""
        ids = {need for one in moments for need in one.needs}
        users = self.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
        people = self.session.scalars(select(Responder).where(Responder.id.in_(ids)))
        self._people = {one.id: one.name for one in people} | {one.id: one.name for one in users}

    def _name(self, some_id: str | None) -> str:
        return self._people.get(some_id or "", "")

    def _who(self, actor: str, role: str = "") -> str:
        """A role and a name, where the account is not called what its role is called anyway."""
        name, office = self._name(actor), self.view.t.code("role", role)
        if name.casefold() in {role.casefold(), office.casefold()}:
            name = ""
        return " ".join(word for word in (office, name) if word)

    def _steps(self) -> Iterable[Moment]:
        rows = self.session.scalars(
            select(Transition).where(Transition.incident == self.incident.id).order_by(Transition.version)
        )
        for row in rows:
            yield Moment(row.at, Sort.STEP, f"3{row.version:06}", of(row, self._step), (row.actor,))

    def _step(self, row: Transition) -> Entry:
        t, reason, note = self.view.t, row.reason or "", row.note or ""
        lines = [self._because(reason, note)] if reason else []
        coded = reason in _OF_ANOTHER or reason == _PUT_ASIDE
        if note and not coded:
            lines.append(note)
        changed = row.from_state != row.to_state
        return Entry(
            what=t.code("state", str(row.to_state))
            if changed
            else (lines.pop(0) if lines else t("timeline.noted")),
            who=self._who(row.actor, str(row.role)),
            lines=tuple(lines),
            chip=str(row.to_state) if changed else "",
            other=note if reason in _OF_ANOTHER else "",
        )

    def _because(self, reason: str, note: str) -> str:
        t = self.view.t
        if reason == _PUT_ASIDE:
            until, _, why = note.partition(" ")
            try:
                at = self.view.clock(dt.datetime.fromisoformat(until))
            except ValueError:
                return t("past.put_aside")
            return t("past.put_aside_until", until=at, why=t.code("aside_reason", why))
        groups = ("false_alarm", "comparison", "past")
        return next((t.code(group, reason) for group in groups if f"{group}.{reason}" in t.keys), reason)

    def _answers(self) -> Iterable[Moment]:
        t = self.view.t
        for row in self.session.scalars(
            select(IncidentAnswer).where(IncidentAnswer.incident == self.incident.id)
        ):
            yield Moment(
                row.at,
                Sort.ANSWER,
                f"3{row.id}",
                of(
                    row,
                    lambda row: Entry(
                        what=t("timeline.compared", answer=t.code("comparison", row.answer)),
                        who=self._who(row.actor, row.role),
                    ),
                ),
                (row.actor,),
            )
        for sighting in self.session.scalars(
            select(SightingAnswer).where(SightingAnswer.sighting_id.in_(self._sightings()))
        ):
            yield Moment(
                sighting.answered_at,
                Sort.ANSWER,
                f"3{sighting.id}",
                of(
                    sighting,
                    lambda row: Entry(
                        what=t("timeline.answered", answer=t.code("timeline_verdict", str(row.verdict))),
                        who=self._who(row.answered_by),
                    ),
                ),
                (sighting.answered_by,),
            )

    def _sightings(self) -> list[str]:
        rows = self.session.scalars(
            select(Evidence.sighting_ids).where(Evidence.incident == self.incident.id).limit(500)
        )
        return sorted({one for ids in rows for one in ids})[:500]

    def _merges(self) -> Iterable[Moment]:
        own = self.incident.id
        rows = self.session.scalars(
            select(IncidentMerge).where(or_(IncidentMerge.target == own, IncidentMerge.source == own))
        )
        for row in rows:
            yield Moment(row.at, Sort.MERGE, f"6{row.id}", of(row, self._merged), (row.actor,))
            if row.undone_at is not None:
                undone = of(row, self._undone)
                yield Moment(row.undone_at, Sort.MERGE, f"7{row.id}", undone, (row.undone_by or "",))

    def _merged(self, row: IncidentMerge) -> Entry:
        t, takes_in = self.view.t, row.target == self.incident.id
        return Entry(
            what=t.code("past", "took_in" if takes_in else "merged"),
            who=t.code("rule", row.rule) if row.rule else self._who(row.actor),
            lines=(row.note,) if row.note else (),
            other=row.source if takes_in else row.target,
        )

    def _undone(self, row: IncidentMerge) -> Entry:
        return Entry(
            what=self.view.t.code("past", "merge_undone"),
            who=self._who(row.undone_by or ""),
            other=row.source if row.target == self.incident.id else row.target,
        )

    def _reviews(self) -> Iterable[Moment]:
        t = self.view.t
        for row in self.session.scalars(
            select(IncidentReview).where(IncidentReview.incident == self.incident.id)
        ):
            yield Moment(
                row.at,
                Sort.REVIEW,
                f"8{row.id}",
                of(
                    row,
                    lambda row: Entry(
                        what=t("timeline.reviewed", n=row.score),
                        who=self._who(row.reviewer, row.role),
                        lines=tuple(
                            word
                            for word in (
                                t.code("cause_code", str(row.cause)),
                                t.code("alert_verdict", str(row.alert)),
                                row.lesson,
                            )
                            if word
                        ),
                    ),
                ),
                (row.reviewer,),
            )
        for rating in self.session.scalars(
            select(IncidentRating).where(
                IncidentRating.incident == self.incident.id, IncidentRating.rated_at.is_not(None)
            )
        ):
            if rating.rated_at is not None:
                yield Moment(
                    rating.rated_at,
                    Sort.REVIEW,
                    f"8{rating.id}",
                    of(
                        rating,
                        lambda row: Entry(
                            what=t("timeline.rated", who=t.code("rater", str(row.kind)), n=row.score or 0),
                            lines=(row.words,) if row.words else (),
                        ),
                    ),
                )

    def _looks(self) -> Iterable[Moment]:
        """Who opened it, for whoever may read the audit log."""
        t = self.view.t
        rows = self.session.scalars(
            select(AuditRow)
            .where(AuditRow.subject == self.incident.id, AuditRow.action.like("%viewed"))
            .order_by(AuditRow.seq.desc())
            .limit(500)
        )
        for row in rows:
            yield Moment(
                row.at,
                Sort.LOOK,
                f"9{row.seq:012}",
                of(
                    row,
                    lambda row: Entry(
                        what=t.code("did", row.action),
                        who=self._who(row.actor, row.role),
                        lines=(t.code("look", row.purpose),),
                    ),
                ),
                (row.actor,),
            )

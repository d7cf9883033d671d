"""Of a timeline, who reported, who was sent, what was worked off, whom somebody called."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, IncidentCall, TaskPicture
from alerts.incidents.models import Incident
from alerts.intake.models import IntakeReport
from alerts.plans.models import PlanStep
from console.pages.timeline_entries import Entry, Moment, Sort, differs, of
from console.pages.view import Frame


@dataclass(frozen=True, slots=True)
class Sent:
    """`name` is what somebody is called; `who` the same after their role, where it is given."""

    session: Session
    incident: Incident
    view: Frame
    name: Callable[[str | None], str]
    who: Callable[..., str]

    def moments(self) -> list[Moment]:
        """All of it, in no order."""
        parts = (self._sent, self._plan, self._calls, self._reports)
        return [moment for part in parts for moment in part()]

    def _sent(self) -> Iterable[Moment]:
        """Every time that a dispatch keeps is a line of its own."""
        rows = self.session.scalars(select(Dispatch).where(Dispatch.incident == self.incident.id)).all()
        for row in rows:
            times = (
                ("offered", row.offered_at, ""),
                ("seen", row.seen_at, ""),
                (
                    "declined" if row.declined_for else "answered",
                    row.answered_at,
                    self._said("declined_for", row.declined_for),
                ),
                ("set_out", row.set_out_at, ""),
                ("arrived", row.arrived_at, self._said("arrived_by", row.arrived_by)),
                ("help", row.help_at, ""),
                ("over", row.resolved_at, self._said("result", row.result)),
            )
            # What came of it is seen where it ended, or how far it is by now.
            last = max((n for n, (_, at, _) in enumerate(times) if at is not None), default=0)
            for n, (code, at, more) in enumerate(times):
                if at is not None:
                    shows = (row.media_id,) if row.media_id and n == last else ()
                    yield self._sending(row, at, n, (code, more), shows)
        picture = self.session.get(TaskPicture, self.incident.id)
        if picture is not None:
            yield Moment(
                picture.flagged_at,
                Sort.SENT,
                "4picture",
                lambda: Entry(
                    what=self.view.t("timeline.picture_flagged", until=self.view.clock(picture.expires_at)),
                    who=self.who(picture.flagged_by),
                    lines=(picture.reason,),
                ),
                (picture.flagged_by,),
            )

    def _said(self, group: str, code: str | None) -> str:
        return self.view.t.code(group, str(code)) if code else ""

    def _sending(
        self, row: Dispatch, at: dt.datetime, n: int, words: tuple[str, str], shows: tuple[str, ...]
    ) -> Moment:
        t, (code, more) = self.view.t, words
        note = row.note if code == "over" and row.note else ""
        return Moment(
            at,
            Sort.SENT,
            f"4{n}{row.id}",
            lambda: Entry(
                what=t(f"timeline.sent_{code}", name=self.name(row.responder) or row.responder),
                lines=tuple(word for word in (more, note) if word),
                pictures=shows,
            ),
            (row.responder,),
        )

    def _plan(self) -> Iterable[Moment]:
        t = self.view.t
        for row in self.session.scalars(select(PlanStep).where(PlanStep.incident == self.incident.id)):
            yield Moment(
                row.at,
                Sort.PLAN,
                f"5{row.step}",
                of(
                    row,
                    lambda row: Entry(
                        what=t(
                            "timeline.plan_step",
                            step=t.code("plan_step", f"{row.plan}.{row.step}"),
                            state=t.code("plan_state", row.state),
                        ),
                        who=self.who(row.actor, row.role),
                        lines=tuple(w for w in (t.code("plan_answer", row.answer), row.note or "") if w),
                    ),
                ),
                (row.actor,),
            )

    def _calls(self) -> Iterable[Moment]:
        t = self.view.t
        for row in self.session.scalars(
            select(IncidentCall).where(IncidentCall.incident == self.incident.id)
        ):
            yield Moment(
                row.at,
                Sort.SENT,
                f"5{row.id}",
                of(
                    row,
                    lambda row: Entry(
                        what=t("timeline.called", number=row.number),
                        who=self.who(row.actor),
                        lines=(row.note,) if row.note else (),
                    ),
                ),
                (row.actor,),
            )

    def _reports(self) -> Iterable[Moment]:
        query = select(IntakeReport).where(IntakeReport.incident == self.incident.id)
        for row in self.session.scalars(query):
            yield Moment(row.happened_at, Sort.SEEN, f"0{row.id}", of(row, self._reported))

    def _reported(self, row: IntakeReport) -> Entry:
        t = self.view.t
        lines = [t.code("danger", str(row.danger))] if row.danger != "none" else []
        return Entry(
            what=t("timeline.reported"),
            who=t.code("role", row.role),
            lines=tuple(lines + ([row.words] if row.words else [])),
            pictures=(row.media_id,) if row.media_id else (),
            received_at=differs(row.at, row.happened_at),
        )

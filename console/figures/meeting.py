"""The month for the householders' meeting (户长会): two sheets in plain words. A count that could point at a
household is not said.
"""

import datetime as dt

from sqlalchemy.orm import Session

from alerts.duty.localtime import moment
from alerts.incidents.deadlines import Timer
from alerts.knowing.sight import coverage
from alerts.reporting import alarms, gathering
from alerts.reporting.gathering import Scope
from alerts.reporting.sight import dark_s, outages
from alerts.review.counting import Outcome
from alerts.review.figures import Month
from console.figures.document import Document, Figure, Section, Table
from console.pages.places import names
from console.pages.view import Frame
from console.plots import Bar, Part, bars

_DARKEST = 6
_SAID = (Timer.ACKNOWLEDGE, Timer.CONFIRM, Timer.ACCEPT, Timer.ARRIVE)


def document(session: Session, view: Frame, compound: str, month: Month) -> Document:
    """What happened, how quickly, what was done, what could not be seen, and what the meeting is asked."""
    start = moment(month.first, dt.time(), view.zone)
    end = max(min(moment(month.until, dt.time(), view.zone), view.now), start + dt.timedelta(seconds=1))
    scope = Scope(compound, start, end)
    last = month.until - dt.timedelta(days=1)
    facts = [f"{view.compound_name} · {view.day(month.first)} – {view.day(last)}"]
    if last >= view.now.astimezone(view.zone).date():
        facts.append(view.t("month.not_over"))
    facts.append(view.t("stats.made_at", at=f"{view.now.astimezone(view.zone):%Y-%m-%d %H:%M}"))
    return Document(
        view.t("meeting.title"),
        facts,
        [
            _happened(session, view, month, scope),
            _quickly(view, month),
            _done(view, month),
            _unseen(session, view, scope),
            _asked(session, view, scope),
        ],
        foot=view.t("meeting.foot", least=alarms.LEAST),
    )


def _happened(session: Session, view: Frame, month: Month, scope: Scope) -> Section:
    t, found = view.t, month.totals
    total = found["total"]
    first = (month.first - dt.timedelta(days=1)).replace(day=1)
    before = Scope(scope.compound, moment(first, dt.time(), view.zone), scope.start)
    earlier = alarms.total(gathering.alarms(session, before))
    words = [
        t("meeting.happened", total=total, confirmed=found[Outcome.CONFIRMED], false=found[Outcome.FALSE]),
        t("meeting.before", n=earlier),
    ]
    rings: dict[str, dict[Outcome, int]] = {}
    kinds: dict[str, int] = {}
    for one in month.counts:
        kinds[one.kind] = kinds.get(one.kind, 0) + one.total
        ring = rings.setdefault(one.ring, {})
        for outcome, number in one.outcomes.items():
            ring[outcome] = ring.get(outcome, 0) + number
    title = t("meeting.by_ring")
    shown = ((Outcome.CONFIRMED, "fill-a"), (Outcome.FALSE, "fill-b"), (Outcome.CLEARED, "fill-c"))
    plot = bars(
        title,
        title,
        [
            Bar(
                t.code("ring", ring),
                tuple(Part(ends.get(one, 0), colour, t(f"stats.ended.{one}")) for one, colour in shown),
            )
            for ring, ends in rings.items()
            # A bar of one or two would say what the table does not.
            if sum(ends.values()) >= alarms.LEAST
        ],
    )
    ranked = sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))
    counts = alarms.public([number for _, number in ranked])
    few = t("meeting.few", least=alarms.LEAST)
    rows = [
        (t.code("kind", kind), few if number is None else str(number))
        for (kind, _), number in zip(ranked, counts, strict=True)
    ]
    return Section(
        "happened",
        t("meeting.what_happened"),
        words=words if total else [],
        plots=[plot],
        tables=[
            Table("kinds", t("meeting.kinds"), (t("figures.kind"), t("figures.total")), rows, frozenset({1}))
        ],
        nothing=t("month.quiet"),
    )


def _quickly(view: Frame, month: Month) -> Section:
    t = view.t
    rows = [
        (
            t(f"meeting.wait.{one.timer}"),
            view.lasted(one.p50_s),
            view.lasted(one.p90_s),
            "–" if one.met is None else t("meeting.of_ten", n=round(one.met * 10)),
        )
        for one in month.responses
        # Of one or two it would be known whose they were.
        if one.timer in _SAID and one.count >= alarms.LEAST
    ]
    heads = tuple(t(f"meeting.{head}") for head in ("wait", "half", "most", "in_time"))
    title = t("meeting.how_quickly")
    return Section(
        "quickly",
        title,
        tables=[Table("responses", title, heads, rows, frozenset({1, 2, 3}))],
        nothing=t("stats.unanswered"),
    )


def _done(view: Frame, month: Month) -> Section:
    t, patrols, duty = view.t, month.patrols, month.duty
    words = [
        t("meeting.measures", done=month.measures.done, open=month.measures.open, late=month.measures.late)
    ]
    if patrols.rounds:
        words.append(t("meeting.patrols", done=patrols.done, of=patrols.rounds))
    if duty.volunteer_hours:
        words.append(t("meeting.volunteers", hours=round(duty.volunteer_hours)))
    if duty.gaps:
        words.append(t("meeting.gaps", n=duty.gaps, hours=f"{duty.gap_hours:.0f}"))
    if month.drills:
        words.append(t("meeting.drills", n=month.drills))
    return Section("done", t("meeting.what_was_done"), words=words)


def _unseen(session: Session, view: Frame, scope: Scope) -> Section:
    """What is "nothing seen" is never shown as "nobody there": the dark hours are said first."""
    t = view.t
    zones = coverage(session, scope.compound, scope.start, scope.end, as_of=view.now)
    places = names(session, scope.compound)
    dark = sorted(((dark_s(zone), zone.zone) for zone in zones if zone.devices and zone.dark), reverse=True)
    gone = outages(zones)
    unwatched = [places.zone(zone.zone) for zone in zones if not zone.devices]
    words = [t("meeting.outages", n=len(gone))] if gone else [t("meeting.no_outages")]
    if unwatched:
        words.append(t("stats.unwatched", zones=t("list.comma").join(unwatched)))
    rows = [(places.zone(zone), view.lasted(lost)) for lost, zone in dark[:_DARKEST]]
    heads = (t("stats.zone"), t("meeting.dark"))
    table = Table("dark", t("meeting.dark_zones"), heads, rows, frozenset({1}))
    return Section("unseen", t("meeting.what_was_not_seen"), words=words, tables=[table] if rows else [])


def _asked(session: Session, view: Frame, scope: Scope) -> Section:
    """How much waits for the meeting's word: what was written on the lists is read out from the lists."""
    t = view.t
    found = gathering.wanted(session, scope.compound, scope.start, scope.end)
    places = names(session, scope.compound)
    number = sum(found.needs.values())
    words = [t("meeting.needs", n=number)] if number else []
    if found.late:
        words.append(t("meeting.late", n=found.late))
    rows = [
        (places.zone(zone) if zone else t("meeting.nowhere"), str(count))
        for zone, count in found.needs.items()
    ]
    heads = (t("stats.zone"), t("stats.needs_open"))
    return Section(
        "asked",
        t("meeting.what_is_asked"),
        words=words,
        figures=[] if not number else [Figure(t("stats.needs_open"), str(number))],
        tables=[Table("needs", t("stats.needs_by_zone"), heads, rows, frozenset({1}))] if rows else [],
        nothing=t("meeting.nothing_asked"),
    )

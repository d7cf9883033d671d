"""Which devices were there, and which zones were seen, as shares of the time."""

import datetime as dt
from collections.abc import Sequence

from alerts.knowing.sight import coverage
from alerts.reporting.sight import Availability, by_device, by_ring, dark_s, outages
from alerts.rules.coverage import ZoneCoverage
from console.figures.document import Section, Table
from console.figures.ground import Ground
from console.plots import Bar, Part, Plot, bars

_WORST = 15
_LONGEST = 20


def sections(ground: Ground) -> list[Section]:
    """Availability and coverage: both read what devices said of themselves, once."""
    scope = ground.scope
    zones = [
        zone
        for zone in coverage(ground.session, scope.compound, scope.start, scope.end, as_of=ground.view.now)
        if scope.ring is None or zone.ring == scope.ring
    ]
    return [_availability(ground, zones), _coverage(ground, zones)]


def _availability(ground: Ground, zones: Sequence[ZoneCoverage]) -> Section:
    length = ground.scope.seconds
    found = by_device(zones, length)
    rings = by_ring(found, length)
    gone = outages(zones)
    t = ground.view.t
    heads = _heads(ground, "ring", "devices", "online", "outages", "lost")
    ring_rows = [
        (t.code("ring", one.key), str(one.devices), percent(one.share), str(one.outages), _lost(ground, one))
        for one in rings
    ]
    device_rows = [
        (
            ground.places.device(one.key),
            t.code("ring", one.ring),
            percent(one.share),
            str(one.outages),
            _lost(ground, one),
        )
        for one in found
    ]
    outage_rows = [
        (
            ground.places.device(one.device),
            _moment(ground, one.start),
            _moment(ground, one.end),
            ground.view.lasted(one.seconds),
        )
        for one in gone[:_LONGEST]
    ]
    device_heads = tuple(
        ground.t(f"stats.{head}") for head in ("device", "ring", "online", "outages", "lost")
    )
    outage_heads = tuple(ground.t(f"stats.{head}") for head in ("device", "from", "to", "lasted"))
    return Section(
        "availability",
        ground.t("stats.availability"),
        plots=[_online(ground, [one for one in found if one.outages])],
        tables=[
            Table(
                "availability_ring",
                ground.t("stats.availability_ring"),
                heads,
                ring_rows,
                frozenset({1, 2, 3, 4}),
            ),
            Table(
                "availability_device",
                ground.t("stats.availability_device"),
                device_heads,
                device_rows,
                frozenset({2, 3, 4}),
            ),
            Table("outages", ground.t("stats.longest"), outage_heads, outage_rows, frozenset({3})),
        ],
        hint=ground.t("stats.availability_hint"),
        nothing=ground.t("stats.no_devices"),
    )


def _online(ground: Ground, found: Sequence[Availability]) -> Plot:
    """Hours away, the longest first: of shares near 100 % the difference would not be seen."""
    title = ground.t("stats.hours_lost")
    word = ground.t("stats.offline")
    rows = [
        Bar(ground.places.device(one.key), (Part(round(one.lost_s / 3600, 1), "fill-b", word),))
        for one in found[:_WORST]
    ]
    said = title
    if rows:
        said = ground.t("stats.said_most", title=title, name=rows[0].name, n=f"{rows[0].total:g}")
    return bars(title, said, rows)


def _coverage(ground: Ground, zones: Sequence[ZoneCoverage]) -> Section:
    watched = sorted((zone for zone in zones if zone.devices), key=lambda zone: (zone.share, zone.zone))
    rows = [
        (
            ground.places.zone(zone.zone),
            ground.view.t.code("ring", zone.ring),
            str(len(zone.devices)),
            percent(zone.share),
            ground.view.lasted(dark_s(zone)) if zone.dark else "–",
        )
        for zone in watched
    ]
    heads = _heads(ground, "zone", "ring", "devices", "seen", "dark")
    unwatched = [ground.places.zone(zone.zone) for zone in zones if not zone.devices]
    words = [ground.t("stats.unwatched", zones=ground.t("list.comma").join(unwatched))] if unwatched else []
    return Section(
        "coverage",
        ground.t("stats.coverage"),
        words=words,
        plots=[_seen(ground, watched)],
        tables=[Table("coverage", ground.t("stats.coverage"), heads, rows, frozenset({2, 3, 4}))],
        hint=ground.t("stats.coverage_hint"),
        nothing=ground.t("stats.no_devices"),
    )


def _seen(ground: Ground, found: Sequence[ZoneCoverage]) -> Plot:
    """Hours in which a zone was seen by none, the darkest first."""
    title = ground.t("stats.hours_dark")
    word = ground.t("stats.dark")
    dark = sorted(((dark_s(zone), zone.zone) for zone in found if zone.dark), reverse=True)
    rows = [
        Bar(ground.places.zone(zone), (Part(round(lost / 3600, 1), "fill-d", word),))
        for lost, zone in dark[:_WORST]
    ]
    said = title
    if rows:
        said = ground.t("stats.said_most", title=title, name=rows[0].name, n=f"{rows[0].total:g}")
    return bars(title, said, rows)


def _heads(ground: Ground, *names: str) -> tuple[str, ...]:
    return tuple(ground.t(f"stats.{name}") for name in names)


def percent(share: float) -> str:
    """A share near 100 % with the digit that matters; never rounded up to all."""
    shown = max(0.0, min(1.0, share))
    return "100 %" if shown == 1 else f"{min(99.99, shown * 100):.2f} %"


def _lost(ground: Ground, one: Availability) -> str:
    return ground.view.lasted(one.lost_s) if one.lost_s else "–"


def _moment(ground: Ground, at: dt.datetime) -> str:
    return f"{at.astimezone(ground.view.zone):%Y-%m-%d %H:%M}"

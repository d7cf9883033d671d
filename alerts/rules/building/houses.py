"""What belongs to one house: a lobby, a lift and a roof to their building, two towers to their podium."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from alerts.rules.coverage import blind_at
from alerts.rules.rule import Blind, Question, View
from alerts.rules.site import Site

# Devices whose word is missing where they are away: they release doors. A scene camera does not.
_RELEASE: Final = frozenset({"door", "turnstile", "face_camera", "barrier", "gateway"})


def is_one_house(site: Site, one: str, other: str) -> bool:
    """Whether two zones of buildings adjoin, or are rooms of one building.

    Towers of one podium adjoin: whoever has a door to one is easily seen in the other's lobby.
    """
    if site.adjoin(one, other):
        return True
    rooms = [zone for zone in (one, other) if site.kind_of(zone) != "building"]
    return bool(rooms) and any(
        zone.ring == "building" and site.adjoin(one, zone.id) and site.adjoin(other, zone.id)
        for zone in site.zones.values()
    )


def is_at_home(site: Site, zone: str, homes: Iterable[str]) -> bool:
    """Whether a zone is one of these buildings, or of one house with one of them."""
    return any(is_one_house(site, zone, home) for home in homes)


def unheard(view: View, question: Question, window: dt.timedelta) -> list[Blind]:
    """Devices at a door that were away shortly before it opened, and may tell later what released it."""
    opened = question.anchor
    return [
        one
        for one in blind_at(view, opened.place, opened.at - window, opened.at, as_of=question.due)
        if one.why == "offline" and _releases(view.site, one.device)
    ]


def _releases(site: Site, device: str) -> bool:
    known = site.devices.get(device)
    return known is not None and known.kind in _RELEASE

"""Which doors a plan holds open. Ways out only ever open (L-23: GB 55029 3.1.6; 消防法 28)."""

from collections.abc import Iterable

from alerts.rules.site import Site, SiteDevice

# What can be commanded open.
OPENING = frozenset({"door", "turnstile", "barrier"})


def doors(site: Site, zone: str, scope: str) -> list[SiteDevice]:
    """The doors, turnstiles and barriers of a scope, by id.

    `building`: those of the incident's zone and of the buildings' zones that adjoin it, for smoke goes
    from a stairwell to its neighbour. `entrance`: every gate. `compound`: all there are.
    """
    if scope == "entrance":
        chosen: Iterable[SiteDevice] = site.in_ring("entrance")
    elif scope == "compound":
        chosen = site.devices.values()
    else:
        inside = {zone} | {
            other
            for other, known in site.zones.items()
            if known.ring == "building" and site.adjoin(zone, other)
        }
        chosen = [device for device in site.devices.values() if device.zone in inside]
    return sorted((device for device in chosen if device.kind in OPENING), key=lambda device: device.id)

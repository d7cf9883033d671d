"""The compound as GeoJSON (RFC 7946): the map and the registry's hierarchy in one file.

Plan metres become WGS 84 degrees. On a plan x points right and y down from its north-west
corner (λ₀, φ₀), and its "up" points `bearing` β degrees clockwise from north, so that

    east  = x·cos β - y·sin β          λ = λ₀ + east / m(φ₀)
    north = -x·sin β - y·cos β         φ = φ₀ + north / p(φ₀)

with the lengths in metres of a degree on the ellipsoid, of a parallel
m(φ) = 111412.84 cos φ - 93.5 cos 3φ + 0.118 cos 5φ and of a meridian
p(φ) = 111132.92 - 559.82 cos 2φ + 1.175 cos 4φ - 0.0023 cos 6φ (US NIMA). Within a
kilometre of the corner the plane is off by centimetres. Maps that are printed in China are
shifted (GCJ-02) by some hundred metres against WGS 84; what draws there has to shift these.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.places.models import Building, Community, Compound, Dwelling, Subdistrict, Unit, Zone
from registry.places.signboards import write_out
from registry.places.zones import area

Feature = dict[str, Any]
# A ten-millionth of a degree is a centimetre.
_DECIMALS = 7


@dataclass(frozen=True, slots=True)
class Projection:
    """From plan metres to degrees; made by `projection`."""

    longitude: float
    latitude: float
    bearing: float

    def __call__(self, x: float, y: float) -> list[float]:
        """[longitude, latitude]."""
        turn, phi = math.radians(self.bearing), math.radians(self.latitude)
        east = x * math.cos(turn) - y * math.sin(turn)
        north = -x * math.sin(turn) - y * math.cos(turn)
        parallel = 111412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
        meridian = (
            111132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi) - 0.0023 * math.cos(6 * phi)
        )
        return [
            round(self.longitude + east / parallel, _DECIMALS),
            round(self.latitude + north / meridian, _DECIMALS),
        ]


def projection(compound: Compound) -> Projection:
    """Raises `RefusedError("compound_not_placed")` where nobody has said where the plan lies."""
    if compound.longitude is None or compound.latitude is None or compound.bearing is None:
        raise RefusedError("compound_not_placed")
    return Projection(compound.longitude, compound.latitude, compound.bearing)


@dataclass(frozen=True, slots=True)
class Spot:
    """Something that stands in a zone, such as a device: a point in plan metres, None where unknown."""

    kind: str
    id: str
    zone: str
    x: float | None
    y: float | None
    properties: Mapping[str, Any]


def feature_collection(
    session: Session,
    compound_id: str,
    *,
    spots: Iterable[Spot] = (),
    dwellings: Collection[str] | bool = False,
) -> dict[str, Any]:
    """Zones as polygons, buildings as rectangles, what `spots` adds, and dwellings if asked for.

    `dwellings`: none, all, or those of some grids; each is a point in the middle of its
    building. Each feature has the ring of its zone and the zone's neighbours; its `path` are
    the ids and names of what it lies in, from the subdistrict down. Raises `MissingError` and
    `RefusedError("compound_not_placed")`.
    """
    compound = session.get(Compound, compound_id)
    if compound is None:
        raise MissingError("compound")
    place = projection(compound)
    above = _above(session, compound)
    zones = session.scalars(select(Zone).where(Zone.compound == compound_id).order_by(Zone.id)).all()
    paths = {zone.id: [*above, _step("zone", zone.id, zone.name)] for zone in zones}
    by_id = {zone.id: zone for zone in zones}
    buildings = session.scalars(
        select(Building).where(Building.compound == compound_id).order_by(Building.id)
    ).all()
    placed = [building for building in buildings if building.zone in by_id]
    features = [_zone(zone, place, above) for zone in zones]
    features += [_building(b, place, by_id[b.zone], paths[b.zone]) for b in placed]
    features += [
        _spot(spot, place, by_id[spot.zone], paths[spot.zone]) for spot in spots if spot.zone in by_id
    ]
    if dwellings is not False:
        grids = None if dwellings is True else dwellings
        features += _dwellings(session, place, {b.id: b for b in placed}, by_id, paths, grids)
    return {"type": "FeatureCollection", "features": features}


def _above(session: Session, compound: Compound) -> list[dict[str, str]]:
    steps = [_step("compound", compound.id, compound.name)]
    community = session.get(Community, compound.community) if compound.community else None
    if community is not None:
        steps.insert(0, _step("community", community.id, community.name))
        subdistrict = session.get(Subdistrict, community.subdistrict)
        if subdistrict is not None:
            steps.insert(0, _step("subdistrict", subdistrict.id, subdistrict.name))
    return steps


def _step(kind: str, place_id: str, name: str) -> dict[str, str]:
    return {"kind": kind, "id": place_id, "name": name}


def _zone(zone: Zone, place: Projection, path: Sequence[dict[str, str]]) -> Feature:
    corners = zone.outline[:-1] if zone.outline and zone.outline[0] == zone.outline[-1] else zone.outline
    properties = {
        "kind": "zone",
        "id": zone.id,
        "name": zone.name,
        "ring": zone.ring,
        "zone_kind": zone.kind,
        "neighbours": zone.neighbours,
        "path": list(path),
    }
    return _feature(_polygon(corners, place), properties)


def _building(building: Building, place: Projection, zone: Zone, path: Sequence[dict[str, str]]) -> Feature:
    x, y, right, bottom = building.x, building.y, building.x + building.width, building.y + building.height
    properties = {
        "kind": "building",
        "id": building.id,
        "name": building.name,
        "ring": zone.ring,
        "neighbours": zone.neighbours,
        "path": list(path),
    }
    return _feature(_polygon([[x, y], [right, y], [right, bottom], [x, bottom]], place), properties)


def _spot(spot: Spot, place: Projection, zone: Zone, path: Sequence[dict[str, str]]) -> Feature:
    properties = {
        "kind": spot.kind,
        "id": spot.id,
        "ring": zone.ring,
        "neighbours": zone.neighbours,
        "path": list(path),
    }
    point = None if spot.x is None or spot.y is None else _point(place(spot.x, spot.y))
    return _feature(point, {**spot.properties, **properties})


def _dwellings(
    session: Session,
    place: Projection,
    buildings: Mapping[str, Building],
    zones: Mapping[str, Zone],
    paths: Mapping[str, list[dict[str, str]]],
    grids: Collection[str] | None,
) -> list[Feature]:
    rows = session.execute(
        select(Dwelling.id, Dwelling.floor, Dwelling.room_no, Unit.id.label("unit"), Unit.name, Unit.building)
        .join(Unit, Unit.id == Dwelling.unit)
        .where(Unit.building.in_(list(buildings)), *(() if grids is None else (Dwelling.grid.in_(grids),)))
        .order_by(Dwelling.id)
    )
    features = []
    for row in rows:
        building = buildings[row.building]
        path = [*paths[building.zone], _step("building", building.id, building.name)]
        path.append(_step("unit", row.unit, row.name))
        properties = {
            "kind": "dwelling",
            "id": row.id,
            "address": write_out(building.name, row.name, row.floor, row.room_no),
            "floor": row.floor,
            "ring": zones[building.zone].ring,
            "neighbours": zones[building.zone].neighbours,
            "path": path,
        }
        middle = place(building.x + building.width / 2, building.y + building.height / 2)
        features.append(_feature(_point(middle), properties))
    return features


def _polygon(corners: Sequence[Sequence[float]], place: Projection) -> dict[str, Any] | None:
    if len(corners) < 3:
        return None
    # RFC 7946 wants the outer ring counter-clockwise, seen from above; y points down here.
    turned = corners if area(corners) < 0 else list(reversed(corners))
    ring = [place(x, y) for x, y in turned]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _point(position: list[float]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": position}


def _feature(geometry: dict[str, Any] | None, properties: dict[str, Any]) -> Feature:
    return {"type": "Feature", "id": properties["id"], "geometry": geometry, "properties": properties}

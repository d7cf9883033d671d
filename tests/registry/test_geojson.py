"""The compound as GeoJSON: where things lie on the earth, and what they lie in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MissingError, RefusedError
from registry.models import Compound, Zone
from registry.places import districts
from registry.places.geojson import Projection, Spot, feature_collection
from registry.places.zones import area
from storage import Database
from tests.support import houses
from tests.support.houses import HERE

EARTH = 6_371_000


def metres(a: list[float], b: list[float]) -> float:
    """Between two positions, on a sphere: good to half a per cent."""
    lon1, lat1, lon2, lat2 = (math.radians(v) for v in (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH * math.asin(math.sqrt(h))


@given(
    st.floats(-170, 170),
    st.floats(-70, 70),
    st.floats(0, 359),
    st.floats(-800, 800),
    st.floats(-800, 800),
)
def test_a_metre_on_the_plan_is_a_metre_on_the_earth(longitude, latitude, bearing, x, y):
    place = Projection(longitude, latitude, bearing)
    assert metres(place(0, 0), place(x, y)) == pytest.approx(math.hypot(x, y), rel=0.006, abs=0.05)


@pytest.mark.parametrize(("bearing", "east", "north"), [(0, 0, 1), (90, 1, 0), (180, 0, -1), (270, -1, 0)])
def test_up_on_the_plan_points_to_its_bearing(bearing, east, north):
    place = Projection(99.2, 25.1, bearing)
    up = place(0, -100)
    assert (up[0] - 99.2) * 100_800 == pytest.approx(100 * east, abs=0.5)
    assert (up[1] - 25.1) * 110_770 == pytest.approx(100 * north, abs=0.5)


def test_right_on_a_plan_that_points_north_is_east():
    longitude, latitude = Projection(99.2, 25.1, 0)(100, 0)
    assert latitude == 25.1
    assert longitude > 99.2


@pytest.fixture
def session(database: Database):
    with database.write() as session:
        yield session


def settled(session):
    place = houses.found(session)
    street = districts.put_subdistrict(session, name="青华街道", code=None)
    area_ = districts.put_community(session, subdistrict=street.id, name="红花社区", code=None)
    compound = session.get_one(Compound, HERE)
    compound.community = area_.id
    compound.longitude, compound.latitude, compound.bearing = 99.2, 25.1, 30.0
    session.flush()
    return place


def test_every_feature_has_its_path_ring_and_place(session):
    place = settled(session)
    spots = [
        Spot("device", "cam-1", place.yard, 5, 5, {"name": "东门"}),
        Spot("device", "cam-2", place.yard, None, None, {}),
        Spot("device", "lost", "none", 1, 1, {}),
    ]
    made = feature_collection(session, HERE, spots=spots, dwellings=True)
    assert made["type"] == "FeatureCollection"
    by_id = {feature["id"]: feature for feature in made["features"]}
    assert len(by_id) == 1 + 3 + 2 + 13
    zone, building = by_id[place.yard], by_id[place.b3]
    assert [step["kind"] for step in zone["properties"]["path"]] == ["subdistrict", "community", "compound"]
    assert zone["properties"]["ring"] == building["properties"]["ring"] == "common"
    assert zone["properties"]["neighbours"] == []
    home = by_id[place.d31_1801]["properties"]
    assert [step["kind"] for step in home["path"]][-3:] == ["zone", "building", "unit"]
    assert home["address"] == "3幢1单元18层1801室"
    assert by_id["cam-1"]["properties"] | {"name": "东门", "kind": "device"} == by_id["cam-1"]["properties"]
    assert by_id["cam-1"]["geometry"]["type"] == "Point"
    assert by_id["cam-2"]["geometry"] is None
    of_grid = feature_collection(session, HERE, dwellings=[place.west])["features"]
    assert len([f for f in of_grid if f["properties"]["kind"] == "dwelling"]) == 5


def test_polygons_are_closed_and_run_counter_clockwise(session):
    place = settled(session)
    zone = session.get_one(Zone, place.yard)
    for outline in (zone.outline, list(reversed(zone.outline)), [*zone.outline, zone.outline[0]]):
        zone.outline = outline
        session.flush()
        for feature in feature_collection(session, HERE)["features"]:
            (ring,) = feature["geometry"]["coordinates"]
            assert ring[0] == ring[-1]
            assert len(ring) == 5
            assert area(ring[:-1]) > 0, "counter-clockwise where y points up"


def test_a_zone_that_nobody_has_drawn_has_no_geometry(session):
    place = settled(session)
    session.get_one(Zone, place.yard).outline = [[0, 0]]
    session.flush()
    (zone, *_) = feature_collection(session, HERE)["features"]
    assert zone["geometry"] is None


def test_a_compound_that_lies_nowhere_is_said_to(session):
    houses.found(session)
    with pytest.raises(RefusedError, match="compound_not_placed"):
        feature_collection(session, HERE)
    with pytest.raises(MissingError):
        feature_collection(session, "none")

import datetime as dt
import random
import stat

import bcrypt
import pytest
from sqlalchemy import delete, func, select, update

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.duty.rostermodels import Roster
from devices.models import Device, DeviceKind
from registry.models import (
    Building,
    Compound,
    Consent,
    ConsentPurpose,
    Credential,
    CredentialKind,
    CredentialStatus,
    Dwelling,
    DwellingState,
    Grid,
    Household,
    Organisation,
    Person,
    Premises,
    Residence,
    ResidenceKind,
    Ring,
    Unit,
    Vehicle,
    VisitorPass,
    WatchlistEntry,
    Zone,
)
from registry.places import addresses
from registry.plates import is_well_formed, near, normalise
from ringward.demo import (
    Totals,
    TotalsError,
    build_demo,
    cast,
    duty,
    equipment,
    population,
    registration,
    totals,
)
from ringward.demo import plan as ground
from ringward.demo.compound import EXPECTED
from storage import Base, Database

EXACT = Totals(23, 2_824, 1_658, 4_737, 1_166)


def inside(point, polygon) -> bool:
    x, y = point
    result = False
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            result = not result
    return result


def test_totals_are_exactly_those_of_the_compound(home) -> None:
    with home.database.read() as session:
        assert totals(session) == EXACT
    assert EXPECTED == EXACT


def test_build_refuses_wrong_totals(tmp_path, home, monkeypatch) -> None:
    monkeypatch.setattr("ringward.demo.compound.EXPECTED", Totals(23, 2_824, 1_658, 4_738, 1_166))
    database = Database.at(tmp_path / "fresh.db")
    Base.metadata.create_all(database.engine)
    with pytest.raises(TotalsError) as wrong:
        build_demo(database, home.media, home.clock, tmp_path)
    assert wrong.value.found == EXACT
    with database.read() as session:
        assert session.get(Compound, "honghua") is None
    database.close()


def test_building_twice_changes_nothing(own_home) -> None:
    tables = (Building, Unit, Dwelling, Household, Person, Residence, Vehicle, Device, Team, Responder, Shift)
    with own_home.database.read() as session:
        before = [session.scalar(select(func.count()).select_from(table)) for table in tables]
    written = (own_home.folder / "demo" / "secrets.json").stat().st_mtime_ns
    again = build_demo(own_home.database, own_home.media, own_home.clock, own_home.folder)
    assert again == own_home.credentials
    assert (own_home.folder / "demo" / "secrets.json").stat().st_mtime_ns == written
    with own_home.database.read() as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in tables] == before


def test_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    def made(seed: int) -> population.Population:
        return population.populate(ground.buildings(), random.Random(seed), dt.date(2026, 11, 23))

    assert made(1) == made(1)
    assert made(1).people != made(2).people
    assert made(2).vehicles != made(1).vehicles


@pytest.mark.parametrize("seed", range(3))
def test_every_seed_adds_up(seed: int) -> None:
    made = population.populate(ground.buildings(), random.Random(seed), dt.date(2026, 11, 23))
    homes = {row["dwelling"] for row in made.households}
    assert (len(made.dwellings), len(made.households), len(made.people)) == (2_824, 1_658, 4_737)
    assert len(homes) == 1_658
    assert len({row["id"] for row in made.people}) == 4_737
    assert len({row["id"] for row in made.residences}) == len(made.residences) == 4_737


def test_every_household_has_a_head_who_is_in_it(home) -> None:
    with home.database.read() as session:
        heads = session.execute(
            select(Household.id, Person.household, Person.under_14).join(
                Person, Person.id == Household.head_person_id
            )
        ).all()
    assert len(heads) == 1_658
    assert all(row[0] == row[1] and not row[2] for row in heads)


def test_dwellings_with_a_household_are_lived_in_and_no_others(home) -> None:
    with home.database.read() as session:
        homes = set(session.scalars(select(Household.dwelling)))
        states = dict(tuple(row) for row in session.execute(select(Dwelling.id, Dwelling.state)))
    lived_in = {key for key, state in states.items() if state in {DwellingState.OCCUPIED, DwellingState.LET}}
    assert lived_in == homes
    assert set(states.values()) == set(DwellingState)


def test_residences_have_all_kinds_and_sensible_dates(home) -> None:
    today = home.clock.now().date()
    links = home.rows(Residence)
    assert {link.kind for link in links} == set(ResidenceKind)
    assert all(link.since <= link.verified_on <= today for link in links)
    ended = [link for link in links if link.until is not None]
    assert {(link.dwelling, link.until) for link in ended} == {
        (cast.TENANCY_ENDED, today - dt.timedelta(days=1))
    }


def test_yesterday_is_the_compounds_own_also_in_its_small_hours() -> None:
    night = dt.datetime(2026, 11, 28, 20, 35, tzinfo=dt.UTC)
    rows = dict(registration.registry_rows(random.Random(1), night))
    assert {row["until"] for row in rows[Residence]} == {None, dt.date(2026, 11, 28)}


def test_plates_are_unique_and_well_formed(home) -> None:
    with home.database.read() as session:
        plates = session.scalars(select(Vehicle.plate)).all()
    assert len(set(plates)) == len(plates) == 1_100
    assert all(is_well_formed(plate) and normalise(plate) == plate for plate in plates)
    assert set(cast.REGISTERED_PLATES) <= set(plates)
    assert any(len(plate) == 8 for plate in plates)


def test_foreign_plates_are_near_nobodys_and_the_couriers_is_near_one(home) -> None:
    with home.database.read() as session:
        plates = session.scalars(select(Vehicle.plate)).all()
    for foreign in cast.FOREIGN_PLATES:
        assert is_well_formed(foreign)
        assert not [plate for plate in plates if near(foreign, plate)]
    assert cast.PLATE_COURIER not in plates
    assert cast.PLATE_LOOKALIKE in [plate for plate in plates if near(cast.PLATE_COURIER, plate)]


def test_polygons_lie_inside_the_plan_and_the_fence(home) -> None:
    zones = home.rows(Zone)
    for zone in zones:
        assert len(zone.outline) >= 3
        assert all(0 <= x <= ground.WIDTH_M and 0 <= y <= ground.HEIGHT_M for x, y in zone.outline)
        middle = [sum(axis) / len(zone.outline) for axis in zip(*zone.outline, strict=True)]
        nudged = [(x + (middle[0] - x) * 1e-6, y + (middle[1] - y) * 1e-6) for x, y in zone.outline]
        assert all(inside(point, ground.BOUNDARY) for point in nudged), zone.id
    assert {zone.ring for zone in zones} == set(Ring)
    assert sum(zone.ring == Ring.ENTRANCE for zone in zones) == 3
    assert sum(zone.ring == Ring.COMMON for zone in zones) == 5


def test_zones_do_not_overlap() -> None:
    zones = ground.zones()
    for index, one in enumerate(zones):
        for other in zones[index + 1 :]:
            across = min(one.area.x + one.area.width, other.area.x + other.area.width) - max(
                one.area.x, other.area.x
            )
            down = min(one.area.y + one.area.height, other.area.y + other.area.height) - max(
                one.area.y, other.area.y
            )
            assert across <= 0 or down <= 0, (one.id, other.id)


def test_each_building_stands_in_a_zone_of_its_own(home) -> None:
    buildings = home.rows(Building)
    zones = {zone.id: zone for zone in home.rows(Zone)}
    assert len({building.zone for building in buildings}) == 23
    for building in buildings:
        (left, top), _, (right, bottom), _ = zones[building.zone].outline
        assert left <= building.x
        assert building.x + building.width <= right
        assert top <= building.y
        assert building.y + building.height <= bottom
        assert zones[building.zone].ring == Ring.BUILDING


def test_neighbours_are_mutual_and_reach_every_zone_from_a_gate(home) -> None:
    zones = {zone.id: zone for zone in home.rows(Zone)}
    for zone in zones.values():
        assert zone.id not in zone.neighbours
        assert all(zone.id in zones[other].neighbours for other in zone.neighbours)
        if zone.ring == Ring.ENTRANCE:
            # The rings are a path: nobody gets from a gate into a building without the common area.
            assert {zones[other].ring for other in zone.neighbours} == {Ring.COMMON}
    reached, todo = set(), [ground.SOUTH_GATE]
    while todo:
        zone = todo.pop()
        if zone not in reached:
            reached.add(zone)
            todo += zones[zone].neighbours
    assert reached == set(zones)


def test_devices_stand_in_their_lanes_and_zones(home) -> None:
    devices = home.rows(Device)
    zones = {zone.id: zone for zone in home.rows(Zone)}
    lanes: dict[str, set[DeviceKind]] = {}
    for device in devices:
        (left, top), _, (right, bottom), _ = zones[device.zone].outline
        assert left <= device.x <= right, device.id
        assert top <= device.y <= bottom, device.id
        if device.lane:
            lanes.setdefault(device.lane, set()).add(device.kind)
    walk_in = {DeviceKind.FACE_CAMERA, DeviceKind.TURNSTILE, DeviceKind.SCENE_CAMERA}
    drive = {DeviceKind.PLATE_CAMERA, DeviceKind.BARRIER}
    for gate in ("north", "east", "south"):
        assert lanes[f"hh-{gate}-walk-in"] == walk_in
    for gate in ("north", "east"):
        assert lanes[f"hh-{gate}-drive-in"] == lanes[f"hh-{gate}-drive-out"] == drive
    for number in range(1, 24):
        assert lanes[f"hh-b{number:02d}-lane"] == {DeviceKind.DOOR, DeviceKind.FACE_CAMERA}
    assert len(devices) <= 120


def test_secrets_open_their_hashes_and_only_the_owner_reads_them(home) -> None:
    path = home.folder / "demo" / "secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with home.database.read() as session:
        hashes = dict(tuple(row) for row in session.execute(select(Device.id, Device.secret_hash)))
    assert hashes.keys() == home.credentials.secrets.keys()
    assert len(set(home.credentials.secrets.values())) == len(hashes)
    for device, secret in home.credentials.secrets.items():
        assert len(bytes.fromhex(secret)) == 16
        assert bcrypt.checkpw(secret.encode(), hashes[device].encode())
        assert hashes[device].startswith("$2b$04$")
    assert next(iter(home.credentials.secrets.values())) not in repr(home.credentials)


@pytest.mark.parametrize("spoil", ["lost", "damaged", "of_another_database"])
def test_secrets_are_issued_again_where_the_file_does_not_fit(own_home, home, spoil: str) -> None:
    path = own_home.folder / "demo" / "secrets.json"
    if spoil == "lost":
        path.unlink()
    elif spoil == "damaged":
        path.write_text("{")
    else:
        path.write_bytes((home.folder / "demo" / "secrets.json").read_bytes())
    again = build_demo(own_home.database, own_home.media, own_home.clock, own_home.folder)
    assert again.secrets.keys() == own_home.credentials.secrets.keys()
    assert again.secrets != own_home.credentials.secrets
    device = equipment.GUEST_FACE
    with own_home.database.read() as session:
        assert bcrypt.checkpw(
            again.secrets[device].encode(), session.get_one(Device, device).secret_hash.encode()
        )
    assert build_demo(own_home.database, own_home.media, own_home.clock, own_home.folder) == again


def test_every_kind_of_team_is_on_duty_now_and_somebody_leads_it(home) -> None:
    now = home.clock.now()
    teams = {team.kind: team for team in home.rows(Team)}
    responders = home.rows(Responder)
    begun = [shift for shift in home.rows(Shift) if shift.starts_at <= now]
    sizes = {kind: sum(r.team == team.id for r in responders) for kind, team in teams.items()}
    assert set(sizes) == set(TeamKind)
    assert (sizes[TeamKind.OPERATOR], sizes[TeamKind.GUARD], sizes[TeamKind.VOLUNTEER_POLICE]) == (4, 9, 3)
    assert {r.team for r in responders if r.leads} == {team.id for team in teams.values()}
    here = {member.id for _, _, members in duty.TEAMS.values() for member in members if member.here}
    assert {shift.responder for shift in begun} == here
    assert {responder.id for responder in responders} - here == {
        "hh-operator-4",
        *(f"hh-guard-{number}" for number in range(4, 10)),
    }
    # 12:00 by the compound's clock: until eight on the next day, at the south gate until midnight.
    until = {shift.ends_at - now for shift in begun if shift.responder != "hh-guard-3"}
    assert until == {dt.timedelta(hours=20)}
    assert {shift.starts_at for shift in begun} == {now - dt.timedelta(hours=12)}


def test_people_of_a_team_that_the_demo_has_learnt_of_come_to_an_older_compound(own_home) -> None:
    with own_home.database.write() as session:
        late = select(Responder.id).where(Responder.team == "hh-team-rain")
        session.execute(delete(Shift).where(Shift.responder.in_(late)))
        session.execute(delete(Responder).where(Responder.team == "hh-team-rain"))
        session.execute(delete(Roster).where(Roster.team == "hh-team-rain"))
        session.execute(delete(Team).where(Team.id == "hh-team-rain"))
    build_demo(own_home.database, own_home.media, own_home.clock, own_home.folder)
    with own_home.database.read() as session:
        assert {r.id for r in session.scalars(select(Responder).where(Responder.team == "hh-team-rain"))} == {
            "hh-rain-1",
            "hh-rain-2",
        }
        assert len(session.scalars(select(Shift).where(Shift.id.like("hh-rain-%-shift"))).all()) == 2


def test_watch_list_entry_is_lawful_and_in_force(home) -> None:
    now = home.clock.now()
    (entry,) = home.rows(WatchlistEntry)
    assert entry.subject == cast.PLATE_WATCHED
    assert entry.applicant != entry.approver
    assert entry.starts_at < now < entry.ends_at
    assert entry.ends_at - entry.starts_at == dt.timedelta(days=30)
    assert Ring.COMMON in entry.rings


def test_roster_and_pass_that_ran_out_are_renewed(own_home) -> None:
    own_home.clock.at += dt.timedelta(days=8)
    now = own_home.clock.now()
    build_demo(own_home.database, own_home.media, own_home.clock, own_home.folder)
    with own_home.database.read() as session:
        here = session.scalars(select(Shift).where(Shift.id.like("hh-%-shift"))).all()
        assert all(s.starts_at < now < s.ends_at for s in here)
        visits = session.scalars(select(VisitorPass)).all()
        assert all(visit.starts_at < now < visit.ends_at for visit in visits)
        assert {visit.plate for visit in visits} == {cast.PLATE_VISITOR, None}


def test_devices_that_the_story_has_learnt_to_speak_of_come_to_an_older_compound(own_home) -> None:
    with own_home.database.write() as session:
        session.execute(delete(Device).where(Device.id.in_([equipment.LIFT, equipment.CONTACT])))
    again = build_demo(own_home.database, own_home.media, own_home.clock, own_home.folder)
    assert again.secrets.keys() == own_home.credentials.secrets.keys()
    with own_home.database.read() as session:
        for device in session.scalars(select(Device)):
            assert bcrypt.checkpw(again.secrets[device.id].encode(), device.secret_hash.encode())


def test_one_elder_who_lives_alone_has_agreed_to_be_looked_after(home) -> None:
    with home.database.read() as session:
        consent = session.scalars(select(Consent).where(Consent.purpose == ConsentPurpose.ELDER_CARE)).one()
        elder = session.get_one(Person, consent.person)
        household = select(Person.id).where(Person.household == elder.household)
        assert session.scalars(household).all() == [cast.ELDER]
        assert session.get_one(Household, elder.household).dwelling == cast.DWELLING_ELDER
        assert not elder.under_14


def test_shift_that_still_runs_is_left_alone(own_home) -> None:
    now = own_home.clock.now()
    with own_home.database.write() as session:
        session.execute(update(Shift).values(ends_at=now + dt.timedelta(minutes=1)))
        session.execute(delete(Shift).where(Shift.responder == "hh-guard-1"))
    build_demo(own_home.database, own_home.media, own_home.clock, own_home.folder)
    with own_home.database.read() as session:
        running = session.scalars(select(Shift).where(Shift.id.like("hh-%-shift")))
        assert {s.ends_at for s in running} == {now + dt.timedelta(minutes=1)}


def test_everybody_has_a_way_in_that_is_no_face(home) -> None:
    held: dict[str, set[str]] = {}
    for credential in home.rows(Credential):
        assert credential.status == CredentialStatus.ACTIVE
        held.setdefault(credential.person, set()).add(credential.kind)
    assert set(held) == {person.id for person in home.rows(Person)}
    assert all(kinds - {CredentialKind.FACE} for kinds in held.values())


def test_children_have_a_guardian_and_the_day_that_they_turn_14(home) -> None:
    people = {person.id: person for person in home.rows(Person)}
    children = [person for person in people.values() if person.under_14]
    assert children
    for child in children:
        assert child.turns_14_on > home.clock.now().date()
        guardian = people[child.guardian]
        assert (guardian.household, guardian.under_14) == (child.household, False)


def test_every_dwelling_lies_in_a_grid_and_is_found_by_any_spelling(home) -> None:
    dwellings = home.rows(Dwelling)
    grids = {grid.id for grid in home.rows(Grid)}
    assert {dwelling.grid for dwelling in dwellings} == grids
    keys = {dwelling.address_key: dwelling.id for dwelling in dwellings}
    assert len(keys) == 2_824
    for text in ("3幢1单元502", "3号楼1单元502室", "3栋-1-502", "三号楼1单元5层502"):
        assert keys[addresses.key(addresses.parse(text))] == cast.DWELLING_A


def test_seven_hundred_organisations_and_every_shop_has_one(home) -> None:
    assert len({organisation.name for organisation in home.rows(Organisation)}) == 700
    shops = {d.id for d in home.rows(Dwelling) if d.state == DwellingState.SHOP}
    assert {premises.dwelling for premises in home.rows(Premises)} == shops


def test_another_compound_of_the_same_rows_shares_no_id() -> None:
    clock = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    first = registration.registry_rows(random.Random(1), clock)
    second = registration.under(registration.registry_rows(random.Random(2), clock), "sifang", "sf")
    for (table, one), (_, other) in zip(first, second, strict=True):
        assert not {row["id"] for row in one} & {row["id"] for row in other}, table
        assert all(row.get("compound", "sifang") == "sifang" for row in other), table


def test_phone_numbers_ring_nowhere(home) -> None:
    phones = [person.phone for person in home.rows(Person) if person.phone]
    assert len(phones) == 1_658
    assert all(len(phone) == 11 and phone.startswith("100") for phone in phones)

"""Dwellings, households, people and vehicles of the demo compound, as rows ready to insert.

A function of the seed and of today's date. The totals are those of the real compound
that the domain was learnt from: 2,824 dwellings, 1,658 households, 4,737 people.
"""

import datetime as dt
import itertools
import random
from dataclasses import dataclass, field
from typing import Any, Final

from registry.models import DwellingState, ResidenceKind
from registry.places import addresses
from registry.plates import near
from ringward.demo import cast, names
from ringward.demo.neighbourhood import grid_of
from ringward.demo.plan import COMPOUND, PREFIX, PlannedBuilding

BUILDINGS: Final = 23
DWELLINGS: Final = 2_824
HOUSEHOLDS: Final = 1_658
PEOPLE: Final = 4_737
WITHOUT_HOUSEHOLD: Final = DWELLINGS - HOUSEHOLDS  # 1,166
VEHICLES: Final = 1_100

Row = dict[str, Any]

_SIZES: Final = (1, 2, 3, 4, 5, 6)
_SIZE_WEIGHTS: Final = (14, 26, 34, 17, 7, 2)
_SHARE_LET: Final = 0.29
_SHARE_UNDER_REPAIR: Final = 0.07
_SHARE_NEW_ENERGY: Final = 0.18
_SERIAL: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(slots=True)
class Population:
    """Rows by table."""

    units: list[Row] = field(default_factory=list)
    dwellings: list[Row] = field(default_factory=list)
    households: list[Row] = field(default_factory=list)
    people: list[Row] = field(default_factory=list)
    residences: list[Row] = field(default_factory=list)
    vehicles: list[Row] = field(default_factory=list)


def populate(buildings: tuple[PlannedBuilding, ...], rng: random.Random, today: dt.date) -> Population:
    population = Population()
    _house(population, buildings, rng)
    homes = _choose_homes(population, rng)
    _settle(population, homes, rng, today)
    _motorise(population, rng)
    return population


def _house(population: Population, buildings: tuple[PlannedBuilding, ...], rng: random.Random) -> None:
    for building in buildings:
        for unit in range(1, building.units + 1):
            unit_id = f"{building.id}-u{unit}"
            population.units.append(
                {"id": unit_id, "compound": COMPOUND, "building": building.id, "name": f"{unit}单元"}
            )
            for floor, room in itertools.product(range(1, building.floors + 1), range(1, building.rooms + 1)):
                repair = rng.random() < _SHARE_UNDER_REPAIR
                state = DwellingState.UNDER_REPAIR if repair else DwellingState.VACANT
                population.dwellings.append(
                    {
                        "id": f"{unit_id}-{floor:02d}{room:02d}",
                        "compound": COMPOUND,
                        "unit": unit_id,
                        "floor": floor,
                        "room_no": f"{floor}{room:02d}",
                        "state": DwellingState.SHOP if building.shops and floor == 1 else state,
                        "is_basement": False,
                        "grid": grid_of(building),
                        "address_key": _address_key(building, unit, floor, f"{floor}{room:02d}"),
                        "external_id": f"{building.number:02d}{unit}{floor:02d}{room:02d}",
                    }
                )


def _choose_homes(population: Population, rng: random.Random) -> list[Row]:
    """The dwellings that have a household, those of the story first."""
    by_id = {row["id"]: row for row in population.dwellings}
    named = (cast.DWELLING_A, cast.DWELLING_B, cast.TENANCY_ENDED, cast.DWELLING_ELDER)
    told = [by_id[name] for name in named]
    others = [r for r in population.dwellings if r["state"] is not DwellingState.SHOP and r not in told]
    homes = told + rng.sample(others, HOUSEHOLDS - len(told))
    for home in homes:
        home["state"] = DwellingState.LET if rng.random() < _SHARE_LET else DwellingState.OCCUPIED
    for home in (told[0], told[1], told[3]):
        home["state"] = DwellingState.OCCUPIED
    told[2]["state"] = DwellingState.LET
    return homes


def _household_sizes(rng: random.Random) -> list[int]:
    sizes = rng.choices(_SIZES, _SIZE_WEIGHTS, k=HOUSEHOLDS)
    while (missing := PEOPLE - sum(sizes)) != 0:
        index = rng.randrange(HOUSEHOLDS)
        step = 1 if missing > 0 else -1
        if sizes[index] + step in _SIZES:
            sizes[index] += step
    # Somebody lives alone somewhere; it is she whom the story looks after.
    alone, hers = sizes.index(1), cast.ELDER_HOUSEHOLD - 1
    sizes[alone], sizes[hers] = sizes[hers], 1
    return sizes


def _settle(population: Population, homes: list[Row], rng: random.Random, today: dt.date) -> None:
    sizes = _household_sizes(rng)
    numbers = itertools.count(len(homes) + 1)
    for index, (home, size) in enumerate(zip(homes, sizes, strict=True), start=1):
        household_id = f"{PREFIX}-h{index:04d}"
        # Heads carry the number of their household; the rest are counted on from there.
        members = [index, *(next(numbers) for _ in range(size - 1))]
        head_id = f"{PREFIX}-p{index:04d}"
        population.households.append(
            {
                "id": household_id,
                "compound": COMPOUND,
                "dwelling": home["id"],
                "head_person_id": head_id,
                "external_id": f"H{index:04d}",
            }
        )
        family = names.surname(rng)
        let = home["state"] is DwellingState.LET
        moved_in = today - dt.timedelta(days=rng.randrange(20, 700 if let else 3300))
        for place, number in enumerate(members):
            person_id = f"{PREFIX}-p{number:04d}"
            # Partners keep their own surname; children take the family's.
            own = names.surname(rng) if place == 1 else family
            child = place >= 2 and rng.random() < 0.42
            kind = _kind(rng, head=place == 0, let=let)
            population.people.append(
                {
                    "id": person_id,
                    "compound": COMPOUND,
                    "household": household_id,
                    "name": own + names.given_name(rng),
                    # No mobile number begins with 100, so none of these rings anywhere.
                    "phone": f"100{number:08d}" if place == 0 else None,
                    "under_14": child,
                    "turns_14_on": today + dt.timedelta(days=rng.randrange(1, 5000)) if child else None,
                    "guardian": head_id if child else None,
                    "hukou_registered_here": _registered(kind, rng),
                    "external_id": f"P{number:04d}",
                }
            )
            ended = home["id"] == cast.TENANCY_ENDED
            verified = today - dt.timedelta(days=rng.randrange(1, 500))
            population.residences.append(
                {
                    "id": f"{PREFIX}-r{number:04d}",
                    "compound": COMPOUND,
                    "person": person_id,
                    "dwelling": home["id"],
                    "kind": kind,
                    "since": moved_in,
                    "until": today - dt.timedelta(days=1) if ended else None,
                    "verified_on": max(verified, moved_in),
                    "verified_by": home["grid"],
                    "external_id": f"R{number:04d}",
                }
            )


def _kind(rng: random.Random, *, head: bool, let: bool) -> ResidenceKind:
    """How a person is tied to the dwelling; people, registration and houses do not coincide."""
    chance = rng.random()
    if let:
        if chance < 0.04:
            return ResidenceKind.DORMITORY
        return ResidenceKind.TENANT if head or chance < 0.7 else ResidenceKind.REGISTERED_ELSEWHERE
    if head:
        return ResidenceKind.REGISTERED_ABSENT if chance < 0.03 else ResidenceKind.OWNER_OCCUPIER
    if chance < 0.04:
        return ResidenceKind.LODGER
    return ResidenceKind.REGISTERED_ELSEWHERE if chance < 0.14 else ResidenceKind.FAMILY_MEMBER


def _registered(kind: ResidenceKind, rng: random.Random) -> bool | None:
    """Whether the household registration is here; nobody has asked some of the tenants."""
    if kind in {ResidenceKind.REGISTERED_ABSENT, ResidenceKind.OWNER_OCCUPIER, ResidenceKind.FAMILY_MEMBER}:
        return True
    return None if kind is ResidenceKind.TENANT and rng.random() < 0.2 else False


def _address_key(building: PlannedBuilding, unit: int, floor: int, room: str) -> str:
    return addresses.key(addresses.Address(str(building.number), str(unit), floor, room))


def _motorise(population: Population, rng: random.Random) -> None:
    owners = [cast.HOUSEHOLD_A, cast.HOUSEHOLD_B, rng.choice(population.households)["id"]]
    plates = dict(zip(cast.REGISTERED_PLATES, owners, strict=True))
    while len(plates) < VEHICLES:
        plate = new_plate(rng)
        if plate not in plates and not any(near(plate, other) for other in cast.FOREIGN_PLATES):
            plates[plate] = rng.choice(population.households)["id"]
    population.vehicles.extend(
        {
            "id": f"{PREFIX}-v{index:04d}",
            "compound": COMPOUND,
            "plate": plate,
            "household": household,
            "external_id": f"V{index:04d}",
        }
        for index, (plate, household) in enumerate(plates.items(), start=1)
    )


def new_plate(rng: random.Random) -> str:
    """An invented plate in normalised spelling: blue of seven glyphs, or green of eight."""
    place = rng.choices(("云M", "云A", "云L", "川A", "渝B"), (86, 8, 3, 2, 1))[0]
    if rng.random() < _SHARE_NEW_ENERGY:
        return f"{place}{rng.choice('DF')}{rng.randrange(100_000):05d}"
    # Two letters at most, as the serials in use have.
    body = [str(rng.randrange(10)) for _ in range(5)]
    for position in rng.sample(range(5), rng.choice((0, 1, 1, 2))):
        body[position] = rng.choice(_SERIAL)
    return place + "".join(body)

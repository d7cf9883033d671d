"""The registry at the size of a street: how long the two questions take that everybody asks.

以人找房 and 以房管人, with names opened, at ten communities on SQLite and PostgreSQL; beside
them the cheapest question there is, one row by its key, on the same database.
"""

import datetime as dt
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from privacy import erasures
from privacy.models import ErasureKind
from registry.models import Dwelling, Person
from registry.people.finding import find_dwellings_of_person, list_people_of_dwelling, load_names
from ringward import memory, schema
from ringward.bench.postgres import postgres_url
from ringward.bench.report import Report, percentile, report
from ringward.bench.street import build_street
from ringward.demo import registration
from storage import Database, KeyRing, MediaStore, Vault, migrate
from storage.keys import install_ring
from storage.vault import current_vault, install_vault

ERASED: Final = 50
_SEED: Final = 7


def run(*, communities: int, questions: int, database_url: str | None) -> Report:
    """Builds a street in each database there is, asks, and erases some people."""
    figures: dict[str, float] = {}
    ceilings: dict[str, float] = {}
    ratios: dict[str, float] = {}
    memory.settle()
    assert schema.metadata.tables
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder, postgres_url(database_url) as url:
        root = Path(folder)
        figures["seed_generate_s"] = _seed(root)
        kinds = {"sqlite": f"sqlite:///{root / 'street.db'}"} | ({"postgresql": url} if url else {})
        for kind, address in kinds.items():
            _keys(root / kind)
            database = Database(address)
            migrate.upgrade(database)
            measured, row = _street(database, root / kind, communities, questions)
            database.close()
            figures |= {f"{kind}_{key}": value for key, value in measured.items()}
            ceilings[f"{kind}_row_by_key_p50_ms"] = percentile(row, 0.5)
            ceilings[f"{kind}_row_by_key_p99_ms"] = percentile(row, 0.99)
            for question in ("find_dwellings", "list_people"):
                ratios[f"{kind}_{question}_over_row_by_key_p50"] = (
                    measured[f"{question}_p50_ms"] / ceilings[f"{kind}_row_by_key_p50_ms"]
                )
    return report("registry", {"communities": communities, "questions": questions}, figures, ceilings, ratios)


def _keys(folder: Path) -> Vault:
    ring = KeyRing.load(folder / "ring.key")
    install_ring(ring)
    vault = Vault.at(folder / "vault.db", ring)
    install_vault(vault)
    return vault


def _seed(root: Path) -> float:
    """Seconds to make one compound's rows and write them, from nothing."""
    _keys(root / "seed")
    database = Database.at(root / "seed.db")
    migrate.upgrade(database)
    started = time.perf_counter()
    rows = registration.registry_rows(random.Random(_SEED), dt.datetime.now(dt.UTC))  # noqa: S311
    with database.write() as session:
        registration.write(session, rows)
    seconds = time.perf_counter() - started
    database.close()
    return seconds


def _street(
    database: Database, folder: Path, communities: int, questions: int
) -> tuple[dict[str, float], list[float]]:
    now = dt.datetime.now(dt.UTC)
    started = time.perf_counter()
    build_street(database, now, communities=communities)
    figures = {"street_generate_s": time.perf_counter() - started}
    rng = random.Random(_SEED)  # noqa: S311
    today = now.date()
    with database.read() as session:
        people = list(session.scalars(select(Person.id)))
        dwellings = list(session.scalars(select(Dwelling.id)))
        figures["people"] = float(len(people))
    asked_people = rng.choices(people, k=questions)
    asked_dwellings = rng.choices(dwellings, k=questions)

    def find(person: str) -> None:
        with database.read() as session:
            list(find_dwellings_of_person(session, person, today))

    def inhabitants(dwelling: str) -> None:
        with database.read() as session:
            occupants = list_people_of_dwelling(session, dwelling, today)
            load_names(occupants)
            for occupant in occupants:
                assert occupant.name

    def row(person: str) -> None:
        with database.read() as session:
            session.execute(select(Person.household).where(Person.id == person)).one()

    for name, question, subjects in (
        ("find_dwellings", find, asked_people),
        ("list_people", inhabitants, asked_dwellings),
    ):
        times = _times(question, subjects)
        figures[f"{name}_p50_ms"] = percentile(times, 0.5)
        figures[f"{name}_p99_ms"] = percentile(times, 0.99)
    by_key = _times(row, asked_people)
    figures["erase_p50_ms"] = _erase(database, folder, rng.sample(people, ERASED))
    return figures, by_key


def _times(question: Callable[[str], None], subjects: Sequence[str]) -> list[float]:
    """Milliseconds of each question; the first hundred warm caches and do not count."""
    taken = []
    for subject in [*subjects[:100], *subjects]:
        started = time.perf_counter()
        question(subject)
        taken.append((time.perf_counter() - started) * 1000)
    return taken[100:]


def _erase(database: Database, folder: Path, people: Sequence[str]) -> float:
    """Median milliseconds from the order to the last confirmation that needs nobody else."""
    media = MediaStore(folder / "media", current_vault().ring)
    taken = []
    for person_id in people:
        started = time.perf_counter()
        at = dt.datetime.now(dt.UTC)
        with database.write() as session:
            erasures.order(session, session.get_one(Person, person_id), ErasureKind.PERSON, at=at, by="bench")
        erasures.follow_up(database, media, current_vault(), at)
        taken.append((time.perf_counter() - started) * 1000)
    with database.read() as session:
        left = session.scalar(
            select(func.count()).select_from(Person).where(Person.id.in_(people), Person.erased_at.is_(None))
        )
    assert left == 0, "somebody was not erased"
    return statistics.median(taken)

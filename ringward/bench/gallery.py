"""The gallery by itself: searching it, changing it in place, and starting with it.

Beside each search stands the plain product `q @ G.T` over the same matrix in the same run: nothing
exact can be faster in numpy. Vectors are random and of length 1, which is the worst case for
telling near from far; what a search costs depends on it little.
"""

import datetime as dt
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert

from recognition.engines.contract import TemplateKind
from recognition.gallery import Gallery, GalleryKeeper, Template, memoryfs
from recognition.gallery.image import Entry, Image
from recognition.gallery.snapshots import Snapshots
from registry.faces import templates
from registry.faces.models import FIELD, Consent, ConsentPurpose, FaceTemplate, GivenBy
from registry.faces.templates import Embedding
from registry.models import Compound, Person
from ringward import memory, schema
from ringward.bench.report import Report, percentile, report
from storage import Database, KeyRing, SystemClock, Vault, migrate, new_id
from storage.keys import install_ring
from storage.vault import current_vault, install_vault

DIMENSION: Final = 128
SIZES: Final = {"5k": 5_000, "100k": 100_000}
MILLION: Final = {"1m": 1_000_000}
QUERIES: Final = 32
SCOPE: Final = 300
"""People of one building."""

_COMPOUND: Final = "bench"
_SEED: Final = 5
_BATCH: Final = 2_000
_CHANGES: Final = 200


@dataclass(frozen=True, slots=True)
class _Hand:
    """Stands where an engine does: templates here come from no picture."""

    name: str = "bench"
    version: str = "1"
    dimension: int = DIMENSION
    unit: bool = True


ENGINE: Final[TemplateKind] = _Hand()


def run(*, rounds: int, stored: int, million: bool) -> Report:
    """Measures searches over galleries in memory, and starts and changes with ``stored`` templates."""
    figures: dict[str, float] = {}
    ceilings: dict[str, float] = {}
    ratios: dict[str, float] = {}
    memory.settle()
    rng = np.random.default_rng(_SEED)
    for name, people in (SIZES | (MILLION if million else {})).items():
        measured, plain = _searches(rng, people, rounds)
        figures |= {key.replace("@", name): value for key, value in measured.items()}
        ceilings |= {key.replace("@", name): value for key, value in plain.items()}
        ratios[f"search_{name}_over_plain"] = measured["search_@_ms"] / plain["plain_@_ms"]
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder:
        figures |= _starts(Path(folder), rng, stored)
    if "start_warm_s" in figures:
        ratios["start_cold_over_warm"] = figures["start_cold_s"] / figures["start_warm_s"]
    settings = {"dimension": DIMENSION, "rounds": rounds, "stored": stored, "scope": SCOPE}
    return report("gallery", settings, figures, ceilings, ratios)


def _searches(
    rng: np.random.Generator, people: int, rounds: int
) -> tuple[dict[str, float], dict[str, float]]:
    matrix = _unit(rng, people)
    gallery = Gallery.of(
        Image(
            True,
            [Entry(f"p{row}", (f"t{row}",)) for row in range(people)],
            matrix.copy(),
            (),
            np.empty((0, DIMENSION), np.float32),
        )
    )
    # Somebody who is in the gallery, as another picture would show the person.
    queries = matrix[rng.integers(0, people, QUERIES)] + 0.04 * _unit(rng, QUERIES)
    queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
    turn = iter(np.resize(np.arange(QUERIES), 1_000_000))
    building = [f"p{row}" for row in rng.integers(0, people, SCOPE)]
    figures = {
        "search_@_ms": _median(lambda: gallery.search(queries[next(turn)]), rounds),
        "search_@_32_queries_ms": _median(lambda: [gallery.search(query) for query in queries], rounds // 8),
        "search_@_one_building_ms": _median(lambda: gallery.search(queries[0], building), rounds),
        "search_@_p99_ms": percentile(
            [_timed(lambda: gallery.search(queries[next(turn)])) for _ in range(100)], 0.99
        ),
    }
    extra = _unit(rng, _CHANGES)
    figures["add_@_us"] = 1000 * _median_each(
        lambda row: gallery.add(Template(f"new{row}", f"new{row}", None, extra[row]))
    )
    figures["remove_@_us"] = 1000 * _median_each(lambda row: gallery.remove(f"new{row}"))
    ceilings = {
        "plain_@_ms": _median(lambda: queries[next(turn)] @ matrix.T, rounds),
        "plain_@_32_queries_ms": _median(lambda: queries @ matrix.T, rounds // 8),
    }
    return figures, ceilings


def _starts(root: Path, rng: np.random.Generator, stored: int) -> dict[str, float]:
    """A process that starts: from the sealed rows, and from what another has laid down in memory."""
    assert schema.metadata.tables
    ring = KeyRing.load(root / "ring.key")
    install_ring(ring)
    vault = Vault.at(root / "vault.db", ring)
    install_vault(vault)
    database = Database.at(root / "ringward.db")
    migrate.upgrade(database)
    started = time.perf_counter()
    _seed(database, _unit(rng, stored))
    figures = {"seed_s": time.perf_counter() - started}

    def start(name: str, snapshots: Snapshots | None) -> tuple[GalleryKeeper, float]:
        # A new process knows no keys yet.
        install_vault(Vault.at(root / "vault.db", ring))
        keeper = GalleryKeeper(database, SystemClock(), name, snapshots=snapshots)
        began = time.perf_counter()
        keeper.gallery(_COMPOUND, ENGINE)
        return keeper, time.perf_counter() - began

    cold, figures["start_cold_s"] = start("cold", None)
    cold.close()
    folder = memoryfs.open_folder()
    if folder is None:
        return figures | _followed(database, start("again", None)[0])
    first, figures["start_cold_and_lay_down_s"] = start("first", Snapshots(folder, str(root)))
    second, figures["start_warm_s"] = start("second", Snapshots(folder, str(root)))
    figures |= _followed(database, second)
    first.close()
    second.close()
    return figures


def _followed(database: Database, keeper: GalleryKeeper) -> dict[str, float]:
    """How long a keeper takes to follow one enrolment, one removal and nothing."""
    person = Person(id=new_id(), compound=_COMPOUND)
    consent = _consent(person.id, dt.datetime.now(dt.UTC))
    with database.write() as session:
        session.add(person)
        session.flush()
        session.execute(insert(Consent), [consent])
    vector = np.ones(DIMENSION, "<f4").tobytes()
    added, removed, nothing = [], [], []
    for _ in range(9):
        with database.write() as session:
            embedding = Embedding(ENGINE.name, ENGINE.version, DIMENSION, vector, None)
            templates.enrol(session, person, embedding, media_id=None, at=dt.datetime.now(dt.UTC))
        added.append(_timed(keeper.refresh))
        nothing.append(_timed(keeper.refresh))
        with database.write() as session:
            templates.remove(session, person)
        removed.append(_timed(keeper.refresh))
    return {
        "follow_enrolment_ms": statistics.median(added),
        "follow_removal_ms": statistics.median(removed),
        "refresh_unchanged_ms": statistics.median(nothing),
    }


def _seed(database: Database, vectors: NDArray[np.float32]) -> None:
    """One template a person, each under a consent with a key of its own."""
    now = dt.datetime.now(dt.UTC)
    with database.write() as session:
        session.add(Compound(id=_COMPOUND, name="bench", time_zone="Asia/Shanghai"))
    for start in range(0, len(vectors), _BATCH):
        part = vectors[start : start + _BATCH]
        people = [new_id() for _ in part]
        consents = [_consent(person, now) for person in people]
        current_vault().create(consent["id"] for consent in consents)
        rows = [
            {
                "id": new_id(),
                "compound": _COMPOUND,
                "person": person,
                "consent": consent["id"],
                "engine": ENGINE.name,
                "engine_version": ENGINE.version,
                "dimension": DIMENSION,
                "sealed_embedding": current_vault().seal(consent["id"], FIELD, vector.tobytes()),
                "created_at": now,
            }
            for person, consent, vector in zip(people, consents, part, strict=True)
        ]
        with database.write() as session:
            session.execute(insert(Person), [{"id": person, "compound": _COMPOUND} for person in people])
            session.execute(insert(Consent), consents)
            session.execute(insert(FaceTemplate), rows)


def _consent(person: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "compound": _COMPOUND,
        "person": person,
        "purpose": ConsentPurpose.FACE_ACCESS,
        "text_hash": "0" * 64,
        "channel": "bench",
        "given_by": GivenBy.SELF,
        "given_at": at,
    }


def _unit(rng: np.random.Generator, rows: int) -> NDArray[np.float32]:
    made = rng.standard_normal((rows, DIMENSION), np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def _timed(do: Callable[[], Any]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    do()
    return (time.perf_counter() - started) * 1000


def _median(do: Callable[[], Any], rounds: int) -> float:
    """Milliseconds, after one that warms the caches."""
    do()
    return statistics.median(_timed(do) for _ in range(max(3, rounds)))


def _median_each(do: Callable[[int], Any]) -> float:
    return statistics.median(_timed(partial(do, row)) for row in range(_CHANGES))

"""Somebody asks to be forgotten while everything runs: database, pictures, gallery, logs, and backups.

A backup is made before, the erasure comes after it, and the old backup is restored then.
"""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

import storage.keys
import storage.vault
from console.accounts.models import Role
from registry.models import Credential, FaceTemplate, Person, Vehicle
from registry.people.finding import find_dwellings_of_person, list_people_of_dwelling
from ringward import firststart
from ringward.demo import DemoPictures, cast, plan, portraits
from ringward.demo.compound import totals
from ringward.foundation import Foundation, lay
from ringward.settings import Settings
from tests.acceptance.deployment import Camera, Deployment
from tests.acceptance.test_story import captured, decision
from tests.support.waiting import wait_until

PASSPHRASE = "nine lamps above the river"
GALLERY_S = 60.0
DOOR = f"{plan.PREFIX}-north-face"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment of this story's own: it does not leave the people whom others need."""
    before = storage.keys._ring, storage.vault._vault
    running = Deployment(tmp_path_factory.mktemp("forgetting"))
    running.prepare()
    ground = lay(Settings(data_dir=running.folder))
    for name, role in (("manager", Role.PROPERTY_MANAGER), ("auditor", Role.AUDITOR)):
        firststart.link_for(ground, name, role)
    ground.database.close()
    running.start()
    yield running
    if running.process and running.process.poll() is None:
        assert running.stop() == 0
    storage.keys._ring, storage.vault._vault = before


def command(*words: str, cwd: Path) -> dict[str, Any]:
    """A command of the program, as an administrator types it; its JSON answer."""
    environment = os.environ | {"RINGWARD_BACKUP_PASSPHRASE": PASSPHRASE, "RINGWARD_LOG_LEVEL": "warning"}
    done = subprocess.run(
        [sys.executable, "-m", "ringward", *words, "--json"],
        env=environment, cwd=cwd, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def signed_in(own: Deployment, name: str) -> httpx.Client:
    client = own.client(name)
    client.headers["X-CSRF-Token"] = client.get("/api/v1/me").json()["csrf_token"]
    return client


def traces(ground: Foundation, person_id: str) -> dict[str, bytes]:
    """Everything by which somebody could still be recognised in raw bytes."""
    with ground.database.read() as session:
        person = session.get_one(Person, person_id)
        cards = session.scalars(select(Credential).where(Credential.person == person_id)).all()
        found = {
            "name": person.name.encode(),
            "sealed name": person.sealed_name,
            "phone": (person.phone or "").encode(),
            "phone key": (person.phone_key or "").encode(),
            **{f"card {n}": (card.ref or "").encode() for n, card in enumerate(cards)},
            **{f"sealed card {n}": card.sealed_ref for n, card in enumerate(cards)},
        }
        namesakes = session.scalars(select(Person.id).where(Person.name_key == person.name_key)).all()
        if namesakes == [person_id]:
            found["name key"] = (person.name_key or "").encode()
        for number, template in enumerate(
            session.scalars(select(FaceTemplate).where(FaceTemplate.person == person_id))
        ):
            found |= {f"template {number}": template.embedding, f"sealed {number}": template.sealed_embedding}
    return {what: trace for what, trace in found.items() if trace}


def left_in(folder: Path, looked_for: dict[str, bytes]) -> set[tuple[str, str]]:
    return {
        (what, str(path.relative_to(folder)))
        for path in folder.rglob("*")
        if path.is_file()
        for content in [path.read_bytes()]
        for what, trace in looked_for.items()
        if trace in content
    }


def answers(ground: Foundation) -> dict[str, Any]:
    """Questions whose answers a restored deployment must give alike."""
    today = dt.datetime.now(dt.UTC).date()
    with ground.database.read() as session:
        neighbour = session.get_one(Person, cast.RESIDENT_B)
        occupants = list_people_of_dwelling(session, cast.DWELLING_B, today)
        return {
            "totals": totals(session),
            "name": neighbour.name,
            "homes": [home.address for home in find_dwellings_of_person(session, cast.RESIDENT_B, today)],
            "people": [(o.person_id, o.name, o.head) for o in occupants],
            "plates": sorted(session.scalars(select(Vehicle.plate))),
            "cards": sorted(
                c.ref or "" for c in session.scalars(select(Credential)) if c.person == neighbour.id
            ),
        }


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_whoever_is_erased_is_nowhere_and_comes_back_from_no_backup(
    own: Deployment, pictures: DemoPictures, tmp_path: Path
) -> None:
    camera = Camera(own, DOOR)
    seen = captured(pictures.face(portraits.RESIDENT_A))
    camera.publish(seen)
    assert decision(own, seen["id"])[:2] == ("identified", cast.RESIDENT_A)

    ground = lay(Settings(data_dir=own.folder))
    looked_for = traces(ground, cast.RESIDENT_A)
    assert {"name", "phone", "card 0", "template 0", "sealed name", "sealed 0"} <= set(looked_for)
    before = answers(ground)
    portraits_of = own.rows("SELECT media_id FROM face_templates WHERE person = ?", cast.RESIDENT_A)
    nas = tmp_path / "nas"
    data = ("--data-dir", str(own.folder))
    archive = command("backup", "make", str(nas), *data, cwd=tmp_path)["archive"]
    # While it is there, it is there: the search below would find something.
    assert left_in(own.folder, looked_for)

    manager = signed_in(own, "manager")
    ordered = manager.post(f"/api/v1/people/{cast.RESIDENT_A}/erasure", json={"kind": "person"})
    assert ordered.status_code == 202, ordered.text
    erasure = f"/api/v1/erasures/{ordered.json()['id']}"

    def waiting() -> dict[str, str]:
        steps = manager.get(erasure).json()["steps"]
        return {step["place"]: step["state"] for step in steps if step["state"] != "confirmed"}

    # The bus ends by itself within days; the copy of the keys is replaced by the next backup.
    wait_until(lambda: set(waiting()) <= {"bus", "backup"}, "every place but the backup confirms", GALLERY_S)
    assert waiting().get("backup") == "pending"
    again = captured(pictures.face(portraits.RESIDENT_A))
    camera.publish(again)
    outcome, person, *_ = decision(own, again["id"])
    assert (outcome != "identified", person) == (True, None)
    camera.close()

    command("backup", "make", str(nas), *data, cwd=tmp_path)
    wait_until(lambda: "backup" not in waiting(), "the copy of the keys is replaced", 30)
    assert manager.get(erasure).json()["completed_at"] is not None
    found = manager.post("/api/v1/people/search?purpose=review", json={"name": looked_for["name"].decode()})
    assert cast.RESIDENT_A not in {p["id"] for p in found.json()["items"]}
    manager.close()
    ground.database.close()
    ground.vault.close()
    assert own.stop() == 0

    assert left_in(own.folder, looked_for) == set()
    for (media_id,) in portraits_of:
        assert not list(own.folder.rglob(media_id[2:]))

    # The archive from before the erasure still holds the rows; nobody can read them any more.
    empty = tmp_path / "elsewhere"
    restored = command("restore", archive, "--data-dir", str(empty), cwd=tmp_path)
    assert restored["forgotten_again"] == 1, restored
    assert left_in(empty, looked_for) == set()
    other = lay(Settings(data_dir=empty))
    after = answers(other)
    assert after == before
    with other.database.read() as session:
        gone = session.get_one(Person, cast.RESIDENT_A)
        assert (gone.name, gone.phone, gone.erased_at is not None) == ("", None, True)
        assert session.scalars(select(FaceTemplate).where(FaceTemplate.person == gone.id)).all() == []
    other.database.close()
    other.vault.close()

"""A followed backup: what comes back, of which moment, and what is refused."""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from privacy import erasures
from privacy.models import ErasureKind
from registry.models import Person
from ringward.follow import Follower, NothingThenError, layout, restore, source_of
from ringward.foundation import Foundation
from ringward.manifest import KEYS_FILE
from storage import SystemClock, archive, audit, ringmark
from storage.archive import DamagedError, WrongPassphraseError
from storage.audit import AuditEntry
from tests.ringward.deployments import PHRASE, Deployments, bytes_below, deployments, everything
from tests.support import resident
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(archive, "SCRYPT_N", 2)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RINGWARD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def several(tmp_path: Path, clock) -> Iterator[Deployments]:
    with deployments(tmp_path, clock) as made:
        yield made


class Site:
    """A deployment, and who follows it."""

    def __init__(self, several: Deployments, **there: object) -> None:
        self.several = several
        self.ground = several.new("old", **there)
        resident.build(self.ground.database, self.ground.media)
        ringmark.ensure(self.ground.database, self.ground.ring, several.clock.now())
        self.folder = several.folder / "nas"
        self.follower = self.begin()
        self._restored = 0

    def begin(self, **how: dt.timedelta) -> Follower:
        return Follower(self.ground, self.folder, PHRASE, source_of(self.ground), label="nas", **how)

    def turn(self) -> int | None:
        """A second later; the number of what was written."""
        self.several.clock.advance(1)
        return self.follower.turn().number

    def say(self, what: str) -> None:
        with self.ground.database.write() as session:
            entry = AuditEntry("u-1", "operator", what, "review", "person:p1")
            audit.append(session, self.several.clock.now(), entry)

    def back(self, until: dt.datetime | None = None, **there: object) -> tuple[Foundation, list[str]]:
        """Restored, and what has been said in it."""
        self._restored += 1
        settings = self.several.settings(f"new{self._restored}", **there)
        self.result = restore(self.folder, settings, PHRASE, self.several.clock, until=until)
        ground = self.several.open(settings)
        with ground.database.read() as session:
            assert audit.verify(session) is None
            said = session.scalars(
                select(audit.AuditRow.action)
                .where(audit.AuditRow.actor == "u-1")
                .order_by(audit.AuditRow.seq)
            ).all()
        return ground, list(said)


@pytest.fixture
def site(several: Deployments) -> Iterator[Site]:
    made = Site(several)
    yield made
    made.follower.close()


def test_every_moment_that_was_looked_at_comes_back(site: Site) -> None:
    assert site.turn() == 0
    moments = []
    for number in range(1, 4):
        site.say(f"said.{number}")
        assert site.turn() == number
        moments.append(site.several.clock.now())
    for number, moment in enumerate(moments, 1):
        expected = [f"said.{each}" for each in range(1, number + 1)]
        assert site.back(moment)[1] == expected
        # Between two looks the earlier one counts, and is said to be it.
        assert site.back(moment + dt.timedelta(seconds=0.5))[1] == expected
        assert site.result.state_at == moment
    with pytest.raises(NothingThenError, match="the oldest is of 2026"):
        site.back(moments[0] - dt.timedelta(hours=1))


def test_restored_deployment_holds_what_the_old_one_did(site: Site, postgres) -> None:
    site.turn()
    site.say("later")
    site.turn()
    before = everything(site.ground.database, without=("audit", "backup_runs"))
    pictures = {media_id: site.ground.media.get(media_id) for media_id in site.ground.media.list()}
    for revision in before["gallery_revisions"]:
        revision["revision"] += 1
    with postgres.empty() as url:
        for there in ({}, {"database_url": url}):
            new, said = site.back(**there)
            assert said == ["later"]
            assert everything(new.database, without=("audit", "backup_runs")) == before
            assert {media_id: new.media.get(media_id) for media_id in new.media.list()} == pictures
            assert [path.name for path in new.settings.data_dir.glob("followed*")] == []
            new.database.close()


def test_nothing_is_written_when_nothing_has_changed(site: Site) -> None:
    assert site.turn() == 0
    site.turn()
    assert site.turn() is None
    assert site.turn() is None


def test_pictures_are_copied_once_and_new_ones_follow(site: Site) -> None:
    site.turn()
    site.turn()
    before = set(site.ground.media.list())
    new = site.ground.media.put(b"\xff\xd8 a new one").media_id
    site.turn()
    copies = site.folder / layout.FOLDER / layout.PICTURES
    assert {path.parent.name + path.name for path in copies.rglob("*") if path.is_file()} == before | {new}
    assert set(site.back()[0].media.list()) == before | {new}
    site.ground.media.delete(new)
    site.turn()
    # What is gone here by mistake is what a backup is for.
    assert new in set(site.back()[0].media.list())


def test_log_that_begins_anew_again_and_again_loses_nothing(site: Site, monkeypatch) -> None:
    from ringward.follow import pages

    monkeypatch.setattr(pages, "FOLD_FRAMES", 4)
    site.turn()
    logs = set()
    for number in range(30):
        site.say(f"said.{number}")
        if number % 3 == 0:
            site.turn()
            logs.add(site.follower._last.position["salts"])
    site.turn()
    assert len(logs) > 3
    assert site.back()[1] == [f"said.{number}" for number in range(30)]


def test_what_comes_while_the_log_is_folded_is_not_missed(site: Site, monkeypatch) -> None:
    from ringward.follow import pages

    monkeypatch.setattr(pages, "FOLD_FRAMES", 0)
    site.turn()
    tail = site.follower._source._tail
    real = tail.fold

    def fold() -> bool:
        site.say("between")
        return real()

    monkeypatch.setattr(tail, "fold", fold)
    site.say("first")
    site.turn()
    monkeypatch.setattr(tail, "fold", real)
    # The log begins anew over what was said between.
    site.say("last")
    site.turn()
    assert site.back()[1] == ["first", "between", "last"]


def test_next_process_goes_on_where_the_last_one_stopped(site: Site) -> None:
    site.turn()
    site.say("one")
    site.turn()
    site.follower.close()
    site.say("two")
    site.follower = site.begin()
    assert site.turn() > 1
    assert site.back()[1] == ["one", "two"]


def test_what_nobody_followed_makes_a_new_base(site: Site) -> None:
    site.turn()
    site.follower.close()
    site.say("unseen")
    # The last one to leave copies the log and removes it.
    site.ground.database.close()
    site.follower = site.begin()
    assert site.turn() == 0
    assert site.back()[1] == ["unseen"]


def test_series_that_nobody_can_want_any_more_goes(site: Site) -> None:
    site.follower.close()
    site.follower = site.begin(base_every=dt.timedelta(hours=1), keep=dt.timedelta(hours=3))
    lost = site.ground.media.put(b"\xff\xd8 gone soon").media_id
    for _ in range(8):
        site.turn()
        site.ground.media.delete(lost)
        site.several.clock.advance(3600)
    series = layout.all_series(site.folder)
    assert [each.name[9:11] for each in series] == ["08", "09", "10", "11"]
    assert not (site.folder / layout.FOLDER / layout.PICTURES / lost[:2] / lost[2:]).exists()
    site.back(site.several.clock.now() - dt.timedelta(hours=3))


@pytest.mark.parametrize("how", ["altered", "cut", "missing", "of another"])
def test_damaged_increment_is_refused_and_what_is_whole_before_it_is_named(site: Site, how: str) -> None:
    site.turn()
    for number in range(3):
        site.say(f"said.{number}")
        site.turn()
    step = layout.all_series(site.folder)[0].steps[1]
    content = step.read_bytes()
    match how:
        case "altered":
            step.write_bytes(content[:-40] + bytes([content[-40] ^ 1]) + content[-39:])
        case "cut":
            step.write_bytes(content[:-30])
        case "missing":
            step.unlink()
        case "of another":
            step.write_bytes(step.with_name("00000001.rwf").read_bytes())
    with pytest.raises(DamagedError, match=r"increment .*what is whole reaches to --until") as refused:
        site.back()
    assert not (site.several.folder / "new1").exists()
    whole = dt.datetime.fromisoformat(str(refused.value).rpartition(" ")[2])
    assert site.back(whole)[1] == ["said.0"]


def test_damaged_picture_and_wrong_passphrase_are_refused(site: Site) -> None:
    site.turn()
    with pytest.raises(WrongPassphraseError):
        restore(site.folder, site.several.settings("x"), "another", site.several.clock)
    copies = site.folder / layout.FOLDER / layout.PICTURES
    one = next(path for path in copies.rglob("*") if path.is_file())
    one.write_bytes(one.read_bytes()[:-1] + b"\x00")
    with pytest.raises(DamagedError, match="picture"):
        site.back()


def test_nothing_in_the_copy_can_be_read(site: Site) -> None:
    site.turn()
    site.say("later")
    site.turn()
    ring = site.ground.settings.key_file.read_text().split()[1].encode()
    for path, content in bytes_below(site.folder):
        assert path.stat().st_mode & 0o077 == 0 or layout.PICTURES in path.parts, path
        for trace in (*resident.TRACES.values(), ring, b"CREATE TABLE"):
            assert trace not in content, path


def test_erased_person_does_not_return_from_before_the_erasure(site: Site) -> None:
    site.turn()
    before = site.several.clock.now()
    site.several.clock.advance(3600)
    with site.ground.database.write() as session:
        erasure = erasures.order(
            session,
            session.get_one(Person, "p1"),
            ErasureKind.PERSON,
            at=site.several.clock.now(),
            by="u",
        ).id

    def follow_up() -> dict[str, str]:
        site.several.clock.advance(1)
        ground = site.ground
        erasures.follow_up(ground.database, ground.media, ground.vault, site.several.clock.now())
        with ground.database.read() as session:
            steps = erasures.receipt(session, erasure, site.several.clock.now()).steps
        return {step.place: step.state for step in steps}

    # While somebody reads it, SQLite's log keeps its old pages: following makes way.
    assert site.turn() is None
    assert follow_up()["database"] == "confirmed"
    assert follow_up()["backup"] == "pending"
    site.turn()
    assert follow_up()["backup"] == "confirmed"
    new, _ = site.back(before)
    assert site.result.forgotten_again == 1
    with new.database.read() as session:
        person = session.get_one(Person, "p1")
        assert (person.name, person.phone, person.id_number) == ("", None, None)
        assert session.scalar(select(func.count()).select_from(Person)) == 4
    assert {new.media.get(media_id) for media_id in new.media.list()} == {resident.CROWD}


def test_keys_of_whoever_comes_are_there_with_the_rows(site: Site) -> None:
    site.turn()
    with site.ground.database.write() as session:
        session.add(Person(id="late", compound="honghua", name="某甲"))
    site.turn()
    new, _ = site.back()
    with new.database.read() as session:
        assert session.get_one(Person, "late").name == "某甲"


def test_two_do_not_follow_into_one_folder(site: Site) -> None:
    with pytest.raises(BlockingIOError):
        site.begin()


def test_turn_that_fails_is_made_up_for_by_the_next(site: Site, monkeypatch) -> None:
    site.turn()
    site.say("one")
    new = site.ground.media.put(b"\xff\xd8 a new one").media_id
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr("ringward.follow.follower.write_file", full)
        with pytest.raises(OSError, match="No space"):
            site.turn()
    site.say("two")
    site.turn()
    ground, said = site.back()
    assert said == ["one", "two"]
    assert new in set(ground.media.list())


def test_folder_without_its_keys_is_said_to_be_so(site: Site) -> None:
    site.turn()
    (site.folder / KEYS_FILE).unlink()
    with pytest.raises(FileNotFoundError):
        site.back()


class ServedSite(Site):
    """On a PostgreSQL server, by the clock that the server goes by."""

    def __init__(self, several: Deployments, url: str, binaries: Path) -> None:
        self.there = {"database_url": url, "postgres_bin": binaries}
        super().__init__(several, **self.there)

    def turn(self) -> int | None:
        return self.follower.turn().number


@pytest.fixture
def served(tmp_path: Path, postgres) -> Iterator[ServedSite]:
    with postgres.empty() as url, deployments(tmp_path, SystemClock()) as several:
        made = ServedSite(several, url, postgres.binaries)
        yield made
        made.follower.close()


def test_postgresql_comes_back_as_it_was_at_any_moment(served: ServedSite, postgres) -> None:
    site = served
    assert site.turn() == 0
    moments = []
    for number in range(4):
        # Before it is looked at, and without a look in between.
        moments.append(site.several.clock.now())
        site.say(f"said.{number}")
        if number == 1:
            wait_until(lambda: site.turn() is not None, "the log has come")
    everything_said = [f"said.{number}" for number in range(4)]

    def reached() -> bool:
        site.turn()
        return site.follower._last.number >= 3

    wait_until(reached, "the log has come")
    before = everything(site.ground.database, without=("audit", "backup_runs"))
    for revision in before["gallery_revisions"]:
        revision["revision"] += 1
    site.say("after the moment")
    wait_until(lambda: site.turn() is not None, "the log has come")
    for number in (2, 3):
        with postgres.empty() as elsewhere:
            new, said = site.back(moments[number], **site.there | {"database_url": elsewhere})
            assert said == everything_said[:number]
            assert site.result.state_at == moments[number]
            new.database.close()
    with postgres.empty() as elsewhere:
        new, said = site.back(**site.there | {"database_url": elsewhere})
        assert said[:4] == everything_said
        assert everything(new.database, without=("audit", "backup_runs")) == before
        new.database.close()
    with pytest.raises(NothingThenError):
        site.back(moments[0] - dt.timedelta(hours=1), **site.there)


def test_log_of_postgresql_with_a_gap_is_refused(served: ServedSite, postgres) -> None:
    from ringward.follow import postgres as following

    folder = served.several.folder / "wal"
    folder.mkdir()
    for name in ("000000010000000000000001", "000000010000000000000003"):
        (folder / name).write_bytes(bytes(1 << 24))
    with pytest.raises(DamagedError, match="missing"):
        following._contiguous(folder)
    (folder / "000000010000000000000002").write_bytes(bytes(1 << 24))
    following._contiguous(folder)

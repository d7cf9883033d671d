"""Snapshots in memory: shared, put right by the registry, and gone when they have to be."""

import fcntl
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest
from gallery_world import HandEngine, towards

from recognition.gallery import Gallery, Template, memoryfs, snapshotfile
from recognition.gallery.snapshots import Snapshots
from recognition.gallery.sweeping import ABANDONED_AFTER_S, sweep
from registry.faces import reading
from tests.support.compound import COMPOUND, ELSEWHERE

ANN, ANN_TOO, BOB, CAT = towards(1), towards(1, 0.2), towards(0, 1), towards(0, 0, 1)
ENGINE = HandEngine()


@pytest.fixture
def shelf(in_memory):
    """A process's view of the folder; as many as are asked for."""
    made = []

    def new(deployment="here"):
        made.append(Snapshots(in_memory, deployment, least=1))
        return made[-1]

    new.made = made
    yield new
    for one in made:
        one.close()


def of_three(*, unit=True):
    return Gallery(
        4,
        [
            Template("t1", "ann", None, ANN),
            Template("t2", "ann", None, ANN_TOO),
            Template("t3", "bob", None, BOB),
            Template("t4", "cat", None, CAT),
        ],
        unit=unit,
    )


@pytest.mark.parametrize("unit", [True, False])
def test_snapshot_gives_back_the_gallery(shelf, unit):
    engine = HandEngine(unit=unit)
    gallery = of_three(unit=unit)
    assert shelf().write(COMPOUND, engine, gallery.image())
    again = Gallery.of(shelf().read(COMPOUND, engine))
    assert again.templates == gallery.templates
    for query in (ANN, BOB, towards(1, 1, 1)):
        assert [(c.person_id, c.distance) for c in again.search(query)] == [
            (c.person_id, c.distance) for c in gallery.search(query)
        ]
    # Whatever is not known of somebody yet cannot have the person named.
    assert again.children == {"ann", "bob", "cat"}


def test_changes_stay_in_the_process_that_made_them(shelf):
    shelf().write(COMPOUND, ENGINE, of_three().image())
    one, other = (Gallery.of(shelf().read(COMPOUND, ENGINE)) for _ in range(2))
    one.remove("t3")
    one.add(Template("t5", "dan", None, towards(0, 0, 0, 1)))
    one.remove("t1")
    assert other.search(BOB)[0].person_id == "bob"
    assert other.search(ANN)[0].distance == of_three().search(ANN)[0].distance
    assert Gallery.of(shelf().read(COMPOUND, ENGINE)).persons == {"ann", "bob", "cat"}


def test_newcomers_find_room_without_moving_what_is_shared(shelf):
    shelf().write(COMPOUND, ENGINE, of_three().image())
    gallery = Gallery.of(shelf().read(COMPOUND, ENGINE))
    shared = gallery._rows._matrix
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(200, 4)).astype(np.float32)
    for number in range(60):
        gallery.add(Template(f"n{number}", f"n{number}", None, vectors[number]))
    assert gallery._rows._matrix is shared
    for number in range(200):
        gallery.add(Template(f"n{number}", f"n{number}", None, vectors[number]))
    assert gallery.people == 203


def test_erased_person_is_overwritten_under_the_eyes_of_whoever_shares_the_memory(shelf, files):
    writer, other = shelf(), shelf()
    writer.write(COMPOUND, ENGINE, of_three().image())
    gallery = Gallery.of(other.read(COMPOUND, ENGINE))
    writer.forget(COMPOUND, {"t3"})
    assert files() == []
    # The other has not heard of it yet: bob is nobody there already, and the rest is as it was.
    assert {c.person_id for c in gallery.search(BOB)} == {"ann", "cat"}
    assert not (gallery._rows._matrix @ BOB > 0.9).any()
    gallery.remove("t3")
    assert gallery.persons == {"ann", "cat"}


def test_one_of_two_photos_is_forgotten_and_the_person_stays(shelf, files):
    one, other = shelf(), shelf()
    one.write(COMPOUND, ENGINE, of_three().image())
    gallery = Gallery.of(other.read(COMPOUND, ENGINE))
    one.forget(COMPOUND, {"t1"})
    assert files() == []
    assert gallery.search(ANN)[0].person_id == "ann"


def test_forgetting_reaches_the_former_engines_snapshot_and_no_other_compounds(shelf, files):
    one = shelf()
    former = HandEngine(version="0")
    one.write(COMPOUND, former, of_three().image())
    one.write(ELSEWHERE, ENGINE, of_three().image())
    # Another process, which has neither open.
    shelf().forget(COMPOUND, {"t3"})
    assert shelf().read(COMPOUND, former) is None
    assert shelf().read(ELSEWHERE, ENGINE) is not None
    assert len(files()) == 1


def test_forgetting_somebody_who_is_in_none_leaves_them(shelf, files):
    one = shelf()
    one.write(COMPOUND, ENGINE, of_three().image())
    one.forget(COMPOUND, {"t9"})
    assert one.read(COMPOUND, ENGINE) is not None
    assert len(files()) == 1


def test_last_to_leave_takes_it_away(shelf, files):
    one, other = shelf(), shelf()
    one.write(COMPOUND, ENGINE, of_three().image())
    assert other.read(COMPOUND, ENGINE) is not None
    one.close()
    assert len(files()) == 1
    other.close()
    assert files() == []


def test_snapshots_of_another_deployment_compound_or_engine_are_not_ours(shelf):
    shelf().write(COMPOUND, ENGINE, of_three().image())
    assert shelf("elsewhere").read(COMPOUND, ENGINE) is None
    assert shelf().read(ELSEWHERE, ENGINE) is None
    assert shelf().read(COMPOUND, HandEngine(version="2")) is None


def damage(path, change):
    raw = bytearray(path.read_bytes())
    change(raw)
    path.write_bytes(raw)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.clear(),
        lambda raw: raw.__delitem__(slice(10, None)),
        lambda raw: raw.__delitem__(slice(-500, None)),
        lambda raw: raw.__setitem__(0, 0),
        lambda raw: raw.__setitem__(8, 99),
        lambda raw: raw.__setitem__(slice(12, 16), b"\xff\xff\xff\x7f"),
        lambda raw: raw.__setitem__(60, raw[60] ^ 1),
        lambda raw: raw.__setitem__(4096, raw[4096] ^ 1),
        lambda raw: raw.extend(b"more"),
    ],
    ids=["empty", "short", "cut", "magic", "version", "length", "head", "vector", "longer"],
)
def test_damaged_file_is_ignored_and_taken_away(shelf, files, path_of, change):
    shelf().write(COMPOUND, ENGINE, of_three().image())
    damage(path_of(files()[0]), change)
    assert shelf().read(COMPOUND, ENGINE) is None
    assert files() == []


def test_damaged_file_can_be_forgotten_from(shelf, files, path_of):
    one = shelf()
    one.write(COMPOUND, ENGINE, of_three().image())
    damage(path_of(files()[0]), lambda raw: raw.__setitem__(0, 0))
    one.forget(COMPOUND, {"t1"})
    assert files() == []


def test_file_that_others_may_read_or_that_is_a_link_is_ignored(shelf, files, path_of):
    one = shelf()
    one.write(COMPOUND, ENGINE, of_three().image())
    path = path_of(files()[0])
    path.chmod(0o644)
    assert shelf().read(COMPOUND, ENGINE) is None
    moved = path.with_name("elsewhere")
    path.rename(moved)
    moved.chmod(0o600)
    path.symlink_to(moved)
    assert shelf().read(COMPOUND, ENGINE) is None


def test_files_are_readable_by_their_owner_alone(shelf, files, path_of, in_memory):
    shelf().write(COMPOUND, ENGINE, of_three().image())
    assert path_of(files()[0]).stat().st_mode & 0o777 == 0o600
    assert os.fstat(in_memory).st_mode & 0o777 == 0o700


def test_no_folder_on_a_disk_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(memoryfs, "lies_in_memory", lambda _: False)
    assert memoryfs.open_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) is None


def test_disk_is_told_from_memory(tmp_path, in_memory):
    root = os.open("/proc", os.O_RDONLY)
    try:
        assert not memoryfs.lies_in_memory(root)
    finally:
        os.close(root)
    assert memoryfs.lies_in_memory(in_memory)


def test_folder_that_is_a_link_or_open_to_others_is_not_used(in_memory, path_of, monkeypatch):
    base = path_of("base")
    base.mkdir()
    own = base / f"ringward-{os.geteuid()}"
    monkeypatch.setattr(memoryfs, "_BASES", ())
    own.mkdir(mode=0o755)
    own.chmod(0o755)
    assert memoryfs.open_folder({"XDG_RUNTIME_DIR": str(base)}) is None
    own.rmdir()
    (base / "trap").mkdir(mode=0o700)
    own.symlink_to(base / "trap")
    assert memoryfs.open_folder({"XDG_RUNTIME_DIR": str(base)}) is None


def test_full_memory_leaves_nothing_behind(shelf, files, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    one = shelf()
    monkeypatch.setattr(os, "write", full)
    assert not one.write(COMPOUND, ENGINE, of_three().image())
    assert files() == []


def test_sweep_takes_what_was_left_and_nothing_that_is_held(shelf, files, path_of, in_memory):
    one = shelf()
    one.write(COMPOUND, ENGINE, of_three().image())
    (name,) = files()
    long_ago = time.time() - ABANDONED_AFTER_S - 1
    os.utime(path_of(name), (long_ago, long_ago))
    assert sweep(in_memory) == 0
    assert one.there(COMPOUND, ENGINE, lambda _: ())
    # What a killed process leaves: files that nobody has locked.
    left = [path_of(n) for n in (f"{'0' * 32}.gallery", ".draft.gallery", "fresh.gallery")]
    for path in left:
        path.write_bytes(b"x")
        path.chmod(0o600)
    for path in left[:2]:
        os.utime(path, (long_ago, long_ago))
    assert sweep(in_memory) == 2
    assert files() == sorted([name, "fresh.gallery"])


def _hold_and_die(folder, deployment, ready, end):
    held = Snapshots(folder, deployment, least=1)
    assert held.read(COMPOUND, ENGINE) is not None
    ready.set()
    end.wait(30)
    os._exit(9)


def test_killed_holder_holds_nothing_any_more(shelf, files, path_of, in_memory):
    context = multiprocessing.get_context("fork")
    ready, end = context.Event(), context.Event()
    one = shelf()
    one.write(COMPOUND, ENGINE, of_three().image())
    child = context.Process(target=_hold_and_die, args=(in_memory, "here", ready, end))
    child.start()
    assert ready.wait(30)
    one.close()
    assert len(files()) == 1
    end.set()
    child.join(30)
    long_ago = time.time() - ABANDONED_AFTER_S - 1
    os.utime(path_of(files()[0]), (long_ago, long_ago))
    assert sweep(in_memory) == 1


def test_reader_does_not_wait_for_whoever_is_taking_it_away(shelf, files, path_of):
    one = shelf()
    one.write(COMPOUND, ENGINE, of_three().image())
    path = path_of(files()[0])
    raw = path.read_bytes()
    one.close()
    path.write_bytes(raw)
    path.chmod(0o600)
    assert shelf().read(COMPOUND, ENGINE) is not None
    for held in shelf.made:
        held.close()
    path.write_bytes(raw)
    path.chmod(0o600)
    with path.open("rb") as leaving:
        fcntl.flock(leaving, fcntl.LOCK_EX)
        assert shelf().read(COMPOUND, ENGINE) is None


# With a keeper and the registry


@pytest.fixture
def two(town):
    town.enrol("ann", ANN)
    town.enrol("bob", BOB)
    return town


def test_second_process_starts_without_opening_a_vector(two, shelf, monkeypatch):
    two.keeper("w1", snapshots=shelf()).gallery(COMPOUND, two.engine)
    monkeypatch.setattr(reading, "vectors", lambda *_: pytest.fail("it lay in memory"))
    gallery = two.keeper("w2", snapshots=shelf()).gallery(COMPOUND, two.engine)
    assert gallery.search(BOB)[0].person_id == "bob"
    assert gallery.children == set()


def test_snapshot_that_lacks_somebody_or_has_somebody_too_much_is_put_right(two, shelf, files, monkeypatch):
    first = shelf()
    two.keeper("w1", snapshots=first).gallery(COMPOUND, two.engine)
    # The first is killed: it hears of nothing of this.
    two.withdraw("ann")
    made = two.enrol("cat", CAT)
    read, asked = reading.vectors, []
    monkeypatch.setattr(reading, "vectors", lambda *args: asked.append(set(args[-1])) or read(*args))
    gallery = two.keeper("w2", snapshots=shelf()).gallery(COMPOUND, two.engine)
    assert gallery.persons == {"bob", "cat"}
    assert asked == [{made}]
    assert not (gallery._rows._matrix @ ANN).any()
    image = snapshotfile.read(*opened(files, first, two.engine))
    assert {entry.person for entry in image.entries} == {"bob", "cat"}


def opened(files, shelf, engine):
    (name,) = files()
    assert name == shelf._name(COMPOUND, engine)
    return shelf._hold(name).descriptor, name


def test_erasure_takes_the_snapshot_and_a_new_one_is_laid_down_without_the_person(two, shelf, files):
    first, second = shelf(), shelf()
    keeper = two.keeper("w1", snapshots=first)
    keeper.gallery(COMPOUND, two.engine)
    other = two.keeper("w2", snapshots=second)
    other.gallery(COMPOUND, two.engine)
    two.withdraw("ann")
    keeper.refresh()
    assert files() == []
    two.clock.advance(31)
    other.refresh()
    keeper.refresh()
    image = snapshotfile.read(*opened(files, first, two.engine))
    assert [entry.person for entry in image.entries] == ["bob"]


def test_snapshot_of_a_process_that_died_before_it_heard_of_an_erasure_is_taken_away(two, shelf, files):
    keeper = two.keeper("w1", snapshots=shelf())
    gallery = keeper.gallery(COMPOUND, two.engine)
    late = gallery.image()
    two.withdraw("ann")
    keeper.refresh()
    shelf().write(COMPOUND, two.engine, late)
    keeper.refresh()
    assert files() == []
    assert gallery.persons == {"bob"}


def test_snapshot_of_a_process_that_knows_of_a_newcomer_first_stands(two, shelf, files):
    keeper = two.keeper("w1", snapshots=shelf())
    gallery = keeper.gallery(COMPOUND, two.engine)
    two.enrol("cat", CAT)
    ahead = shelf()
    ahead.write(COMPOUND, two.engine, two.keeper("w2").gallery(COMPOUND, two.engine).image())
    keeper._lay_down(COMPOUND, keeper._held[COMPOUND])
    assert len(files()) == 1
    assert gallery.persons == {"ann", "bob"}
    assert Gallery.of(ahead.read(COMPOUND, two.engine)).persons == {"ann", "bob", "cat"}


def test_files_that_were_replaced_are_let_go(two, shelf, in_memory):
    one = shelf()
    keeper = two.keeper("w1", snapshots=one)
    before = len(list(Path("/proc/self/fd").iterdir()))
    keeper.gallery(COMPOUND, two.engine)
    for number in range(20):
        two.enrol("cat", towards(1, number))
        two.withdraw("cat")
        two.clock.advance(31)
        keeper.refresh()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


def test_another_engines_snapshot_is_not_held_up_by_whoever_forgets_from_it(shelf, files, path_of, in_memory):
    writer = shelf()
    writer.write(COMPOUND, HandEngine(version="0"), of_three().image())
    passing = shelf()
    passing.forget(COMPOUND, {"t9"})
    os.close(writer._held.popitem()[1].descriptor)
    long_ago = time.time() - ABANDONED_AFTER_S - 1
    os.utime(path_of(files()[0]), (long_ago, long_ago))
    assert sweep(in_memory) == 1


def test_snapshot_that_lacks_many_is_laid_down_anew(two, shelf, files):
    first = shelf()
    keeper = two.keeper("w1", snapshots=first)
    keeper.gallery(COMPOUND, two.engine)
    two.enrol("cat", CAT)
    two.clock.advance(31)
    keeper.refresh()
    image = snapshotfile.read(*opened(files, first, two.engine))
    assert {entry.person for entry in image.entries} == {"ann", "bob", "cat"}


def test_small_gallery_is_not_laid_down(two, in_memory, files):
    snapshots = Snapshots(in_memory, "here")
    keeper = two.keeper("w1", snapshots=snapshots)
    keeper.gallery(COMPOUND, two.engine)
    keeper.refresh()
    assert files() == []
    keeper.close()


def test_engine_that_decides_no_more_leaves_no_snapshot(two, shelf, files):
    keeper = two.keeper("w1", snapshots=shelf())
    keeper.gallery(COMPOUND, two.engine)
    new = HandEngine(version="2")
    two.enrol("bob", CAT, engine=new)
    keeper.gallery(COMPOUND, new)
    assert files() == [shelf()._name(COMPOUND, new)]
    keeper.close()
    assert files() == []

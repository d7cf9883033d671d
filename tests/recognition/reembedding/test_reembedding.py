"""Another engine: made beside the former one, changed over at once, and nobody forgotten or kept."""

import datetime as dt
import multiprocessing
import os
import signal

import pytest
from reembedding_world import DARK, ColourEngine, photo
from sqlalchemy import func, select, update

from recognition.gallery import GalleryKeeper
from recognition.models import EmbeddingPhoto, EmbeddingRun
from recognition.reembedding import Reembedder, photos, refused_photos
from recognition.reembedding.reembedder import LOOK_EVERY
from recognition.reembedding.runs import GRACE
from registry.imports import undoing
from registry.models import FaceTemplate, ImportChange, ImportJob, ImportState, Person
from storage import Database, KeyRing, MediaStore, Vault
from storage.keys import install_ring
from storage.media import MediaNotFoundError
from storage.vault import install_vault
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import COMPOUND, ELSEWHERE

RED, GREEN, BLUE = photo(250, 20, 20), photo(20, 250, 20), photo(20, 20, 250)


def reasons(estate):
    with estate.database.read() as session:
        return {one.person_id: one.reason for one in refused_photos(session, COMPOUND)}


def begun(estate):
    with estate.database.read() as session:
        return session.scalar(select(func.count()).select_from(EmbeddingPhoto))


def test_gallery_is_embedded_photo_by_photo_and_then_changes_over_at_once(either_estate):
    estate = either_estate
    for person, picture in (("ann", RED), ("ann", GREEN), ("bob", BLUE)):
        estate.enrol(person, picture)
    chosen, reembedder = estate.chosen(), estate.reembedder()
    assert chosen.of(COMPOUND) is estate.former
    for step in (1, 2, 3):
        assert reembedder.step()
        chosen.refresh()
        assert chosen.of(COMPOUND) is estate.former
        assert estate.progress() == ("running", 3, step, 0)
        assert len(estate.new.seen) == step
    assert reembedder.step()
    chosen.refresh()
    assert chosen.of(COMPOUND) is estate.new
    assert estate.progress() == ("done", 3, 3, 0)
    assert estate.templates(estate.new) == estate.templates(estate.former) == {"ann": 2, "bob": 1}
    assert not reembedder.step()
    assert begun(estate) == 0


def test_new_templates_are_found_by_the_new_engine_and_stand_on_the_same_consent_and_photo(estate):
    made = estate.enrol("ann", RED)
    estate.enrol("bob", BLUE)
    estate.work()
    keeper = GalleryKeeper(estate.database, estate.clock, "w1")
    found = keeper.gallery(COMPOUND, estate.new).search(estate.new.embed(decoded(RED), None))
    assert found[0].person_id == "ann"
    assert found[0].distance < 0.02
    with estate.database.read() as session:
        again = session.scalars(
            select(FaceTemplate).where(FaceTemplate.person == "ann", FaceTemplate.engine_version == "2")
        ).one()
        assert (again.consent, again.media_id, again.created_at) == (
            made.consent,
            made.media_id,
            made.created_at,
        )


def decoded(picture):
    from recognition.images import decode

    return decode(picture).rgb


def test_photos_that_give_no_template_are_counted_and_listed_and_hold_nothing_up(either_estate):
    estate = either_estate
    estate.enrol("ann", RED)
    estate.enrol("bob", DARK)
    lost = estate.enrol("cat", GREEN)
    estate.media.delete(lost.media_id)
    estate.work()
    assert estate.progress() == ("done", 3, 1, 2)
    assert reasons(estate) == {"bob": "no_face", "cat": "no_photo"}
    assert estate.chosen().of(COMPOUND) is estate.new
    # Nobody tries again what cannot be had.
    looked = len(estate.new.seen)
    estate.clock.advance(3600)
    estate.work()
    assert len(estate.new.seen) == looked


def test_former_templates_go_after_a_day_but_not_of_whoever_has_no_new_one(either_estate):
    estate = either_estate
    estate.enrol("ann", RED)
    estate.enrol("ann", DARK)
    estate.enrol("bob", DARK)
    reembedder = estate.reembedder()
    estate.work(reembedder)
    estate.clock.advance(GRACE.total_seconds() - 60)
    estate.work(reembedder)
    assert estate.templates(estate.former) == {"ann": 2, "bob": 1}
    estate.clock.advance(60 + LOOK_EVERY.total_seconds())
    assert estate.work(reembedder) == 1
    assert estate.templates(estate.former) == {"bob": 1}
    assert estate.templates(estate.new) == {"ann": 1}
    # The office still sees whose photo it has to take again; counts stay as they were.
    assert reasons(estate) == {"bob": "no_face"}
    assert estate.progress() == ("done", 3, 1, 2)


def test_killed_run_goes_on_where_it_stopped(estate):
    for number in range(4):
        estate.enrol(f"p{number}", RED)
    first = estate.reembedder()
    first.step()
    first.step()

    class KilledError(BaseException):
        """What kill -9 leaves: nothing is put in order afterwards."""

    def killed():
        raise KilledError

    estate.new.meanwhile = killed
    with pytest.raises(KilledError):
        first.step()
    estate.new.meanwhile = None
    again = estate.reembedder()
    estate.work(again)
    # The one that it died of is left alone until whoever began with it counts as dead.
    assert estate.progress() == ("running", 4, 3, 0)
    estate.clock.advance(photos.LOST_AFTER.total_seconds() + LOOK_EVERY.total_seconds())
    estate.work(again)
    assert estate.progress() == ("done", 4, 4, 0)
    assert estate.templates(estate.new) == {f"p{number}": 1 for number in range(4)}


def test_photo_that_takes_two_processes_with_it_is_not_tried_again(estate):
    estate.enrol("ann", RED)
    estate.enrol("bob", GREEN)

    def crash():
        raise SystemExit

    estate.new.meanwhile = crash
    for _ in range(2):
        with pytest.raises(SystemExit):
            estate.reembedder().step()
        with pytest.raises(SystemExit):
            estate.reembedder().step()
        estate.clock.advance(photos.LOST_AFTER.total_seconds())
    estate.new.meanwhile = None
    estate.work()
    assert reasons(estate) == {"ann": "engine_crashed", "bob": "engine_crashed"}
    assert estate.progress() == ("done", 2, 0, 2)


def test_two_processes_share_the_work(either_estate):
    estate = either_estate
    for number in range(6):
        estate.enrol(f"p{number}", RED)
    one, other = estate.reembedder(), estate.reembedder()
    for _ in range(3):
        assert one.step()
        assert other.step()
    assert estate.progress() == ("running", 6, 6, 0)
    assert len(estate.new.seen) == 6
    assert one.step()
    assert not other.step()
    assert estate.progress() == ("done", 6, 6, 0)


def test_photo_that_another_process_is_at_is_left_to_it(estate):
    estate.enrol("ann", RED)
    one, other = estate.reembedder(), estate.reembedder()
    did = []
    estate.new.meanwhile = lambda: did.append(other.step()) if not did else None
    assert one.step()
    assert did == [False]
    assert estate.templates(estate.new) == {"ann": 1}


def test_person_who_withdraws_is_reached_in_both(either_estate):
    estate = either_estate
    estate.enrol("ann", RED)
    estate.enrol("bob", DARK)
    estate.enrol("cat", BLUE)
    estate.work()
    estate.withdraw("ann")
    estate.withdraw("bob")
    assert estate.templates(estate.former) == estate.templates(estate.new) == {"cat": 1}
    assert reasons(estate) == {}


def test_person_who_withdraws_while_the_photo_is_looked_at_gets_no_template(either_estate):
    estate = either_estate
    estate.enrol("ann", RED)
    estate.enrol("bob", BLUE)
    estate.new.meanwhile = lambda: estate.withdraw("ann") if len(estate.new.seen) == 1 else None
    estate.work()
    assert estate.templates(estate.new) == {"bob": 1}
    assert begun(estate) == 0
    assert estate.progress() == ("done", 2, 1, 0)


def test_person_whose_key_is_shredded_meanwhile_gets_no_template(estate):
    made = estate.enrol("ann", RED)
    estate.new.meanwhile = lambda: estate.vault.shred([made.consent], NOON)
    estate.work()
    assert estate.templates(estate.new) == {}


def test_nobody_is_looked_at_without_a_consent_that_holds(estate):
    # The guardian's ended with the birthday, and nobody has withdrawn it.
    estate.enrol("ann", RED, under_14=True, turns_14_on=(NOON + dt.timedelta(days=1)).date())
    estate.clock.advance(24 * 3600)
    estate.work()
    assert estate.new.seen == []
    assert reasons(estate) == {"ann": "consent_missing"}


def test_enrolment_during_a_run_makes_both_and_is_no_work_for_it(either_estate):
    estate = either_estate
    estate.enrol("ann", RED)
    estate.enrol("bob", GREEN)
    reembedder, chosen = estate.reembedder(), estate.chosen()
    reembedder.step()
    made = estate.enrol("cat", BLUE, engine=estate.new, beside=chosen.beside)
    assert made.engine_version == estate.new.version
    assert estate.templates(estate.former) == {"ann": 1, "bob": 1, "cat": 1}
    estate.work(reembedder)
    assert estate.progress() == ("done", 2, 2, 0)
    # After the change the former engine has no part in it.
    estate.enrol("dan", BLUE, engine=estate.new, beside=chosen.beside)
    assert "dan" not in estate.templates(estate.former)


def test_photo_has_to_suit_both_engines(estate):
    estate.enrol("ann", RED)
    from recognition.enrolment import PhotoRefusedError

    with pytest.raises(PhotoRefusedError, match="no_face"):
        estate.enrol("bob", DARK, engine=estate.former, beside=lambda _: (estate.new,))
    assert estate.templates(estate.former) == {"ann": 1}


def test_photo_enrolled_twice_is_one_template_of_the_engine_beside(estate):
    beside = lambda _: (estate.former,)  # noqa: E731 - as short as it is
    estate.enrol("ann", RED, engine=estate.new, beside=beside)
    estate.enrol("ann", RED, engine=estate.new, beside=beside)
    assert estate.templates(estate.former) == {"ann": 1}


def test_enrolment_by_a_process_with_the_former_setting_is_taken_along_later(estate):
    estate.enrol("ann", RED)
    reembedder = estate.reembedder()
    estate.work(reembedder)
    estate.enrol("bob", GREEN, engine=estate.former)
    estate.clock.advance(LOOK_EVERY.total_seconds())
    estate.work(reembedder)
    assert estate.templates(estate.new) == {"ann": 1, "bob": 1}
    # The compound has not gone back for that.
    assert estate.chosen().of(COMPOUND) is estate.new


def test_early_enrolments_by_the_new_engine_do_not_make_it_decide(estate):
    for number in range(3):
        estate.enrol(f"p{number}", RED)
    estate.enrol("ann", GREEN, engine=estate.new)
    assert estate.chosen().of(COMPOUND) is estate.former


def test_former_setting_that_comes_back_half_way_decides_at_once(estate):
    for number in range(3):
        estate.enrol(f"p{number}", RED)
    half = estate.reembedder()
    half.step()
    half.step()
    back = estate.chosen(estate.former, estate.new)
    assert back.of(COMPOUND) is estate.former
    estate.work(estate.reembedder(estate.former))
    with estate.database.read() as session:
        states = dict(session.execute(select(EmbeddingRun.engine_version, EmbeddingRun.state)).all())
    assert states == {"1": "done", "2": "left"}
    estate.clock.advance(GRACE.total_seconds())
    estate.work(estate.reembedder(estate.former))
    assert estate.templates(estate.new) == {}
    assert len(estate.templates(estate.former)) == 3


def test_former_setting_that_comes_back_later_is_embedded_again(either_estate):
    estate = either_estate
    for number in range(3):
        estate.enrol(f"p{number}", RED)
    estate.work()
    estate.clock.advance(GRACE.total_seconds())
    estate.work()
    assert estate.templates(estate.former) == {}
    assert estate.chosen(estate.former, estate.new).of(COMPOUND) is estate.new
    estate.work(estate.reembedder(estate.former))
    assert estate.progress() == ("done", 3, 3, 0)
    assert estate.chosen(estate.former, estate.new).of(COMPOUND) is estate.former
    # And forth once more: what was done before counts for nothing.
    estate.clock.advance(60)
    assert estate.chosen().of(COMPOUND) is estate.former
    estate.work()
    assert estate.chosen().of(COMPOUND) is estate.new


def test_compounds_change_over_by_themselves(estate):
    estate.enrol("ann", RED)
    with estate.database.write() as session:
        session.add(Person(id="zoe", compound=ELSEWHERE))
    chosen = estate.chosen()
    assert chosen.of(ELSEWHERE) is estate.new
    assert chosen.of(COMPOUND) is estate.former


def test_engine_that_nobody_has_any_more_decides_nothing(estate):
    estate.enrol("ann", RED)
    other = ColourEngine(version="9")
    assert estate.chosen(estate.new, other).of(COMPOUND) is estate.new


def test_new_compound_begins_with_the_configured_engine_and_needs_no_run(estate):
    estate.enrol("ann", RED, engine=estate.new)
    assert estate.chosen().of(COMPOUND) is estate.new
    assert estate.work() == 0
    assert estate.progress() is None


def test_store_that_is_away_costs_a_photo_nothing(estate, monkeypatch):
    estate.enrol("ann", RED)
    reembedder = estate.reembedder()

    def away(_):
        raise OSError

    for _ in range(5):
        with monkeypatch.context() as trouble:
            trouble.setattr(type(estate.media), "get", lambda *_: away(_))
            with pytest.raises(OSError):
                reembedder.step()
    estate.work(reembedder)
    assert estate.progress() == ("done", 1, 1, 0)


def test_photo_that_the_engine_makes_no_numbers_of_is_listed(estate):
    estate.enrol("ann", RED)
    estate.new.numbers = False
    estate.work()
    assert reasons(estate) == {"ann": "embedding_useless"}


def test_template_without_a_photo_is_listed(estate):
    made = estate.enrol("ann", RED)
    with estate.database.write() as session:
        session.execute(update(FaceTemplate).where(FaceTemplate.id == made.id).values(media_id=None))
    estate.work()
    assert reasons(estate) == {"ann": "no_photo"}


def test_nothing_to_do_is_not_looked_for_all_the_time(estate, monkeypatch):
    from recognition.reembedding import runs

    looks = []
    look = runs.compounds
    monkeypatch.setattr(runs, "compounds", lambda *args: looks.append(1) or look(*args))
    reembedder = estate.reembedder()
    for _ in range(10):
        assert not reembedder.step()
    assert len(looks) == 1
    estate.clock.advance(LOOK_EVERY.total_seconds())
    reembedder.step()
    assert len(looks) == 2


def test_undone_import_takes_what_another_engine_made_of_its_photos(estate):
    made = estate.enrol("ann", RED)
    estate.enrol("bob", DARK)
    with estate.database.write() as session:
        session.add(
            ImportJob(
                id="job",
                compound=COMPOUND,
                kind="photos",
                content_hash="0" * 64,
                actor="u",
                dry_run=False,
                partly=False,
                state=ImportState.APPLIED,
                started_at=NOON,
            )
        )
        session.flush()
        for row in session.scalars(select(FaceTemplate.id)).all():
            session.add(ImportChange(compound=COMPOUND, job="job", table="face_templates", row_id=row))
    estate.work()
    undone = undoing.take_back(estate.database, COMPOUND, "job", NOON)
    assert undone.left == []
    assert estate.templates(estate.new) == estate.templates(estate.former) == {}
    assert made.media_id in undone.pictures
    with pytest.raises(MediaNotFoundError):
        estate.media.get("0" * 64)


def _work_until_killed(url, media_folder, keys):
    ring = KeyRing.load(keys / "ring.key")
    install_ring(ring)
    install_vault(Vault.at(keys / "vault.db", ring))
    engine = ColourEngine(version="2")
    engine.meanwhile = lambda: os.kill(os.getpid(), signal.SIGKILL) if len(engine.seen) == 3 else None
    reembedder = Reembedder(Database(url), MediaStore(media_folder, ring), engine, VirtualClock(NOON))
    while True:
        reembedder.step()


def test_process_that_is_killed_in_the_middle_loses_one_photo_for_a_minute(either_estate, tmp_path):
    estate = either_estate
    for number in range(5):
        estate.enrol(f"p{number}", RED)
    # Forked: what the child opens is its own.
    child = multiprocessing.get_context("fork").Process(
        target=_work_until_killed, args=(estate.database.url, tmp_path / "media", tmp_path / "keys")
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert estate.progress() == ("running", 5, 2, 0)
    estate.clock.advance(photos.LOST_AFTER.total_seconds())
    estate.work()
    assert estate.progress() == ("done", 5, 5, 0)
    assert estate.templates(estate.new) == {f"p{number}": 1 for number in range(5)}

"""A gallery in memory follows its registry: in place, within a refresh, and forgets who was erased."""

import datetime as dt

import numpy as np
import pytest
from gallery_world import HandEngine, towards
from sqlalchemy import delete, update

from recognition.gallery import REFRESH_S
from registry.faces import galleries, reading, revisions, templates
from registry.faces.models import GalleryRevision
from registry.models import Household, Person
from registry.people import households
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, ELSEWHERE

ANN, BOB = towards(1), towards(0, 1)


def names(gallery):
    return set(gallery.persons)


def nearest(gallery, vector):
    return gallery.search(vector)[0].person_id


def holders(town):
    with town.database.read() as session:
        return {h.worker: h.revision for h in galleries.holders(session, COMPOUND, town.clock.now())}


def test_a_change_is_there_within_a_second():
    assert REFRESH_S <= 1.0


def test_newcomer_is_found_and_nobody_else_is_read_again(either_town, monkeypatch):
    town = either_town
    town.enrol("ann", ANN)
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    asked = []
    read = reading.vectors
    monkeypatch.setattr(reading, "vectors", lambda *args: asked.append(set(args[-1])) or read(*args))
    made = town.enrol("bob", BOB)
    keeper.refresh()
    assert keeper.gallery(COMPOUND, town.engine) is gallery
    assert nearest(gallery, BOB) == "bob"
    assert asked == [{made}]
    assert keeper.revision(COMPOUND) == town.revision()


def test_withdrawn_face_leaves_memory_with_the_next_refresh(either_town):
    town = either_town
    town.enrol("ann", ANN)
    town.enrol("bob", BOB)
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    town.withdraw("ann")
    assert names(gallery) == {"ann", "bob"}
    keeper.refresh()
    assert names(gallery) == {"bob"}
    assert not (gallery._rows._matrix @ ANN).any()
    assert holders(town) == {"w1": town.revision()}


def test_look_after_a_withdrawal_never_sees_it_even_without_a_refresh(town):
    town.enrol("ann", ANN)
    keeper = town.keeper()
    keeper.gallery(COMPOUND, town.engine)
    town.withdraw("ann")
    assert keeper.gallery(COMPOUND, town.engine).search(ANN) == ()


def test_template_that_came_and_went_between_two_refreshes_is_not_there(town):
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    town.enrol("ann", ANN)
    town.withdraw("ann")
    town.enrol("ann", BOB)
    keeper.refresh()
    assert len(gallery) == 1
    assert gallery.search(BOB)[0].distance == 0.0


def test_household_and_age_are_followed_without_opening_a_vector(either_town, monkeypatch):
    town = either_town
    town.enrol("ann", ANN)
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    monkeypatch.setattr(reading, "vectors", lambda *_: pytest.fail("nothing had to be opened"))
    with town.database.write() as session:
        home = households.create(session, COMPOUND, head="ann", today=NOON.date()).id
    keeper.refresh()
    assert gallery.search(ANN)[0].household_id == home
    with town.database.write() as session:
        ann = session.get_one(Person, "ann")
        households.leave(session, ann, ann.version)
    keeper.refresh()
    assert gallery.search(ANN)[0].household_id is None
    with town.database.write() as session:
        households.join(
            session,
            session.get_one(Household, home),
            ann := session.get_one(Person, "ann"),
            ann.version,
            today=NOON.date(),
        )
    keeper.refresh()
    assert gallery.search(ANN)[0].household_id == home


def test_revision_without_a_word_has_the_gallery_read_anew(either_town):
    town = either_town
    town.enrol("ann", ANN)
    town.enrol("bob", BOB)
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    with town.database.write() as session:
        # As a restored backup does: rows are others than they were, and nobody wrote down which.
        session.execute(delete(templates.FaceTemplate).where(templates.FaceTemplate.person == "ann"))
        session.execute(update(GalleryRevision).values(revision=GalleryRevision.revision + 1))
    keeper.refresh()
    assert names(gallery) == {"bob"}


def test_revision_that_went_back_has_the_gallery_read_anew(town):
    town.enrol("ann", ANN)
    town.enrol("bob", BOB)
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    with town.database.write() as session:
        session.execute(delete(templates.FaceTemplate).where(templates.FaceTemplate.person == "bob"))
        session.execute(update(GalleryRevision).values(revision=1))
    keeper.refresh()
    assert names(gallery) == {"ann"}
    assert keeper.revision(COMPOUND) == 1


def test_process_that_slept_longer_than_changes_are_kept_reads_anew(town):
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    town.enrol("ann", ANN)
    with town.database.write() as session:
        revisions.clear_away(session, dt.datetime.now(dt.UTC) + revisions.KEPT + dt.timedelta(seconds=1))
    keeper.refresh()
    assert names(gallery) == {"ann"}


def test_following_that_broke_off_is_done_again(town, monkeypatch):
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    town.enrol("ann", ANN)
    with monkeypatch.context() as broken:
        broken.setattr(reading, "vectors", lambda *_: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):
            keeper.refresh()
    assert keeper.revision(COMPOUND) == 0
    keeper.refresh()
    assert names(gallery) == {"ann"}


def test_template_whose_key_is_shredded_is_left_out(town):
    made = town.enrol("ann", ANN)
    with town.database.read() as session:
        consent = session.get_one(templates.FaceTemplate, made).consent
    town.vault.shred([consent], NOON)
    assert names(town.keeper().gallery(COMPOUND, town.engine)) == set()


def test_child_is_one_until_the_day_of_the_birthday(town):
    town.enrol("ann", ANN, under_14=True, turns_14_on=(NOON + dt.timedelta(days=1)).date())
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    assert gallery.children == {"ann"}
    town.clock.advance(24 * 3600)
    keeper.refresh()
    assert gallery.children == set()


def test_only_templates_of_the_engine_asked_for_are_compared(town):
    other = HandEngine(version="2")
    town.enrol("ann", ANN)
    town.enrol("ann", BOB, engine=other)
    keeper = town.keeper()
    first = keeper.gallery(COMPOUND, town.engine)
    town.enrol("bob", BOB, engine=other)
    keeper.refresh()
    assert names(first) == {"ann"}
    assert names(keeper.gallery(COMPOUND, other)) == {"ann", "bob"}
    assert holders(town).keys() == {"w1"}


def test_compounds_have_galleries_of_their_own(town):
    town.enrol("ann", ANN)
    keeper = town.keeper()
    assert names(keeper.gallery(ELSEWHERE, town.engine)) == set()
    assert names(keeper.gallery(COMPOUND, town.engine)) == {"ann"}


def test_holder_is_entered_before_it_reads_and_leaves_when_it_closes(town, monkeypatch):
    seen = []
    read = reading.faces
    monkeypatch.setattr(
        reading, "faces", lambda *args, **more: seen.append(holders(town)) or read(*args, **more)
    )
    keeper = town.keeper()
    keeper.refresh()
    assert holders(town) == {}
    keeper.gallery(COMPOUND, town.engine)
    assert seen == [{"w1": -1}]
    keeper.refresh()
    assert holders(town) == {"w1": town.revision()}
    keeper.close()
    assert holders(town) == {}
    assert keeper.revision(COMPOUND) == -1


def test_holder_that_has_nothing_new_to_say_says_so_often_enough_to_count(town):
    keeper = town.keeper()
    keeper.gallery(COMPOUND, town.engine)
    for _ in range(200):
        town.clock.advance(1.0)
        keeper.refresh()
        assert holders(town) == {"w1": 0}


def test_unit_engine_has_one_row_a_person_and_another_one_a_template(town):
    town.enrol("ann", ANN)
    town.enrol("ann", BOB)
    assert len(town.keeper().gallery(COMPOUND, town.engine)._rows) == 1
    assert len(town.keeper().gallery(COMPOUND, HandEngine(unit=False))._rows) == 2


def test_gallery_is_what_the_registry_says_after_any_changes(either_town):
    town = either_town
    rng = np.random.default_rng(5)
    keeper = town.keeper()
    gallery = keeper.gallery(COMPOUND, town.engine)
    people = [f"p{n}" for n in range(6)]
    for step in range(40):
        person = str(rng.choice(people))
        if rng.random() < 0.3 and town.templates().get(person):
            town.withdraw(person)
        else:
            town.enrol(person, towards(*rng.normal(size=4)))
        if step % 3 == 0:
            keeper.refresh()
    keeper.refresh()
    fresh = town.keeper("w2").gallery(COMPOUND, town.engine)
    assert gallery.templates == fresh.templates
    assert gallery.search(ANN, top=9) == fresh.search(ANN, top=9)

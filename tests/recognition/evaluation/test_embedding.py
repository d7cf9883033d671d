import numpy as np
import pytest

from recognition.evaluation.embedding import EmbeddingCache, Look, look_at_all
from recognition.evaluation.labels import Kind, read_labels
from recognition.evaluation.people import people_of


@pytest.fixture
def folder(tmp_path, portrait_bytes, portrait, jpeg):
    rows = ["file,identity,source,group,kind"]
    for name, identity, kind in (
        ("obama.jpg", "obama", "photo"),
        ("obama2.jpg", "obama", "photo 250x250"),
        ("biden.jpg", "biden", "masked"),
    ):
        (tmp_path / name).write_bytes(portrait_bytes(name))
        rows.append(f"{name},{identity},portraits,,{kind}")
    crop = portrait("biden.jpg")[:112, :112]
    for name, identity, data, kind in (
        ("crop.jpg", "obama", jpeg(np.ascontiguousarray(crop)), "aligned 112x112"),
        ("grey.jpg", "grey", jpeg(np.full((200, 200, 3), 120, np.uint8)), "photo"),
        ("junk.jpg", "junk", b"junk", "photo"),
    ):
        (tmp_path / name).write_bytes(data)
        rows.append(f"{name},{identity},made,,{kind}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


class Counting:
    """Passes on to the real engine and counts what it was asked."""

    def __init__(self, engine):
        self._engine = engine
        self.name, self.version, self.dimension = engine.name, engine.version, engine.dimension
        self.detected = self.embedded = 0

    def detect(self, image):
        self.detected += 1
        return self._engine.detect(image)

    def embed(self, image, face):
        self.embedded += 1
        return self._engine.embed(image, face)

    def embed_aligned(self, crop):
        self.embedded += 1
        return self._engine.embed_aligned(crop)


def test_every_kind_is_looked_at_in_its_own_way(engine, folder):
    asked = Counting(engine)
    looked = {one.picture.path.name: one for one in look_at_all(asked, read_labels(folder))}
    assert looked["obama.jpg"].look is Look.FOUND
    assert looked["grey.jpg"].look is Look.NO_FACE
    assert looked["junk.jpg"].look is Look.UNREADABLE
    # A covered face is looked for and never compared; an aligned crop is compared as it is.
    assert looked["biden.jpg"].vector is None
    assert looked["crop.jpg"].look is Look.FOUND
    assert (asked.detected, asked.embedded) == (4, 3)
    assert np.linalg.norm(looked["obama.jpg"].vector - looked["obama2.jpg"].vector) < 0.35


def test_a_second_run_embeds_nothing_and_finds_the_same(engine, folder, tmp_path):
    kept = tmp_path / "cache"
    first = look_at_all(engine, read_labels(folder), cache=EmbeddingCache(kept, engine))
    asked = Counting(engine)
    again = look_at_all(asked, read_labels(folder), cache=EmbeddingCache(kept, engine))
    assert asked.embedded == 0
    assert asked.detected == 1  # the masked one: what finds covered faces changes without the engine
    assert [one.look for one in again] == [one.look for one in first]
    for a, b in zip(first, again, strict=True):
        assert (a.vector is None) == (b.vector is None)
        assert a.vector is None or np.array_equal(a.vector, b.vector)


def test_another_version_of_the_engine_has_a_cache_of_its_own(engine, folder, tmp_path):
    kept = tmp_path / "cache"
    look_at_all(engine, read_labels(folder), cache=EmbeddingCache(kept, engine))
    other = Counting(engine)
    other.version = "another"
    look_at_all(other, read_labels(folder), cache=EmbeddingCache(kept, other))
    assert other.embedded == 3


def test_whoever_has_aligned_crops_is_known_by_those_alone(engine, folder):
    """The photos may be what the crops were cut from: the same picture twice would flatter the engine."""
    people = people_of(look_at_all(engine, read_labels(folder)))
    assert people.names == ("obama",)
    assert people.kinds == (Kind.ALIGNED,)
    assert len(people.embeddings[0]) == 1


def test_aliases_join_and_leave_out_identities(engine, folder):
    looked = look_at_all(engine, read_labels(folder))
    assert people_of(looked, {"obama": "president"}).names == ("president",)
    assert people_of(looked, {"obama": ""}).names == ()

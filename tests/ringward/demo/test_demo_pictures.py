import random
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select

from recognition import images
from recognition.calibration import Calibrations
from recognition.engines import DlibEngine
from recognition.plates import OnnxPlateReader
from registry.models import Consent, ConsentPurpose, FaceTemplate
from ringward.demo import DemoPictures, EnrolmentFailedError, PortraitMissingError, cast, enrol_demo
from ringward.demo.pictures import CAPTURES
from ringward.demo.plate_scenes import plate_scene
from ringward.demo.population import new_plate
from ringward.demo.portraits import RESIDENT_A, RESIDENT_B, STRANGER, load

PEOPLE = {RESIDENT_A: cast.RESIDENT_A, RESIDENT_B: cast.RESIDENT_B}


@pytest.fixture(scope="module")
def engine() -> DlibEngine:
    return DlibEngine()


@pytest.fixture(scope="module")
def pictures(portraits_dir) -> DemoPictures:
    return DemoPictures(portraits_dir, seed=3)


@pytest.fixture(scope="module")
def enrolled(home, engine, portraits_dir) -> dict[str, np.ndarray]:
    """Vectors of the enrolled residents, by person; enrolled in the shared compound."""
    enrol_demo(home.database, home.media, portraits_dir, home.clock, engine=engine)
    vectors: dict[str, list[np.ndarray]] = {}
    for template in home.rows(FaceTemplate):
        vectors.setdefault(template.person, []).append(np.frombuffer(template.embedding, "<f4"))
    return {person: np.stack(found) for person, found in vectors.items()}


def test_all_plates_of_the_story_and_18_of_20_random_ones_are_read() -> None:
    reader, rng = OnnxPlateReader(), random.Random("plates")
    story = [*cast.REGISTERED_PLATES, *cast.FOREIGN_PLATES, cast.PLATE_COURIER]
    drawn = [new_plate(rng) for _ in range(20)]

    def read(plate: str) -> str | None:
        picture = images.decode(plate_scene(plate, random.Random(plate)))
        assert isinstance(picture, images.Picture)
        assert (picture.width, picture.height) == (1280, 720)
        found = reader.read(picture.rgb)
        return found[0].text if found else None

    assert [read(plate) for plate in story] == story
    assert sum(read(plate) == plate for plate in drawn) >= 18


def test_green_plates_look_green_and_blue_ones_blue() -> None:
    reader = OnnxPlateReader()
    for plate, colour in ((cast.PLATE_B, "green"), (cast.PLATE_A, "blue")):
        (read,) = reader.read(images.decode(plate_scene(plate, random.Random(1))).rgb)
        assert read.colour == colour


def test_every_capture_of_the_story_shows_one_good_face(pictures, engine, enrolled) -> None:
    """Residents lie within the threshold of their own photos and far from the other's; the stranger from both."""
    thresholds = Calibrations().of(engine).thresholds(len(enrolled), 1e-3)
    for role in (RESIDENT_A, RESIDENT_B, STRANGER):
        for _ in range(CAPTURES):
            picture = images.decode(pictures.face(role))
            assert (picture.width, picture.height) == (640, 480)
            faces = engine.detect(picture.rgb)
            assert len(faces) == 1
            assert faces[0].quality.usable
            vector = engine.embed(picture.rgb, faces[0])
            for person, known in enrolled.items():
                distance = float(np.linalg.norm(known - vector, axis=1).min())
                if PEOPLE.get(role) == person:
                    assert distance <= thresholds.identify - 0.1
                else:
                    assert distance > thresholds.unknown + 0.1


def test_captures_differ_and_come_round(pictures) -> None:
    first = [pictures.face(RESIDENT_A) for _ in range(CAPTURES)]
    assert len(set(first)) == CAPTURES
    assert [pictures.face(RESIDENT_A) for _ in range(CAPTURES)] == first


def test_same_seed_draws_the_same_pictures(portraits_dir) -> None:
    one, two, other = (DemoPictures(portraits_dir, seed=seed) for seed in (5, 5, 6))
    assert one.plate(cast.PLATE_A) == two.plate(cast.PLATE_A) != other.plate(cast.PLATE_A)
    assert one.face(STRANGER) == two.face(STRANGER) != other.face(STRANGER)


def test_missing_portrait_is_named(tmp_path: Path) -> None:
    with pytest.raises(PortraitMissingError) as missing:
        DemoPictures(tmp_path)
    assert missing.value.file == "obama.jpg"
    assert str(tmp_path) in str(missing.value)
    (tmp_path / "obama.jpg").write_bytes(b"not a picture")
    with pytest.raises(PortraitMissingError, match="not a readable picture"):
        load(RESIDENT_B, tmp_path)


def test_enrolment_has_consent_three_templates_and_the_photo(home, engine, enrolled) -> None:
    assert set(enrolled) == set(PEOPLE.values())
    assert all(vectors.shape == (3, 128) for vectors in enrolled.values())
    consents = {consent.id: consent for consent in home.rows(Consent)}
    for template in home.rows(FaceTemplate):
        consent = consents[template.consent]
        assert (consent.person, consent.purpose) == (template.person, ConsentPurpose.FACE_ACCESS)
        assert (template.engine, template.engine_version) == (engine.name, engine.version)
        assert isinstance(images.decode(home.media.get(template.media_id)), images.Picture)


def face_consents(of) -> int:
    return sum(consent.purpose == ConsentPurpose.FACE_ACCESS for consent in of.rows(Consent))


def test_enrolling_again_changes_nothing(home, engine, enrolled, portraits_dir) -> None:
    assert enrol_demo(home.database, home.media, portraits_dir, home.clock, engine=engine) == 0
    assert len(home.rows(FaceTemplate)) == 6
    assert face_consents(home) == 2


class BlindEngine:
    name, version, metric, dimension = "blind", "1", "l2", 128

    def detect(self, image):
        return []

    def embed(self, image, face):
        raise AssertionError("there is no face to embed")


def test_portrait_without_a_face_is_refused(own_home, portraits_dir) -> None:
    with pytest.raises(EnrolmentFailedError) as refused:
        enrol_demo(own_home.database, own_home.media, portraits_dir, own_home.clock, engine=BlindEngine())
    assert refused.value.reasons == ("no_face",)
    assert own_home.rows(FaceTemplate) == []


def test_enrolment_goes_on_where_it_was_broken_off(own_home, portraits_dir, engine) -> None:
    arguments = (own_home.database, own_home.media, portraits_dir, own_home.clock)
    assert enrol_demo(*arguments, engine=engine) == 6
    with own_home.database.write() as session:
        lost = session.scalars(select(FaceTemplate.id).where(FaceTemplate.person == cast.RESIDENT_B)).all()[
            1:
        ]
        session.execute(delete(FaceTemplate).where(FaceTemplate.id.in_(lost)))
    assert enrol_demo(*arguments, engine=engine) == 2
    assert len(own_home.rows(FaceTemplate)) == 6
    assert face_consents(own_home) == 2

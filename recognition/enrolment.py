"""From a portrait to a template that may be enrolled, or to the reason why not.

Enrolment is stricter than recognition: one poor template makes trouble at every gate for
years, while a refused photo is taken again in a minute.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recognition.engines import FaceEngine, UselessEmbeddingError
from recognition.images import BrokenPicture, decode
from recognition.quality import QualityReport
from registry.faces import templates
from registry.faces.templates import Embedding
from registry.models import FaceTemplate, Person
from storage import Clock, Database, MediaStore


@dataclass(frozen=True, slots=True)
class RefusedPortrait:
    """Why a portrait cannot be enrolled: codes of the picture, the face or its quality."""

    reasons: tuple[str, ...]
    quality: QualityReport | None = None


def embed_portrait(engine: FaceEngine, photo: bytes) -> Embedding | RefusedPortrait:
    """Template of the one face in a JPEG or PNG; never raises for a bad picture.

    Consent is checked where the template is stored, by ``registry.faces.templates.enrol``.
    """
    picture = decode(photo)
    if isinstance(picture, BrokenPicture):
        return RefusedPortrait((picture.reason.value,))
    faces = engine.detect(picture.rgb)
    if len(faces) != 1:
        # With two faces the template could be of the wrong person.
        return RefusedPortrait(("several_faces",) if faces else ("no_face",))
    face = faces[0]
    if face.quality.reasons:
        return RefusedPortrait(face.quality.reasons, face.quality)
    try:
        vector = engine.embed(picture.rgb, face)
    except UselessEmbeddingError:
        return RefusedPortrait(("embedding_useless",), face.quality)
    return Embedding(
        engine.name, engine.version, engine.dimension, vector.astype("<f4").tobytes(), face.quality.score
    )


class PersonNotFoundError(LookupError):
    """There is no such person in the registry."""

    def __init__(self, person_id: str) -> None:
        super().__init__(f"no person {person_id}")
        self.person_id = person_id


class PhotoRefusedError(Exception):
    """The photo cannot become a template; `code` is the first reason why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"photo refused: {code}")
        self.code = code


def enrol_photo(
    database: Database,
    media: MediaStore,
    engine: FaceEngine,
    clock: Clock,
    person_id: str,
    photo: bytes,
    *,
    beside: Callable[[str], Sequence[FaceEngine]] = lambda _: (),
) -> FaceTemplate:
    """Makes and stores a template; nothing is kept when it cannot be.

    ``beside`` says of a compound which engines have to make one as well, because the gallery is on
    its way from one to the other: see `recognition.reembedding`. A photo has to suit all of them.

    Raises `PersonNotFoundError`, `PhotoRefusedError` and what `registry.faces.templates.enrol` raises.
    """
    # Consent before anything is computed: not even a passing embedding without it.
    with database.read() as session:
        person = session.get(Person, person_id)
        if person is None:
            raise PersonNotFoundError(person_id)
        templates.consent_to_enrol(session, person, clock.now())
        compound = person.compound
    embedding = _embedded(engine, photo)
    others = [_embedded(other, photo) for other in beside(compound)]
    with database.write() as session:
        person = session.get(Person, person_id)
        if person is None:
            raise PersonNotFoundError(person_id)
        consent = templates.consent_to_enrol(session, person, clock.now())
        # Sealed with the consent's key, like the template: withdrawn from backups too.
        stored = media.put(photo, subject=consent.id)
        for other in others:
            by = other.engine, other.engine_version
            if not templates.has_photo(session, person.id, stored.media_id, *by):
                templates.enrol(session, person, other, media_id=stored.media_id, at=clock.now())
        return templates.enrol(session, person, embedding, media_id=stored.media_id, at=clock.now())


def _embedded(engine: FaceEngine, photo: bytes) -> Embedding:
    embedding = embed_portrait(engine, photo)
    if isinstance(embedding, RefusedPortrait):
        raise PhotoRefusedError(embedding.reasons[0])
    return embedding

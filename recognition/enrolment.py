"""From a portrait to a template that may be enrolled, or to the reason why not.

Enrolment is stricter than recognition: one poor template makes trouble at every gate for
years, while a refused photo is taken again in a minute.
"""

from dataclasses import dataclass

from recognition.faces import FaceEngine
from recognition.images import BrokenPicture, decode
from recognition.quality import QualityReport
from registry.templates import Embedding


@dataclass(frozen=True, slots=True)
class RefusedPortrait:
    """Why a portrait cannot be enrolled: codes of the picture, the face or its quality."""

    reasons: tuple[str, ...]
    quality: QualityReport | None = None


def embed_portrait(engine: FaceEngine, photo: bytes) -> Embedding | RefusedPortrait:
    """Template of the one face in a JPEG or PNG; never raises for a bad picture.

    Consent is checked where the template is stored, by ``registry.templates.enrol``.
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
    vector = engine.embed(picture.rgb, face)
    return Embedding(
        engine.name, engine.version, engine.dimension, vector.astype("<f4").tobytes(), face.quality.score
    )

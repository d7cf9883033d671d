"""A compound whose people are enrolled from photos by engines that see colours."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from sqlalchemy import select

from recognition.engines import DetectedFace, UselessEmbeddingError
from recognition.enrolment import enrol_photo
from recognition.framing import Box
from recognition.models import EmbeddingRun
from recognition.points import FacePoints
from recognition.quality import QualityReport
from recognition.reembedding import ChosenEngines, Reembedder
from recognition.reembedding.choice import EngineKey
from registry.faces import consents
from registry.models import ConsentPurpose, FaceTemplate, GivenBy, Person
from tests.support import resident
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import settle_in


def photo(red, green, blue):
    """A picture of one colour, as JPEG."""
    picture = np.full((64, 64, 3), (blue, green, red), np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


DARK = photo(0, 0, 0)


@dataclass
class ColourEngine:
    """Embeds a picture as its mean colour. In a dark one it finds no face, if it is the weak kind."""

    name: str = "colours"
    version: str = "1"
    weak: bool = False
    metric: str = "l2"
    dimension: int = 3
    unit: bool = True
    seen: list = field(default_factory=list)
    # What happens while it looks.
    meanwhile: object = None
    numbers: bool = True

    def detect(self, image, view=None):
        self.seen.append(image.shape)
        if self.meanwhile is not None:
            self.meanwhile()
        if self.weak and image.mean() < 10:
            return []
        quality = QualityReport(0.9, (), 60, 100.0, 100.0, 50.0, 0.0, 0.0)
        eyes = FacePoints((20.0, 20.0), (40.0, 20.0), (30.0, 30.0))
        return [DetectedFace(Box(0, 0, 64, 64), (), eyes, 64, quality)]

    def embed(self, image, face):
        if not self.numbers:
            raise UselessEmbeddingError
        colour = image.reshape(-1, 3).mean(axis=0) + 1.0
        # Each version has directions of its own: what they make cannot be compared.
        turned = np.roll(colour, int(self.version)).astype(np.float32)
        return turned / np.linalg.norm(turned)

    def embed_aligned(self, crop):
        return self.embed(crop, None)


class Estate:
    """What tests do with it, by name."""

    def __init__(self, database, media, vault):
        self.database = database
        self.media = media
        self.vault = vault
        self.clock = VirtualClock(NOON)
        self.former = ColourEngine(version="1")
        self.new = ColourEngine(version="2", weak=True)
        settle_in(database)

    def enrol(self, person_id, picture, *, engine=None, beside=lambda _: (), **facts):
        with self.database.write() as session:
            if session.get(Person, person_id) is None:
                person = resident.person(session, person_id, "某某", **facts)
                consents.give(
                    session,
                    person,
                    ConsentPurpose.FACE_ACCESS,
                    wording="I agree.",
                    channel="counter",
                    given_by=GivenBy.GUARDIAN if person.under_14 else GivenBy.SELF,
                    at=NOON,
                )
        return enrol_photo(
            self.database,
            self.media,
            engine or self.former,
            self.clock,
            person_id,
            picture,
            beside=beside,
        )

    def withdraw(self, person_id):
        with self.database.write() as session:
            person = session.get_one(Person, person_id)
            consents.withdraw(session, person, ConsentPurpose.FACE_ACCESS, self.clock.now())

    def reembedder(self, engine=None):
        return Reembedder(self.database, self.media, engine or self.new, self.clock)

    def chosen(self, configured=None, *formers):
        known = {EngineKey.of(engine): engine for engine in formers or (self.former,)}
        return ChosenEngines(configured or self.new, known.get, self.database)

    def templates(self, engine):
        """Person -> how many templates of an engine."""
        query = select(FaceTemplate.person).where(
            FaceTemplate.engine == engine.name, FaceTemplate.engine_version == engine.version
        )
        with self.database.read() as session:
            found = session.scalars(query).all()
        return {person: found.count(person) for person in found}

    def progress(self):
        """State, total, done, refused of the last run."""
        last = select(EmbeddingRun).order_by(EmbeddingRun.started_at.desc(), EmbeddingRun.id.desc())
        with self.database.read() as session:
            found = session.scalars(last).first()
            return found and (str(found.state), found.total, found.done, found.refused)

    def work(self, reembedder=None, steps=200):
        """Until there is nothing to do; how many steps did something."""
        reembedder = reembedder or self.reembedder()
        for done in range(steps):
            if not reembedder.step():
                return done
        raise AssertionError("it never ends")

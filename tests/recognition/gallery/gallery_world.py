"""A compound whose people are enrolled with vectors made by hand."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from recognition.gallery import GalleryKeeper
from registry.faces import consents, templates
from registry.faces.templates import Embedding
from registry.models import ConsentPurpose, FaceTemplate, GivenBy, Person
from tests.support import resident
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import COMPOUND, settle_in

DIMENSION = 4


@dataclass
class HandEngine:
    """An engine whose templates are made by hand."""

    name: str = "byhand"
    version: str = "1"
    dimension: int = DIMENSION
    unit: bool = True
    metric: str = "l2"


def towards(*numbers):
    vector = np.zeros(DIMENSION, np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.linalg.norm(vector)


class Town:
    """What tests do with it, by name."""

    def __init__(self, database, vault):
        self.database = database
        self.vault = vault
        self.clock = VirtualClock(NOON)
        self.engine = HandEngine()
        settle_in(database)

    def keeper(self, name="w1", **more):
        return GalleryKeeper(self.database, self.clock, name, **more)

    def enrol(self, person_id, vector, *, engine=None, media_id=None, **facts):
        """Enrols a person, who is registered and consents where that is still to be done."""
        engine = engine or self.engine
        with self.database.write() as session:
            person = session.get(Person, person_id) or resident.person(session, person_id, "某某", **facts)
            if consents.active(session, person_id, ConsentPurpose.FACE_ACCESS) is None:
                given_by = GivenBy.GUARDIAN if person.under_14 else GivenBy.SELF
                consents.give(
                    session,
                    person,
                    ConsentPurpose.FACE_ACCESS,
                    wording="I agree.",
                    channel="counter",
                    given_by=given_by,
                    at=NOON,
                )
            embedding = Embedding(
                engine.name, engine.version, len(vector), vector.astype("<f4").tobytes(), 0.9
            )
            return templates.enrol(session, person, embedding, media_id=media_id, at=NOON).id

    def withdraw(self, person_id):
        with self.database.write() as session:
            person = session.get_one(Person, person_id)
            consents.withdraw(session, person, ConsentPurpose.FACE_ACCESS, self.clock.now())

    def revision(self):
        with self.database.read() as session:
            return templates.revision(session, COMPOUND)

    def templates(self, *, engine=None):
        """Person -> how many templates of an engine."""
        engine = engine or self.engine
        query = select(FaceTemplate.person).where(
            FaceTemplate.engine == engine.name, FaceTemplate.engine_version == engine.version
        )
        with self.database.read() as session:
            found = session.scalars(query).all()
        return {person: found.count(person) for person in found}

"""Enrols the two residents of the story: consent first, then three templates each."""

import random
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from recognition.engines import DlibEngine, FaceEngine
from recognition.enrolment import RefusedPortrait, embed_portrait
from registry.faces import consents, templates
from registry.models import ConsentPurpose, FaceTemplate, GivenBy, Person
from ringward.demo import cast, portraits
from ringward.demo.face_scenes import augment
from storage import Clock, Database, MediaStore

TEMPLATES: Final = 3
"""Photos a person. One is not enough: a template is only as good as its photo."""

WORDING: Final = (
    "本人单独同意小区采集并保存本人面部特征,仅用于出入口和楼栋门禁的身份识别;可随时撤回,撤回即删除,"
    "不同意不影响使用门卡、密码或人工方式出入。"
)

_PEOPLE: Final = ((cast.RESIDENT_A, portraits.RESIDENT_A), (cast.RESIDENT_B, portraits.RESIDENT_B))


class EnrolmentFailedError(Exception):
    """No usable face in an enrolment photo. `reasons` are the codes of what is wrong with it."""

    def __init__(self, person_id: str, reasons: tuple[str, ...]) -> None:
        super().__init__(f"no usable face for {person_id}: {', '.join(reasons)}")
        self.person_id = person_id
        self.reasons = reasons


def enrol_demo(
    database: Database,
    media: MediaStore,
    portraits_dir: Path,
    clock: Clock,
    *,
    engine: FaceEngine | None = None,
) -> int:
    """Gives each of the two the templates of this engine that are missing; returns how many were made.

    The compound must exist. Raises `PortraitMissingError` and `EnrolmentFailedError`.
    """
    engine = engine or DlibEngine()
    made = 0
    for person_id, role in _PEOPLE:
        with database.read() as session:
            if session.get_one(Person, person_id).erased_at is not None:
                # Whoever tries erasure on the demo's people wants them to stay erased.
                continue
        have = _prepare(database, clock, engine, person_id)
        # A start that was broken off half-way goes on where it stopped.
        for photo in _photos(role, portraits_dir)[have:]:
            # Embedding takes a tenth of a second; it is done before the write lock is taken.
            embedding = _embed(engine, person_id, photo)
            with database.write() as session:
                person = session.get_one(Person, person_id)
                stored = media.put(photo, subject=person_id)
                templates.enrol(session, person, embedding, media_id=stored.media_id, at=clock.now())
            made += 1
    return made


def _prepare(database: Database, clock: Clock, engine: FaceEngine, person_id: str) -> int:
    """Sees to it that there is consent; returns how many templates there are already."""
    with database.write() as session:
        if consents.active(session, person_id, ConsentPurpose.FACE_ACCESS) is None:
            consents.give(
                session,
                session.get_one(Person, person_id),
                ConsentPurpose.FACE_ACCESS,
                wording=WORDING,
                channel="counter",
                given_by=GivenBy.SELF,
                at=clock.now(),
            )
        query = select(func.count()).where(
            FaceTemplate.person == person_id,
            FaceTemplate.engine == engine.name,
            FaceTemplate.engine_version == engine.version,
        )
        return session.scalar(query) or 0


def _embed(engine: FaceEngine, person_id: str, photo: bytes) -> templates.Embedding:
    embedding = embed_portrait(engine, photo)
    if isinstance(embedding, RefusedPortrait):
        raise EnrolmentFailedError(person_id, embedding.reasons)
    return embedding


def _photos(role: str, portraits_dir: Path) -> list[bytes]:
    """Photos as an enrolment desk would take them; where there is one portrait, three captures of it."""
    known = portraits.load(role, portraits_dir)
    return [
        augment(known[shot % len(known)], random.Random(f"enrolment {role} {shot}"))
        for shot in range(TEMPLATES)
    ]

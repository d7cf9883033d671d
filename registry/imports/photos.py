"""Photos as a ZIP: each is called after its person's number, and becomes a template with consent only.

What is wrong with one file is told of that file, and the others go on. A file's name may
hold a person's name, so a fault says only which file of the archive it is about.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final, Protocol

from sqlalchemy import delete, select

from registry.faces import consents, revisions, templates
from registry.faces.models import ConsentPurpose, FaceTemplate
from registry.imports import archives
from registry.imports.faults import Fault, FileRefusedError
from registry.imports.jobs import Order, end, keep_faults
from registry.imports.models import ImportChange, ImportState
from registry.imports.pulse import Progress, Pulse
from registry.people.models import Person
from storage import Clock, Database

KIND: Final = "photos"
PHOTO_MAX: Final = 8 << 20
# A compound's worth of photos; nothing of it is in memory at once.
ARCHIVE_MAX: Final = 4 << 30
_PHOTO: Final = re.compile(r"\.(?:jpe?g|png)$", re.IGNORECASE)
# What file managers leave in an archive.
_LITTER: Final = re.compile(r"(?:^|/)(?:__MACOSX/|\.|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_NAMES_ARE_UTF8: Final = 0x800


class PhotoFaultError(Exception):
    """A photo cannot become a template; `code` says why (`no_face`, `several_faces`, `blurred` …)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PhotoEnroller(Protocol):
    """Makes a template of a photo in a transaction of its own; returns the template's id.

    Raises `PhotoFaultError`, and `registry.faces.templates.ConsentMissingError`.
    """

    def __call__(self, person_id: str, photo: bytes) -> str: ...


@dataclass(frozen=True, slots=True)
class _Photo:
    number: int
    info: zipfile.ZipInfo
    external_ids: tuple[str, ...]


def run(
    database: Database,
    job: str,
    order: Order,
    archive: BinaryIO,
    clock: Clock,
    enrol: PhotoEnroller,
    progress: Progress = lambda _state, _done, _total: None,
) -> ImportState:
    """Does a job that was begun with the kind `photos`; returns how it ended.

    It is always partly: a good photo goes in although another is bad. A dry run looks for
    the person and the consent, and not at the photo.
    """
    try:
        opened = archives.opened(archive, total_max=ARCHIVE_MAX)
    except FileRefusedError as error:
        told = {"error": error.code, "error_facts": error.facts}
        return end(database, job, order, clock, ImportState.REFUSED, **told)
    pulse = Pulse(database, job, clock, progress)
    faults: list[Fault] = []
    members = [m for m in archives.members(opened) if m.refused or not _LITTER.search(m.name)]
    photos = [photo for member in members if (photo := _photo(member, faults)) is not None]
    pulse.total = len(photos)
    pulse.set(ImportState.APPLYING)
    counts: Counter[str] = Counter(created=0, unchanged=0)
    for done, photo in enumerate(photos, start=1):
        fault = _take(database, job, order, opened, photo, enrol, counts)
        if fault is not None:
            faults.append(fault)
        pulse.beat(done)
    keep_faults(database, order.compound, job, sorted(faults, key=lambda fault: fault.row))
    rows = {"read": len(members), "good": len(members) - len(faults), "refused": len(faults)}
    return end(
        database,
        job,
        order,
        clock,
        ImportState.CHECKED if order.dry_run else ImportState.APPLIED,
        counts={"rows": rows, "face_templates": dict(counts)},
        faults=len(faults),
        rows_total=len(photos),
        rows_done=len(photos),
    )


def _photo(member: archives.Member, faults: list[Fault]) -> _Photo | None:
    if member.refused is not None:
        faults.append(Fault(member.number, None, member.refused))
        return None
    name = _name(member.info)
    if not _PHOTO.search(name):
        faults.append(Fault(member.number, None, "unsupported_type"))
        return None
    if member.info.file_size > PHOTO_MAX:
        faults.append(Fault(member.number, None, "photo_too_large", {"maximum_mb": PHOTO_MAX >> 20}))
        return None
    stem = PurePosixPath(name).stem.strip()
    # 编号_姓名.jpg is how terminals' own tools want it.
    return _Photo(member.number, member.info, tuple(dict.fromkeys((stem, stem.split("_")[0].strip()))))


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was written: old Windows programs write GBK and do not say so."""
    if info.flag_bits & _NAMES_ARE_UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return info.filename


def _take(
    database: Database,
    job: str,
    order: Order,
    archive: zipfile.ZipFile,
    photo: _Photo,
    enrol: PhotoEnroller,
    counts: Counter[str],
) -> Fault | None:
    """Enrols one photo; returns what is wrong with it."""
    with database.read() as session:
        query = select(Person.external_id, Person.id).where(
            Person.compound == order.compound,
            Person.external_id.in_(photo.external_ids),
            Person.erased_at.is_(None),
        )
        found = {row.external_id: row.id for row in session.execute(query)}
        # The whole name before a part of it.
        person = next((found[number] for number in photo.external_ids if number in found), None)
        if person is None:
            return Fault(photo.number, None, "photo_name")
        # Fail secure: without consent the engine does not even see the photo.
        if consents.active(session, person, ConsentPurpose.FACE_ACCESS) is None:
            return Fault(photo.number, None, "consent_missing")
    if order.dry_run:
        return None
    try:
        template = enrol(person, archives.read(archive, photo.info))
    except templates.ConsentMissingError:
        return Fault(photo.number, None, "consent_missing")
    except PhotoFaultError as error:
        return Fault(photo.number, None, error.code)
    except FileRefusedError as error:
        return Fault(photo.number, None, error.code)
    counts["created" if _keep(database, job, order, template) else "unchanged"] += 1
    return None


def _keep(database: Database, job: str, order: Order, template: str) -> bool:
    """Records a new template; one of a photo that is enrolled already goes again."""
    with database.write() as session:
        made = session.get_one(FaceTemplate, template)
        twin = (
            select(FaceTemplate.id)
            .where(
                FaceTemplate.person == made.person,
                FaceTemplate.media_id == made.media_id,
                FaceTemplate.engine == made.engine,
                FaceTemplate.engine_version == made.engine_version,
                FaceTemplate.id != made.id,
            )
            .limit(1)
        )
        if made.media_id is not None and session.scalar(twin) is not None:
            session.execute(delete(FaceTemplate).where(FaceTemplate.id == template))
            revisions.tell(session, order.compound, removed=[template])
            return False
        session.add(ImportChange(compound=order.compound, job=job, table="face_templates", row_id=template))
        return True


def members_of(archive: BinaryIO) -> Iterator[tuple[int, str]]:
    """Numbers and names of an archive's files, to say at the terminal which file a fault is about."""
    for member in archives.members(archives.opened(archive, total_max=ARCHIVE_MAX)):
        yield member.number, _name(member.info)

"""Brings a gallery in memory to what the registry says, changing no more than has changed."""

import datetime as dt
from collections.abc import Collection, Sequence

import numpy as np
from sqlalchemy.orm import Session

from recognition.engines.contract import TemplateKind
from recognition.gallery.index import Gallery, Template
from registry.faces import reading
from registry.faces.reading import Face
from registry.faces.revisions import Changes


def read_anew(
    session: Session, gallery: Gallery, compound: str, engine: TemplateKind, day: dt.date
) -> frozenset[str]:
    """All of it: who is there and what is known of them. Only vectors that are missing are opened.

    Returns the templates that were in the gallery and are no more.
    """
    faces = reading.faces(session, compound, engine.name, engine.version, day)
    gone = gallery.templates.difference(face.template_id for face in faces)
    for template_id in gone:
        gallery.remove(template_id)
    _take_in(session, gallery, compound, engine, faces)
    return gone


def follow(
    session: Session, gallery: Gallery, compound: str, engine: TemplateKind, day: dt.date, changes: Changes
) -> None:
    """What changed since. A template of another engine is none of ours; one that is gone already,
    because its removal will be told next, is removed now.
    """
    faces = reading.faces(session, compound, engine.name, engine.version, day, among=changes.changed)
    for template_id in changes.removed | changes.changed.difference(face.template_id for face in faces):
        gallery.remove(template_id)
    _take_in(session, gallery, compound, engine, faces)


def _take_in(
    session: Session, gallery: Gallery, compound: str, engine: TemplateKind, faces: Sequence[Face]
) -> None:
    missing = []
    for face in faces:
        if face.template_id in gallery:
            gallery.describe(face.person_id, face.household_id, under_14=face.under_14)
        else:
            missing.append(face)
    vectors = _vectors(session, compound, engine, [face.template_id for face in missing])
    for face in missing:
        # None: the key was shredded a moment ago, and the row is about to follow it.
        if (vector := vectors.get(face.template_id)) is not None:
            gallery.add(
                Template(
                    face.template_id,
                    face.person_id,
                    face.household_id,
                    np.frombuffer(vector, "<f4").astype(np.float32),
                    face.under_14,
                )
            )


def _vectors(
    session: Session, compound: str, engine: TemplateKind, templates: Collection[str]
) -> dict[str, bytes]:
    return reading.vectors(session, compound, engine.name, engine.version, templates) if templates else {}

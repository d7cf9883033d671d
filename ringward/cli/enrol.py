"""`ringward enrol`: a face template from a photo, with consent or not at all."""

from pathlib import Path
from typing import Annotated

import typer

from recognition import enrolment
from recognition.engines import ModelError
from registry.faces.templates import ConsentMissingError
from ringward.cli.common import console, fail, opened, settings
from ringward.faces import open_faces
from storage import audit


def enrol(
    person: Annotated[str, typer.Argument(help="Person id.")],
    photos: Annotated[list[Path], typer.Argument(help="JPEG or PNG files; three or more are better.")],
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Enrol a consenting person from photos.

    Example: ringward enrol p-000123 front.jpg left.jpg right.jpg
    """
    with opened(settings(data_dir=data_dir)) as ground:
        try:
            faces = open_faces(ground)
        except ModelError as error:
            raise fail(str(error)) from None
        for photo in photos:
            try:
                template = faces.enrol(ground, person, photo.read_bytes())
            except ConsentMissingError:
                raise fail(f"{person} has not consented to face access: nothing was stored") from None
            except enrolment.PersonNotFoundError:
                raise fail(f"no person {person}") from None
            except enrolment.PhotoRefusedError as refused:
                raise fail(f"{photo}: refused, {refused.code}") from None
            except OSError as error:
                raise fail(f"{photo}: {error.strerror}") from None
            with ground.database.write() as session:
                entry = audit.AuditEntry(
                    "cli", "administrator", "template.enrol", "enrolment", person, template.id
                )
                audit.append(session, ground.clock.now(), entry)
            console.print(f"{photo}: template {template.id}")

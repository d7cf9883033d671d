"""Files that people send: read only after it is clear that their sender may send them.

A file that is declared as a parameter is read before any dependency is asked, so anybody
could fill the disk. Here the body waits until the role was checked.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from console.accounts.models import User
from console.permissions import Action, may
from console.problems import ProblemError
from registry.imports.sheets import FILE_MAX

PHOTOS_MAX: Final = 256 << 20
_FORM_AROUND_IT: Final = 64 << 10

LARGEST: Final = {"/imports": FILE_MAX + _FORM_AROUND_IT, "/imports/photos": PHOTOS_MAX + _FORM_AROUND_IT}
"""Paths below the API whose bodies may be larger than others', in bytes."""


async def _file(request: Request, _: Annotated[User, may(Action.REGISTRY_IMPORT)]) -> UploadFile:
    form = await request.form(max_files=1, max_fields=4)
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise ProblemError(422, "file_missing", "The form has no file in its field `file`")
    return file


Sent = Annotated[UploadFile, Depends(_file)]
"""The file in the field `file` of a form, of somebody who may import."""

FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
"""What the route says of it in OpenAPI."""

"""The registry as a file: masked unless there is a document that asks for more, marked, and audited."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from console.accounts.models import User
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from console.problems import ProblemError
from registry.exports import Form, gather, write

router = APIRouter(tags=["exports"])
Exporter = Annotated[User, may(Action.REGISTRY_EXPORT, proven=True)]

_MEDIA_TYPES = {
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.CSV: "application/zip",
}
_SUFFIXES = {Form.XLSX: "xlsx", Form.CSV: "zip"}


@router.get("/exports/registry", response_class=Response)
def export_registry(
    here: Here,
    user: Exporter,
    purpose: Purpose,
    form: Annotated[Form, Query(alias="format")] = Form.XLSX,
    id_numbers: Annotated[bool, Query(description="Id numbers in full; needs a reason.")] = False,
    reason: Annotated[
        str | None,
        Query(description="Number of the document or case.", pattern=r"^[\w〔〕()（）./ -]{2,64}$"),
    ] = None,
) -> Response:
    """Dwellings, people, vehicles, organisations and cards, as an import reads them; never templates.

    `reason_required` for id numbers without a reason.
    """
    if id_numbers and reason is None:
        raise ProblemError(422, "reason_required", "Id numbers in full need a reason")
    at = here.clock.now()
    # Read and written outside of any write transaction: it takes seconds, and ingest must not wait.
    with here.database.read() as session:
        tables = gather(session, here.compound, reveal_ids=id_numbers)
    mark = f"Ringward 守圈  {here.compound}  {user.id}  {at:%Y-%m-%dT%H:%M:%SZ}  {purpose}"
    made = write(tables, form, mark)
    detail = f"format={form} {made.detail}" + (f" id_numbers reason={reason}" if id_numbers else "")
    with here.database.write() as session:
        # It is noted, or it is not given out.
        look = Look("registry.exported", purpose, f"compound:{here.compound}", detail)
        note_look(session, at, user, look)
    name = f"registry-{here.compound}-{at:%Y%m%d}.{_SUFFIXES[form]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-SHA256": made.digest}
    return Response(made.content, media_type=_MEDIA_TYPES[form], headers=headers)

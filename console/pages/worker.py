"""The service worker, at the root: only from there may it speak for every page."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter()

_FILE: Final = Path(__file__).parent.parent / "static" / "worker.js"


@router.get("/worker.js")
def worker() -> FileResponse:
    """For everybody: a browser renews it without a session, and it holds nothing."""
    return FileResponse(
        _FILE,
        media_type="text/javascript",
        # A browser asks anew at every visit: a mended worker must not wait for a day.
        headers={"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"},
    )

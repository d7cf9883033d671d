"""Where somebody comes back to after showing who they are once more.

A page is come back to as it is. What a form sent is not sent again by itself: one comes back
to the page that the form was on, which is the nearest page above the form's own path.
"""

from urllib.parse import urlsplit

from fastapi import Request
from starlette.routing import Match

from console.security import SAFE_METHODS


def back_to(request: Request) -> str:
    """A path of this site, with its query where it was a page."""
    path = request.url.path
    if request.headers.get("HX-Request") == "true":
        # The page around the part, as htmx says it; only its path is believed.
        path = urlsplit(request.headers.get("HX-Current-URL", "/")).path or "/"
        return path if path.startswith("/") and not path.startswith("//") else "/"
    if request.method in SAFE_METHODS:
        return path + (f"?{request.url.query}" if request.url.query else "")
    while path.count("/") > 1 or len(path) > 1:
        if _is_page(request, path):
            return path
        path = path.rsplit("/", 1)[0] or "/"
    return "/"


def _is_page(request: Request, path: str) -> bool:
    scope = {"type": "http", "path": path, "method": "GET", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

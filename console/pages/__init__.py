"""The pages people work on: sign-in, the live page, the phone, devices, people, one's own data.

Each file is one page: its routes and what its template is given. Everything a device, a
plate or a person brings in is escaped by the templates.
"""

from fastapi import APIRouter

from console.pages import (
    audit,
    camera_view,
    devices,
    erasures,
    find,
    gate,
    imports,
    incident,
    incident_why,
    link_steps,
    my,
    onboarding,
    operator,
    patrols,
    people,
    phone,
    phone_patrol,
    plan_steps,
    recognition,
    reports,
    routes,
    rules,
    signin,
    worker,
)
from console.pages.view import error_page

__all__ = ["error_page", "router"]

router = APIRouter(include_in_schema=False)
for _part in (
    signin,
    worker,
    operator,
    incident,
    link_steps,
    incident_why,
    plan_steps,
    recognition,
    rules,
    routes,
    phone,
    phone_patrol,
    patrols,
    # Its form stands before a device's id, which would swallow its path.
    onboarding,
    camera_view,
    devices,
    people,
    my,
    audit,
    erasures,
    find,
    gate,
    imports,
    reports,
):
    router.include_router(_part.router)

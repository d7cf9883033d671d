"""The pages people work on: sign-in, the live page, the phone, devices, people, one's own data.

Each file is one page: its routes and what its template is given. Everything a device, a
plate or a person brings in is escaped by the templates.
"""

from fastapi import APIRouter

from console.pages import (
    audit,
    camera_view,
    devices,
    disputes,
    drills,
    erasures,
    find,
    gate,
    handovers,
    imports,
    incident,
    incident_why,
    link_steps,
    measures,
    months,
    my,
    notifications,
    onboarding,
    operator,
    patrols,
    people,
    phone,
    phone_duty,
    phone_patrol,
    plan_steps,
    ratings,
    recognition,
    reporting,
    reports,
    reviews,
    roster,
    routes,
    rules,
    sending,
    signin,
    work_orders,
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
    sending,
    link_steps,
    incident_why,
    plan_steps,
    recognition,
    rules,
    routes,
    # Its own paths stand before those of the phone's tasks.
    phone_duty,
    roster,
    reviews,
    measures,
    handovers,
    months,
    ratings,
    phone,
    phone_patrol,
    patrols,
    # Its form stands before a device's id, which would swallow its path.
    onboarding,
    camera_view,
    devices,
    people,
    my,
    notifications,
    audit,
    erasures,
    find,
    gate,
    imports,
    reports,
    reporting,
    disputes,
    work_orders,
    drills,
):
    router.include_router(_part.router)

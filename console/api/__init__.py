"""The HTTP API under /api/v1, one small file a resource."""

from fastapi import APIRouter

from console.api import (
    audits,
    consents,
    deadletters,
    devices,
    dispatches,
    events,
    incidents,
    me,
    media,
    people,
    places,
    responders,
    sightings,
    stream,
)

__all__ = ["router"]

router = APIRouter()
for _resource in (
    me,
    places,
    devices,
    events,
    sightings,
    incidents,
    dispatches,
    responders,
    people,
    consents,
    deadletters,
    media,
    audits,
    stream,
):
    router.include_router(_resource.router)

"""The HTTP API under /api/v1, one small file a resource."""

from fastapi import APIRouter

from console.api import (
    audits,
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
    deadletters,
    media,
    audits,
    stream,
):
    router.include_router(_resource.router)

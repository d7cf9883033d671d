"""The HTTP API under /api/v1, one small file a resource."""

from fastapi import APIRouter

from console.api import (
    audits,
    consents,
    credentials,
    deadletters,
    devices,
    dispatches,
    entry,
    erasures,
    events,
    households,
    incidents,
    me,
    media,
    organisations,
    own,
    pass_gate,
    passes,
    people,
    places,
    requests,
    residences,
    responders,
    sightings,
    stream,
    terminal_orders,
    vehicles,
    watchlist,
    watchlist_orders,
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
    households,
    residences,
    organisations,
    credentials,
    # Its question by plate stands before a vehicle's id, which would swallow its path.
    entry,
    vehicles,
    consents,
    erasures,
    requests,
    own,
    terminal_orders,
    deadletters,
    media,
    passes,
    pass_gate,
    # Its applications stand before an entry's id, which would swallow their path.
    watchlist_orders,
    watchlist,
    audits,
    stream,
):
    router.include_router(_resource.router)

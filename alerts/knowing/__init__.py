"""Joining the register's facts to events and sightings: all that rules may know, looked up in bulk.

Rules are pure; whatever they need from the database is joined here, once, as it was when the
thing happened. A chunk of messages costs as many queries whether it holds one or a thousand,
and a thousand at once are seen as they are one by one.
"""

from alerts.knowing.joining import observe
from alerts.knowing.plan import site
from alerts.knowing.register import Register

__all__ = ["Register", "observe", "site"]

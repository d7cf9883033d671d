"""A street: ten communities of the demo compound's size, nearly 50,000 people, in one database."""

import datetime as dt
import random
from typing import Final

from registry.models import Community, Subdistrict
from ringward.demo import neighbourhood, registration
from storage import Database

COMMUNITIES: Final = 10


def build_street(database: Database, now: dt.datetime, *, communities: int = COMMUNITIES) -> list[str]:
    """Writes the compounds, one transaction each; returns their ids. The tables must exist."""
    compounds = []
    for index in range(communities):
        compound, prefix = f"street-{index}", f"s{index}"
        rows = registration.under(registration.registry_rows(random.Random(index), now), compound, prefix)  # noqa: S311
        for table, of in rows:
            # One subdistrict for all of them.
            if table is Community:
                of[0]["subdistrict"] = neighbourhood.SUBDISTRICT.replace("hh", "s0", 1)
        with database.write() as session:
            registration.write(session, rows, but=[Subdistrict] if index else [])
        compounds.append(compound)
    return compounds

"""What lies around and within the demo compound besides homes: community, grids, organisations.

Names are invented, and no statistical code is: real ones name real places.
"""

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any, Final

from registry.models import DwellingState, OrganisationKind
from ringward.demo.plan import COMPOUND, PREFIX, PlannedBuilding

Row = dict[str, Any]

SUBDISTRICT: Final = f"{PREFIX}-subdistrict"
COMMUNITY: Final = f"{PREFIX}-community"
ORGANISATIONS: Final = 700
GRIDS: Final = 4

_CALLED: Final = tuple("晨安德福瑞祥和泰兴隆广源聚丰宝恒美佳文星云海")
_TRADES: Final = (
    (OrganisationKind.SHOP, "便利店"),
    (OrganisationKind.SHOP, "药房"),
    (OrganisationKind.SHOP, "米线馆"),
    (OrganisationKind.SHOP, "理发店"),
    (OrganisationKind.SHOP, "水果店"),
    (OrganisationKind.SHOP, "五金店"),
    (OrganisationKind.COMPANY, "家政服务部"),
    (OrganisationKind.COMPANY, "装饰公司"),
    (OrganisationKind.COMPANY, "快递点"),
    (OrganisationKind.COMPANY, "电器维修部"),
    (OrganisationKind.ASSOCIATION, "合作社"),
    (OrganisationKind.PUBLIC_BODY, "服务站"),
)


def grids() -> list[Row]:
    """Four grids; their workers are users that the demo's accounts may or may not have."""
    return [
        {"id": f"{PREFIX}-grid-{n}", "compound": COMPOUND, "code": f"{n:02d}", "name": f"第{n}网格"}
        for n in range(1, GRIDS + 1)
    ]


def grid_of(building: PlannedBuilding) -> str:
    """Buildings are numbered row by row, so neighbours share a grid."""
    return f"{PREFIX}-grid-{1 + (building.number - 1) * GRIDS // 23}"


def organisations(
    dwellings: Sequence[Row], people: Sequence[Row], rng: random.Random, today: dt.date
) -> tuple[list[Row], list[Row], list[Row]]:
    """(organisations, premises, staff): every shop of the compound has one, the rest come from outside."""
    shops = [row["id"] for row in dwellings if row["state"] is DwellingState.SHOP]
    adults = [row["id"] for row in people if not row["under_14"]]
    names = sorted({first + second for first in _CALLED for second in _CALLED if first != second})
    rng.shuffle(names)
    found: list[Row] = []
    premises: list[Row] = []
    staff: list[Row] = []
    for index in range(ORGANISATIONS):
        kind, trade = _TRADES[index % len(_TRADES)]
        organisation = f"{PREFIX}-o{index + 1:04d}"
        # 420 names and twelve trades never give the same pair twice within 700.
        found.append(
            {
                "id": organisation,
                "compound": COMPOUND,
                "name": names[(index // len(_TRADES) * 7 + index) % len(names)] + trade,
                "kind": kind,
                "external_id": f"O{index + 1:04d}",
            }
        )
        since = today - dt.timedelta(days=rng.randrange(30, 2500))
        if index < len(shops):
            premises.append(
                {
                    "id": f"{PREFIX}-pr{index + 1:04d}",
                    "compound": COMPOUND,
                    "organisation": organisation,
                    "dwelling": shops[index],
                    "since": since,
                }
            )
        staff.extend(
            {
                "id": f"{PREFIX}-s{index + 1:04d}-{number}",
                "compound": COMPOUND,
                "organisation": organisation,
                "person": rng.choice(adults),
                "since": since,
            }
            for number in range(rng.choice((0, 1, 1, 2)))
        )
    return found, premises, staff

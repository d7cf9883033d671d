"""What is documented is what processes show."""

from pathlib import Path

from ringward import process
from ringward.foundation import Foundation
from ringward.measures.catalogue import families
from ringward.measures.definitions import MEASURES

ROOT = Path(__file__).parents[3]
BEHIND_A_SETTING = {"ringward_traces_spans_total"}
"""Made by processes whose settings ask for it."""

PERSONAL = {"person", "plate", "phone", "user", "household", "dwelling", "responder"}


def shown(ground: Foundation) -> set[str]:
    """Every name that the registry of this process can show a sample under."""
    names = ground.metrics._names_to_collectors
    return {name for name in names if name.startswith("ringward_") and not name.endswith("_created")}


def test_processes_with_all_roles_show_what_is_documented_and_nothing_else(ground: Foundation) -> None:
    process.build(process.ORDER, ground)
    documented = families(ROOT)
    assert len({family.name for family in documented}) == len(documented)
    samples = set().union(*(family.samples for family in documented))
    # The registry keeps the plain names of counters and histograms too.
    plain = {family.name.removesuffix("_total") for family in documented}
    found = shown(ground)
    assert found <= samples | plain
    assert samples - BEHIND_A_SETTING <= found


def test_every_metric_says_what_it_is_and_names_nobody(ground: Foundation) -> None:
    for family in families(ROOT):
        assert family.says.strip()
        assert not PERSONAL & set(family.labels), family.name
    assert len({one.name for one in MEASURES}) == len(MEASURES)

"""The gallery's benchmark says what it measured, in small."""

from ringward.bench import gallery
from ringward.bench.gallery import run


def test_every_search_stands_beside_the_plain_product_of_the_same_run(vault, monkeypatch):
    monkeypatch.setattr(gallery, "SIZES", {"5k": 700})
    found = run(rounds=3, stored=300, million=False)
    assert found.name == "gallery"
    assert found.figures["search_5k_ms"] > 0
    assert found.ceilings["plain_5k_ms"] > 0
    assert found.ratios["search_5k_over_plain"] > 0
    # From sealed rows, from what another process laid down, and following.
    assert {
        "start_cold_s",
        "start_warm_s",
        "follow_enrolment_ms",
        "follow_removal_ms",
    } <= found.figures.keys()

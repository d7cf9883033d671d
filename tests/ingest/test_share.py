"""Ingests that share a deployment: what each subscribes to, and that nothing falls between them."""

import pytest

from bus.subjects import MQTT_UPLINK, uplink
from devices.adapters import ADAPTERS, matches
from ingest.routes import mqtt_filters
from ingest.share import EVERYTHING, ShareError, gaps, share


def hears(filters: tuple[str, ...], topic: str) -> bool:
    return any(matches(one.split("/"), topic.split("/")) for one in filters)


def test_without_settings_one_ingest_takes_everything() -> None:
    assert share(None, "all") == EVERYTHING
    assert EVERYTHING.is_whole
    assert set(EVERYTHING.filters()) == set(mqtt_filters())
    # The session of before keeps its name, and with it what the broker holds for it.
    assert EVERYTHING.suffix() == ""


def test_an_ingest_of_some_compounds_hears_these_alone() -> None:
    one = share("north, south", "none")
    assert hears(one.filters(), uplink("north", "door", "event"))
    assert hears(one.filters(), uplink("south", "door", "state"))
    assert not hears(one.filters(), uplink("west", "door", "event"))
    for adapter in ADAPTERS.values():
        for wanted in adapter.topics:
            if wanted != MQTT_UPLINK:
                assert not hears(one.filters(), wanted.replace("+", "a1").replace("#", "x"))


def test_a_name_of_its_own_that_stays_however_the_compounds_are_written() -> None:
    assert share("north,south", "none").suffix() == share(" south ,north", "none").suffix()
    assert share("north", "none").suffix() != share("south", "none").suffix()


def test_some_vendors_topics_are_taken_by_one_and_the_others_by_another() -> None:
    vendors = [wanted for wanted in mqtt_filters() if wanted != MQTT_UPLINK]
    first = share("north", ",".join(vendors[:3]))
    second = share("south", ",".join(vendors[3:]))
    found = gaps([first, second], ["north", "south"])
    assert found.is_closed
    assert found.doubled == ()


def test_what_nobody_takes_is_named_and_what_two_take_too() -> None:
    found = gaps([share("north", "none"), share("north,south", "none")], ["north", "south", "west"])
    assert not found.is_closed
    assert found.compounds == ("west",)
    assert set(found.vendor_topics) == set(mqtt_filters()) - {MQTT_UPLINK}
    assert found.doubled == ("north",)
    assert gaps([EVERYTHING], ["north"]).is_closed


@pytest.mark.parametrize(
    ("compounds", "vendors"), [("no+rth", "all"), ("a/b", "none"), ("#", "all"), (None, "no/such/topic")]
)
def test_what_cannot_be_subscribed_to_is_refused(compounds: str | None, vendors: str) -> None:
    with pytest.raises(ShareError):
        share(compounds, vendors)

"""How MQTT's names look to nats-server; `tests/devices/test_rights_at_brokers.py` asks the server itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.mqttnames import subject_of, subjects_of, topic_of


@pytest.mark.parametrize(
    ("topic", "subject"),
    [
        ("rw/v1/c1/cam-1/up/event", "rw.v1.c1.cam-1.up.event"),
        ("/hiot/connection", "/.hiot.connection"),
        ("face.8K01.request", "face//8K01//request"),
        ("a//b/", "a./.b./"),
        ("tele/+/STATE", "tele.*.STATE"),
        ("frigate/#", "frigate.>"),
    ],
)
def test_topic_has_the_subject_that_the_server_gives_it(topic: str, subject: str) -> None:
    assert subject_of(topic) == subject


def test_filter_with_all_that_lies_below_takes_the_level_itself_too() -> None:
    assert subjects_of(["frigate/#", "frigate", "x"]) == ["frigate", "frigate.>", "x"]
    assert subjects_of(["#"]) == [">"]


@pytest.mark.parametrize("topic", ["", "a b", "a/*", "a/>", 'a"', "a\\", "a\nb", "a\0"])
def test_name_that_would_mean_more_than_it_says_is_refused(topic: str) -> None:
    with pytest.raises(ValueError, match="no subject"):
        subject_of(topic)


@given(st.lists(st.text("abZ09-_.:", max_size=5), min_size=1, max_size=6).map("/".join).filter(bool))
def test_topics_come_back_from_their_subjects_unchanged(topic: str) -> None:
    assert topic_of(subject_of(topic)) == topic

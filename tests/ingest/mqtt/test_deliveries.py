from ingest.mqtt.deliveries import Copy, Deliveries


def test_a_copy_is_of_what_waits_and_then_of_what_is_safe() -> None:
    deliveries = Deliveries()
    assert deliveries.take(5, "door/state", b"open", again=False) is Copy.NONE
    assert deliveries.take(5, "door/state", b"open", again=True) is Copy.WAITING
    deliveries.safe(5)
    assert deliveries.take(5, "door/state", b"open", again=True) is Copy.SAFE


def test_what_comes_first_as_a_repeat_is_read_and_its_copies_are_not() -> None:
    deliveries = Deliveries()
    assert deliveries.take(5, "door/state", b"open", again=True) is Copy.NONE
    assert deliveries.take(5, "door/state", b"open", again=True) is Copy.WAITING


def test_the_same_bytes_under_another_packet_id_are_another_press_of_the_button() -> None:
    deliveries = Deliveries()
    deliveries.take(5, "button/state", b"pressed", again=False)
    assert deliveries.take(6, "button/state", b"pressed", again=True) is Copy.NONE


def test_a_packet_id_that_is_used_again_is_another_message() -> None:
    deliveries = Deliveries()
    deliveries.take(5, "door/state", b"open", again=False)
    deliveries.safe(5)
    assert deliveries.take(5, "door/state", b"closed", again=True) is Copy.NONE
    assert deliveries.take(5, "door/state", b"closed", again=False) is Copy.NONE
    assert deliveries.take(5, "gate/state", b"closed", again=True) is Copy.NONE


def test_a_repeat_on_another_connection_is_read() -> None:
    deliveries = Deliveries()
    deliveries.take(5, "door/state", b"open", again=False)
    deliveries.clear()
    deliveries.safe(5)
    assert deliveries.take(5, "door/state", b"open", again=True) is Copy.NONE


def test_whoever_says_much_is_not_remembered_for_ever() -> None:
    deliveries = Deliveries()
    for mid in range(10_001):
        deliveries.take(mid, "door/state", b"open", again=False)
    assert deliveries.take(0, "door/state", b"open", again=True) is Copy.NONE
    assert deliveries.take(9_000, "door/state", b"open", again=True) is Copy.WAITING

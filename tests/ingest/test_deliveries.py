from ingest.deliveries import Copy, Deliveries


def test_a_repeat_is_a_copy_of_what_waits_and_then_of_what_is_safe() -> None:
    deliveries = Deliveries()
    key = deliveries.first("door/state", b"open")
    assert deliveries.again("door/state", b"open") is Copy.WAITING
    deliveries.safe(key)
    assert deliveries.again("door/state", b"open") is Copy.SAFE


def test_a_repeat_of_what_came_on_an_earlier_connection_is_unknown() -> None:
    deliveries = Deliveries()
    key = deliveries.first("door/state", b"open")
    deliveries.clear()
    deliveries.safe(key)
    assert deliveries.again("door/state", b"open") is Copy.UNKNOWN


def test_the_same_bytes_elsewhere_and_other_bytes_are_unknown() -> None:
    deliveries = Deliveries()
    deliveries.first("door/state", b"open")
    assert deliveries.again("gate/state", b"open") is Copy.UNKNOWN
    assert deliveries.again("door/state", b"closed") is Copy.UNKNOWN


def test_the_same_said_once_more_waits_again() -> None:
    deliveries = Deliveries()
    deliveries.safe(deliveries.first("door/state", b"open"))
    deliveries.first("door/state", b"open")
    assert deliveries.again("door/state", b"open") is Copy.WAITING


def test_whoever_says_much_is_not_remembered_for_ever() -> None:
    deliveries = Deliveries()
    deliveries.first("door/state", b"open")
    for number in range(10_000):
        deliveries.first("other", b"%d" % number)
    assert deliveries.again("door/state", b"open") is Copy.UNKNOWN

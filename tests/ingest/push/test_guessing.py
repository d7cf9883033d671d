from ingest.push.guessing import ADDRESS, PAIR, Guessing


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_wrong_secrets_are_free_and_then_one_at_a_time() -> None:
    seconds = Seconds()
    guessing = Guessing(seconds)
    most, each_s = PAIR
    for _ in range(most):
        assert guessing.wait_s("cam-1", "10.0.0.9") == 0
        guessing.failed("cam-1", "10.0.0.9")
    assert guessing.wait_s("cam-1", "10.0.0.9") == each_s
    seconds.now += each_s
    assert guessing.wait_s("cam-1", "10.0.0.9") == 0
    guessing.failed("cam-1", "10.0.0.9")
    assert guessing.wait_s("cam-1", "10.0.0.9") == each_s
    seconds.now += most * each_s
    guessing.failed("cam-1", "10.0.0.9")
    assert guessing.wait_s("cam-1", "10.0.0.9") == 0


def test_nobody_locks_a_device_out_from_elsewhere() -> None:
    guessing = Guessing(Seconds())
    for _ in range(100):
        guessing.failed("cam-1", "10.0.0.9")
    assert guessing.wait_s("cam-1", "10.0.0.1") == 0
    assert guessing.wait_s("cam-1", "10.0.0.9") > 0


def test_address_with_many_names_is_slowed() -> None:
    guessing = Guessing(Seconds())
    for number in range(ADDRESS[0]):
        assert guessing.wait_s("somebody-new", "10.0.0.9") == 0, number
        guessing.failed(f"invented-{number}", "10.0.0.9")
    assert 0 < guessing.wait_s("somebody-new", "10.0.0.9") <= ADDRESS[1]


def test_invented_names_do_not_fill_the_memory() -> None:
    guessing = Guessing(Seconds())
    for number in range(12_000):
        guessing.failed(f"invented-{number}", "10.0.0.9")
    assert len(guessing._until) == 10_000

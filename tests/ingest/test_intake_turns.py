import threading

import pytest

from ingest.turns import Turns
from tests.support.waiting import wait_until


def test_turns_go_round_in_the_order_of_asking() -> None:
    turns, order = Turns(), []

    def take(number: int) -> None:
        with turns.turn():
            order.append(number)

    threads = []
    with turns.turn():
        for number in range(5):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            threads.append(thread)
            wait_until(lambda: len(turns._waiting) == len(threads), "it waits")
    # Whoever asks now is behind those who wait.
    with turns.turn():
        order.append(5)
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4, 5]


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(), [], []

    def take() -> None:
        for _ in range(200):
            with turns.turn():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(most), max(most)) == (800, 1)


def test_turn_that_fails_is_given_on() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn():
        assert turns._taken
    assert not turns._taken

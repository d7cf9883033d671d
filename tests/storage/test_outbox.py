import pytest

from storage import Database
from storage.events import clear_outbox, enqueue, take_outbox


def messages(*numbers: int) -> list[tuple[str, str, bytes]]:
    return [(f"m-{number}", f"event.{number}", str(number).encode()) for number in numbers]


def test_messages_leave_in_the_order_they_came(either_database: Database) -> None:
    with either_database.write() as session:
        enqueue(session, messages(9, 3))
    with either_database.write() as session:
        enqueue(session, messages(5))
    with either_database.read() as session:
        taken = take_outbox(session, 10)
    assert [tuple(found[1:4]) for found in taken] == messages(9, 3, 5)
    assert [found[0] for found in taken] == sorted(found[0] for found in taken)


def test_limit_takes_the_oldest(either_database: Database) -> None:
    with either_database.write() as session:
        enqueue(session, messages(1, 2, 3))
    with either_database.read() as session:
        assert [found[1] for found in take_outbox(session, 2)] == ["m-1", "m-2"]


def test_only_what_is_confirmed_is_cleared(either_database: Database) -> None:
    with either_database.write() as session:
        enqueue(session, messages(1, 2, 3))
        taken = take_outbox(session, 10)
    with either_database.write() as session:
        clear_outbox(session, [taken[0][0], taken[2][0]])
    with either_database.read() as session:
        assert [found[1] for found in take_outbox(session, 10)] == ["m-2"]


def test_message_goes_with_its_transaction(either_database: Database) -> None:
    def fail_after_enqueue() -> None:
        with either_database.write() as session:
            enqueue(session, messages(1, 2))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_enqueue()
    with either_database.read() as session:
        assert take_outbox(session, 10) == []


def test_position_is_never_given_twice(database: Database) -> None:
    # A relay that clears late must not clear a newer message that took the number.
    with database.write() as session:
        enqueue(session, messages(1))
        (first,) = take_outbox(session, 1)
        clear_outbox(session, [first[0]])
        enqueue(session, messages(2))
        (second,) = take_outbox(session, 1)
    assert second[0] > first[0]

"""A terminal's list from the register to the confirmation, with what goes wrong in between."""

import datetime as dt
import json

import pytest
from sqlalchemy import select

from devices import enrolments, presence
from devices.adapters.contract import CommandResult
from devices.enrolments import OrderState
from devices.lists import pushes
from devices.lists.models import Carries, PushState, TerminalList
from devices.lists.reconciler import MOST
from devices.models import DeviceKind, Stage
from registry.models import GivenBy
from storage import Database, MediaStore
from storage.audit import AuditRow
from tests.support.clock import VirtualClock
from tests.support.compound import device
from tests.support.terminal_post import TERMINAL, URL, Post


@pytest.fixture
def post(either_database: Database, media: MediaStore, clock: VirtualClock) -> Post:
    return Post(either_database, media, clock)


def test_register_reaches_the_terminal_and_every_person_is_confirmed(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.face("p1")
    post.resident("p2", "张三")
    post.card("p2", "B2")
    post.resident("p3")
    post.run()
    assert post.there() == {"p1": ("A1", True), "p2": ("B2", False)}
    rows = post.rows()
    assert {name: (row.confirmed_at, row.face, row.code) for name, row in rows.items()} == {
        "p1": (post.clock.now(), True, None),
        "p2": (post.clock.now(), False, None),
    }
    (push,) = post.pushes()
    assert (push.state, push.people, push.taken, push.refused) == (PushState.CONFIRMED, 2, 2, 0)


def test_terminal_is_told_nothing_that_it_does_not_need(post: Post) -> None:
    post.resident("p1", "欧阳测试")
    post.card("p1", "A1")
    post.face("p1")
    post.run()
    (entry,) = post.put()
    assert entry["name"] == "欧*"
    assert entry["picURI"].startswith(f"{URL}/t/")
    assert not {"p1", "欧阳", "测试"} & set(str(entry).replace("'", " ").split())
    assert entry["customId"] != "p1"


def test_nothing_is_sent_twice_when_nothing_has_changed(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.run()
    post.clock.advance(3600)
    post.run()
    assert post.wire.sent == 1


def test_nobody_is_put_on_a_terminal_that_nobody_has_decided_about(post: Post) -> None:
    post.keep(Carries.UNDECIDED)
    post.resident("p1")
    post.card("p1", "A1")
    post.run()
    assert (post.wire.sent, post.rows()) == (0, {})


def test_list_that_is_given_up_is_emptied(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.run()
    post.keep(Carries.NOTHING)
    post.run()
    assert (post.there(), post.rows()) == ({}, {})


def test_without_an_address_for_pictures_only_cards_are_sent_and_it_is_said(post: Post) -> None:
    post.url = None
    post.restart()
    post.resident("p1")
    post.card("p1", "A1")
    post.face("p1")
    post.run()
    assert post.there() == {"p1": ("A1", False)}
    with post.database.read() as session:
        assert session.get_one(TerminalList, TERMINAL).lack == "no_terminal_url"


def test_l05_child_is_not_there_by_face_and_is_taken_off_when_it_turns_out_to_be_one(post: Post) -> None:
    post.resident("child", under_14=True)
    post.card("child", "A1")
    post.face("child", GivenBy.GUARDIAN)
    post.run()
    assert post.there() == {"child": ("A1", False)}


def test_l01_withdrawal_takes_the_face_off_and_the_card_stays(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.face("p1")
    post.run()
    first = post.rows()["p1"].ref
    post.withdraw("p1")
    post.run()
    assert post.there() == {"p1": ("A1", False)}
    assert first not in post.terminal.entries
    (order,) = post.orders()
    assert (order.state, order.result) == (OrderState.CONFIRMED, "deleted")
    assert not post.rows()["p1"].face


def test_order_to_forget_does_not_wait_for_the_next_round(post: Post) -> None:
    post.resident("p1")
    post.face("p1")
    post.run()
    post.erase("p1")
    assert post.reconciler.step() == 1
    post.deliver()
    assert post.terminal.entries == {}
    assert [order.state for order in post.orders()] == [OrderState.CONFIRMED]


def test_withdrawal_while_the_batch_is_in_flight_wins(post: Post) -> None:
    post.resident("p1")
    post.face("p1")
    post.reconciler.round()
    # The terminal has taken it in; the answer is still under way.
    assert len(post.terminal.entries) == 1
    post.withdraw("p1")
    post.reconciler.step()
    assert [push.state for push in post.pushes()] == [PushState.SENT], "one batch at a time"
    post.deliver()
    post.run()
    assert (post.there(), post.rows()) == ({}, {})
    assert [order.state for order in post.orders()] == [OrderState.CONFIRMED]


def test_withdrawal_between_comparing_and_sending_wins(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.face("p1")
    send = post.reconciler._send_people

    def withdrawn_meanwhile(*args: object) -> bool:
        post.withdraw("p1")
        return send(*args)

    monkeypatch.setattr(post.reconciler, "_send_people", withdrawn_meanwhile)
    post.reconciler.round()
    assert [entry.get("picURI") for entry in post.put()] == [None]


def test_erased_person_who_was_in_flight_is_ordered_out_and_nothing_brings_them_back(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.reconciler.round()
    post.erase("p1")
    post.deliver()
    post.run()
    assert (post.there(), post.rows()) == ({}, {})
    assert [order.state for order in post.orders()] == [OrderState.CONFIRMED]


def test_one_unusable_face_keeps_nobody_else_out_and_its_owner_opens_by_card(post: Post) -> None:
    for person, number in (("p1", "A1"), ("p2", "B2")):
        post.resident(person)
        post.card(person, number)
    post.face("p1")
    post.terminal.blind = True
    post.run()
    assert post.there() == {"p1": ("A1", False), "p2": ("B2", False)}
    row = post.rows()["p1"]
    assert (row.code, row.text, row.face) == ("468", "no usable face in the picture", False)
    assert row.confirmed_at is not None
    assert post.pushes()[0].state == PushState.PARTLY


def test_refused_picture_is_tried_again_after_longer_and_longer_pauses(post: Post) -> None:
    post.resident("p1")
    post.face("p1")
    post.terminal.blind = True
    post.run()
    pauses = []
    for tried in range(1, 10):
        due = post.rows()["p1"].next_try_at
        pauses.append(due - post.clock.now())
        post.clock.at = due - dt.timedelta(seconds=1)
        post.run(1)
        assert len(post.put()) == tried
        post.clock.at = due
        post.run(1)
        assert len(post.put()) == tried + 1
    assert pauses == sorted(pauses)
    assert pauses[0] == pushes.FIRST_RETRY
    assert pauses[-1] == pushes.LONGEST_RETRY


def test_new_photo_is_tried_at_once(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.face("p1")
    post.terminal.blind = True
    post.run()
    post.terminal.blind = False
    post.face("p1")
    post.run()
    assert post.there() == {"p1": ("A1", True)}
    assert (post.rows()["p1"].code, post.rows()["p1"].failures) == (None, 0)


def test_busy_terminal_is_left_alone_for_longer_each_time(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.terminal.busy = 3
    post.run()
    assert (post.wire.sent, post.there()) == (1, {})
    (push,) = post.pushes()
    assert (push.state, push.code, push.text) == (
        PushState.FAILED,
        "410",
        "busy: a batch is still in flight",
    )
    for pause in (15, 30, 60):
        post.clock.advance(pause - 1)
        post.run(1)
        before = post.wire.sent
        post.clock.advance(1)
        post.run(1)
        assert post.wire.sent == before + 1
    assert post.there() == {"p1": ("A1", False)}
    with post.database.read() as session:
        row = session.get_one(TerminalList, TERMINAL)
        assert (row.failures, row.next_at) == (0, None)


def test_lost_message_is_uncertain_and_goes_again(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.wire.lose_messages = 1
    post.run()
    assert post.there() == {}
    post.clock.advance(600)
    post.run()
    assert [push.state for push in post.pushes()] == [PushState.UNCERTAIN]
    post.clock.advance(15)
    post.run()
    assert [push.state for push in post.pushes()] == [PushState.UNCERTAIN, PushState.CONFIRMED]
    assert post.there() == {"p1": ("A1", False)}


def test_answer_that_comes_after_the_batch_was_given_up_still_counts(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.reconciler.round()
    post.clock.advance(600)
    post.reconciler.round()
    assert post.pushes()[0].state == PushState.UNCERTAIN
    post.deliver()
    assert post.pushes()[0].state == PushState.CONFIRMED
    post.clock.advance(3600)
    post.run()
    assert post.wire.sent == 1


def test_terminal_that_takes_somebody_in_after_it_said_that_it_forgot_them_is_told_again(post: Post) -> None:
    post.resident("p1")
    post.face("p1")
    post.wire.lose_messages = 1
    post.reconciler.round()
    post.clock.advance(600)
    post.withdraw("p1")
    post.run()
    post.clock.advance(15)
    post.run()
    (push, *_) = post.pushes()
    (order,) = post.orders()
    assert order.state == OrderState.CONFIRMED, "it was not on the list"
    # The lost batch was only slow: the terminal has it now, and says so.
    post.terminal.hear(_edit(push.id, order.ref))
    post.wire.acks.append((post.terminal.up, _taken(push.id, order.ref)))
    post.run()
    post.clock.advance(60)
    post.run()
    assert post.terminal.entries == {}
    assert [order.cause for order in post.orders()][-1] == "stray"


def test_restart_in_the_middle_leaves_exactly_the_right_people(post: Post) -> None:
    for number in range(5):
        post.resident(f"p{number}")
        post.card(f"p{number}", f"A{number}")
    post.reconciler.round()
    post.suspend_cards("p0")
    post.restart()
    post.reconciler.round()
    assert post.wire.sent == 1, "the batch is still in flight"
    post.deliver()
    post.restart()
    post.run()
    assert post.there() == {f"p{number}": (f"A{number}", False) for number in range(1, 5)}


def test_offline_terminal_waits_and_is_told_when_it_is_back(post: Post) -> None:
    post.resident("p1")
    post.face("p1")
    post.run()
    post.online(False)
    post.withdraw("p1")
    post.run()
    assert [order.state for order in post.orders()] == [OrderState.PENDING]
    post.clock.advance(3600)
    post.online()
    post.run()
    assert (post.there(), [order.state for order in post.orders()]) == ({}, [OrderState.CONFIRMED])


def test_terminal_that_comes_back_is_not_kept_waiting_for_its_silence(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.terminal.busy = 1
    post.run()
    post.online(False)
    post.clock.advance(1)
    post.online()
    post.run()
    assert post.there() == {"p1": ("A1", False)}


@pytest.mark.parametrize("changes", [{"stage": Stage.QUARANTINED}, {"enabled": False}])
def test_terminal_that_is_not_trusted_gets_nothing(post: Post, changes: dict[str, object]) -> None:
    post.set_device(**changes)
    post.resident("p1")
    post.face("p1")
    post.run()
    assert post.wire.sent == 0


def test_broker_that_is_away_costs_nothing(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.wire.connected = False
    post.run()
    assert [push.code for push in post.pushes()] == ["broker_away"]
    post.wire.connected = True
    post.clock.advance(15)
    post.run()
    assert post.there() == {"p1": ("A1", False)}


def test_reset_terminal_gets_everybody_again_under_the_same_references(post: Post) -> None:
    for number in range(3):
        post.resident(f"p{number}")
        post.card(f"p{number}", f"A{number}")
    post.run()
    before = set(post.terminal.entries)
    post.terminal.reset()
    assert post.resync() == 3
    post.run()
    assert set(post.terminal.entries) == before


def test_terminal_that_is_approved_anew_gets_everybody_again(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.run()
    post.terminal.reset()
    post.set_device(approved_at=post.clock.advance(60))
    post.run()
    assert post.there() == {"p1": ("A1", False)}


def test_visitors_card_opens_while_the_pass_does(post: Post) -> None:
    post.resident("host")
    post.visitor("v1", "CAFE01", hours=2, max_uses=3)
    post.visitor("v2", None)
    post.run()
    assert post.there() == {"v1": ("CAFE01", False)}
    (entry,) = post.put()
    assert (entry["name"], entry["tempValid"], entry["effectNumber"]) == ("访客", 1, 3)
    assert entry["validEnd"] == "2026-11-23 14:00:01"
    post.clock.advance(2 * 3600 + 1)
    post.run()
    assert (post.there(), post.rows()) == ({}, {})
    assert [order.state for order in post.orders()] == [OrderState.CONFIRMED]


def test_revoked_pass_is_off_the_terminal_before_its_time(post: Post) -> None:
    post.resident("host")
    post.visitor("v1", "CAFE01")
    post.run()
    post.revoke("v1")
    post.run()
    assert (post.there(), [order.result for order in post.orders()]) == ({}, ["deleted"])


def test_card_that_was_exchanged_is_overwritten_in_place(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.run()
    ref = post.rows()["p1"].ref
    post.suspend_cards("p1")
    post.card("p1", "B2")
    post.run()
    assert (post.there(), post.rows()["p1"].ref) == ({"p1": ("B2", False)}, ref)


def test_batch_is_never_larger_than_a_terminal_can_fetch_in_time(post: Post) -> None:
    for number in range(MOST + 5):
        post.resident(f"p{number:03}")
        post.card(f"p{number:03}", f"A{number:03}")
    post.reconciler.round()
    post.deliver()
    assert len(post.terminal.entries) == MOST
    # What is left does not wait for the next round.
    assert post.reconciler.step() == 1
    post.deliver()
    assert len(post.terminal.entries) == MOST + 5


def test_terminal_that_says_neither_deleted_nor_why_is_not_taken_at_its_word(post: Post) -> None:
    post.resident("p1")
    post.face("p1")
    post.run()
    post.terminal.reset()
    post.withdraw("p1")
    post.run()
    (order,) = post.orders()
    assert (order.state, order.result) == (OrderState.FAILED, "not_deleted")
    # Somebody knows that it was reset, and says so.
    post.resync()
    post.clock.advance(3600)
    post.run()
    assert [(order.state, order.result) for order in post.orders()] == [(OrderState.CONFIRMED, "unknown_ref")]


def test_order_whose_answer_was_lost_is_given_again_and_ends(post: Post) -> None:
    post.resident("p1")
    post.face("p1")
    post.run()
    post.withdraw("p1")
    post.wire.lose_answers = 1
    post.run()
    post.clock.advance(60)
    post.run()
    post.clock.advance(15)
    post.run()
    (order,) = post.orders()
    assert (order.state, order.result, order.attempts) == (OrderState.CONFIRMED, "unknown_ref", 2)


def test_orders_of_a_terminal_without_a_list_are_published_too_and_can_still_be_fetched(post: Post) -> None:
    with post.database.write() as session:
        session.add(device("native-1", DeviceKind.DOOR))
    post.resident("p1")
    with post.database.write() as session:
        presence.ensure_rows(session, post.clock.now())
        enrolments.note(session, "honghua", "native-1", "p1", face=True, at=post.clock.now())
    post.online(at="native-1")
    post.directory.refresh()
    post.withdraw("p1")
    assert post.reconciler.step() == 1
    with post.database.write() as session:
        (order,) = enrolments.pending(session, "native-1", post.clock.now(), fetched=True)
        enrolments.mark_sent(session, [order], post.clock.now())
        assert enrolments.pending(session, "native-1", post.clock.now(), fetched=True) == []
        enrolments.answer(session, order.id, "deleted", post.clock.now())


def test_batches_are_audited_once_each_and_without_a_name(post: Post) -> None:
    post.resident("p1")
    post.face("p1")
    post.run()
    with post.database.read() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "terminal_list.pushed")).all()
        audited = [(row.subject, row.detail) for row in rows]
    (push,) = post.pushes()
    assert audited == [(f"device:{TERMINAL}", f"enrol {push.id} people=1 pictures=1")]


def test_another_devices_answer_settles_nothing(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1")
    post.reconciler.round()
    (push,) = post.pushes()
    with post.database.write() as session:
        result = CommandResult(push.id, ok=True, command="enrol")
        assert not pushes.settle(session, "cam-1", result, post.clock.now())
    assert post.pushes()[0].state == PushState.SENT


def test_time_of_a_validity_is_the_terminals_own(post: Post) -> None:
    post.resident("p1")
    post.card("p1", "A1", ends_at=post.clock.now() + dt.timedelta(hours=2))
    post.run()
    (entry,) = post.put()
    assert entry["validEnd"] == "2026-11-23 14:00:01"


def _edit(push: str, ref: str) -> bytes:
    person = {"customId": ref, "name": "欧*", "personType": 0}
    return json.dumps(
        {
            "messageId": push,
            "operator": "EditPersonsNew",
            "DataBegin": "BeginFlag",
            "PersonNum": 1,
            "info": [person],
            "DataEnd": "EndFlag",
        }
    ).encode()


def _taken(push: str, ref: str) -> bytes:
    info = {"AddSucNum": "1", "AddErrNum": "0", "AddSucInfo": [{"customId": ref}], "result": "ok"}
    return json.dumps({"messageId": push, "operator": "EditPersonsNew-Ack", "info": info}).encode()

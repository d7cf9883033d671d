"""Whatever happens on the way, a terminal ends up with exactly whom it should know."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storage.keys
import storage.vault
from devices.enrolments import OrderState
from devices.lists.models import Carries
from storage import Database, KeyRing, MediaStore, Vault
from tests.support.clock import VirtualClock
from tests.support.terminal_post import Post

PEOPLE = ("p1", "p2", "p3")
people = st.sampled_from(PEOPLE)
STEPS = st.one_of(
    st.tuples(st.just("card"), people),
    st.tuples(st.just("no_card"), people),
    st.tuples(st.just("face"), people),
    st.tuples(st.just("withdraw"), people),
    st.tuples(st.just("erase"), people),
    st.tuples(st.just("visitor"), st.sampled_from(["v1", "v2"])),
    st.tuples(st.just("revoke"), st.sampled_from(["v1", "v2"])),
    st.tuples(st.just("carries"), st.sampled_from(["faces", "cards", "nothing"])),
    st.tuples(st.sampled_from(["lose_message", "lose_answer", "busy", "deliver", "restart", "blind", "see"])),
    st.tuples(st.sampled_from(["offline", "online", "reset", "round", "step", "cut", "heal"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 20, 70, 700, 4000])),
)


class World:
    """What was done to the register, kept apart from it."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.cards: dict[str, str] = {}
        self.faces: set[str] = set()
        self.erased: set[str] = set()
        self.visits: dict[str, str] = {}
        self.begun: set[str] = set()
        self.carries = "faces"
        self.numbers = 0

    def number(self) -> str:
        self.numbers += 1
        return f"AA{self.numbers:04}"

    def do(self, step: tuple[str, ...]) -> None:
        name, *arguments = step
        getattr(self, name)(*arguments)

    def card(self, person: str) -> None:
        if person not in self.erased and person not in self.cards:
            self.cards[person] = self.number()
            self.post.card(person, self.cards[person])

    def no_card(self, person: str) -> None:
        if person not in self.erased and self.cards.pop(person, None):
            self.post.suspend_cards(person)

    def face(self, person: str) -> None:
        if person not in self.erased:
            self.faces.add(person)
            self.post.face(person)

    def withdraw(self, person: str) -> None:
        if person not in self.erased:
            self.faces.discard(person)
            self.post.withdraw(person)

    def erase(self, person: str) -> None:
        if person != "p1" and person not in self.erased:
            self.erased.add(person)
            self.faces.discard(person)
            self.cards.pop(person, None)
            self.post.erase(person)

    def visitor(self, visit: str) -> None:
        if visit not in self.begun:
            self.begun.add(visit)
            self.visits[visit] = self.number()
            self.post.visitor(visit, self.visits[visit], hours=1000)

    def revoke(self, visit: str) -> None:
        if self.visits.pop(visit, None):
            self.post.revoke(visit)

    def set_carries(self, carries: str) -> None:
        self.carries = carries
        self.post.keep(Carries(carries))

    def lose_message(self) -> None:
        self.post.wire.lose_messages += 1

    def lose_answer(self) -> None:
        self.post.wire.lose_answers += 1

    def busy(self) -> None:
        self.post.terminal.busy += 1

    def deliver(self) -> None:
        self.post.deliver()

    def restart(self) -> None:
        self.post.restart()

    def blind(self) -> None:
        self.post.terminal.blind = True

    def see(self) -> None:
        self.post.terminal.blind = False

    def offline(self) -> None:
        self.post.online(False)

    def online(self) -> None:
        self.post.online()

    def cut(self) -> None:
        self.post.wire.connected = False

    def heal(self) -> None:
        self.post.wire.connected = True

    def reset(self) -> None:
        # Whoever presses the button tells us; what was under way is told to the emptied terminal.
        self.post.terminal.reset()
        self.post.resync()

    def round(self) -> None:
        self.post.reconciler.round()

    def step(self) -> None:
        self.post.reconciler.step()

    def wait(self, seconds: int) -> None:
        self.post.clock.advance(seconds)

    def settle(self) -> None:
        """All is well again, and enough time passes for every pause to end."""
        self.heal()
        self.see()
        self.online()
        self.post.wire.lose_messages = self.post.wire.lose_answers = self.post.terminal.busy = 0
        for _ in range(6):
            self.post.run(2)
            self.post.clock.advance(7 * 3600)
        self.post.run(3)

    def expected(self) -> dict[str, tuple[str | None, bool]]:
        if self.carries == "nothing":
            return {}
        faces = self.faces if self.carries == "faces" else set()
        residents = {p: (self.cards.get(p), p in faces) for p in PEOPLE if p in self.cards or p in faces}
        return residents | {visit: (card, False) for visit, card in self.visits.items()}


@contextmanager
def world(migrated: Path) -> Iterator[World]:
    """A compound of its own for one example."""
    before = storage.keys._ring, storage.vault._vault
    with TemporaryDirectory() as folder:
        path = Path(folder)
        ring = KeyRing.load(path / "ring.key")
        storage.keys.install_ring(ring)
        vault = Vault.at(path / "vault.db", ring)
        storage.vault.install_vault(vault)
        (path / "ringward.db").write_bytes(migrated.read_bytes())
        database = Database.at(path / "ringward.db")
        try:
            post = Post(database, MediaStore(path / "media", ring), VirtualClock())
            for person in PEOPLE:
                post.resident(person, until=dt.date(2030, 1, 1))
            yield World(post)
        finally:
            database.close()
            vault.close()
            storage.keys._ring, storage.vault._vault = before


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=5, max_size=24))
def test_terminal_ends_with_exactly_whom_it_should_know(
    migrated_file: Path, steps: list[tuple[str, ...]]
) -> None:
    with world(migrated_file) as here:
        for step in steps:
            name, *arguments = step
            here.do(("set_carries", *arguments) if name == "carries" else step)
        here.settle()
        assert here.post.there() == here.expected()
        assert {row.content_mark is not None for row in here.post.rows().values()} <= {True}
        assert {order.state for order in here.post.orders()} <= {OrderState.CONFIRMED}


@pytest.mark.parametrize("at", range(12))
def test_kill_at_any_moment_leaves_nobody_too_many_or_too_few(migrated_file: Path, at: int) -> None:
    """A process that dies before its n-th message leaves it unsent, though it is written down as sent."""
    with world(migrated_file) as here:
        for person in PEOPLE:
            here.card(person)
        here.face("p1")
        story = [
            ("round",),
            ("withdraw", "p1"),
            ("deliver",),
            ("no_card", "p2"),
            ("round",),
            ("deliver",),
        ] * 2
        for position, step in enumerate(story):
            if position == at:
                here.lose_message()
                here.restart()
            here.do(step)
        here.settle()
        assert here.post.there() == here.expected()

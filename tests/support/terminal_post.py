"""A gate with a face terminal, a small register, and a wire between them that a test can cut."""

import datetime as dt
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from sqlalchemy import select

from devices import answers, presence
from devices.adapters import ADAPTERS
from devices.adapters.contract import Incoming
from devices.directory import DeviceDirectory, facts_of
from devices.enrolments import DeleteOrder, TerminalEnrolment
from devices.lists import keeping
from devices.lists.metrics import ListMetrics
from devices.lists.models import Carries, TerminalPush
from devices.lists.reconciler import Reconciler
from devices.models import Device, DeviceKind
from privacy import erasures
from privacy.models import ErasureKind
from registry.credentials import issuing
from registry.credentials.issuing import NewCredential
from registry.faces import consents, templates
from registry.faces.templates import Embedding
from registry.lookups import identify
from registry.models import (
    Building,
    ConsentPurpose,
    Credential,
    CredentialKind,
    CredentialStatus,
    Dwelling,
    DwellingState,
    GivenBy,
    Household,
    PassKind,
    PassState,
    Person,
    Residence,
    ResidenceKind,
    Unit,
    VisitorPass,
)
from registry.passes import cards
from storage import Database, MediaStore
from tests.support.clock import VirtualClock
from tests.support.compound import COMPOUND, device, settle_in
from tests.support.terminals import FaceTerminal

URL = "http://192.168.10.2:8080"
FACE = ConsentPurpose.FACE_ACCESS
TERMINAL = "term-1"
NAME = "1007001"


@dataclass
class Wire:
    """MQTT as a test likes it: messages and answers may get lost."""

    terminals: dict[str, FaceTerminal]
    connected: bool = True
    lose_messages: int = 0
    lose_answers: int = 0
    acks: list[tuple[str, bytes]] = field(default_factory=list)
    sent: int = 0

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        if not self.connected:
            return False
        self.sent += 1
        if self.lose_messages:
            self.lose_messages -= 1
            return True
        for terminal in self.terminals.values():
            if terminal.down == topic:
                answer = terminal.hear(payload)
                if answer is not None and self.lose_answers:
                    self.lose_answers -= 1
                elif answer is not None:
                    self.acks.append((terminal.up, answer))
        return True


class Post:
    """What tests do to registry and terminal, one line each."""

    def __init__(self, database: Database, media: MediaStore, clock: VirtualClock) -> None:
        settle_in(database)
        with database.write() as session:
            session.add(
                device(
                    TERMINAL, DeviceKind.FACE_CAMERA, adapter="facesluice", external_id=NAME, lane="gate-in"
                )
            )
            session.add(
                Building(id="bld", compound=COMPOUND, zone="b1", name="1", x=0, y=0, width=1, height=1)
            )
            session.flush()
            session.add(Unit(id="u1", compound=COMPOUND, building="bld", name="1"))
            session.flush()
            session.add(
                Dwelling(
                    id="d1",
                    compound=COMPOUND,
                    unit="u1",
                    floor=1,
                    room_no="101",
                    state=DwellingState.OCCUPIED,
                )
            )
            session.flush()
            session.add(Household(id="h1", compound=COMPOUND, dwelling="d1"))
            session.flush()
            presence.ensure_rows(session, clock.now())
        self.database, self.media, self.clock = database, media, clock
        self.terminal = FaceTerminal(NAME)
        self.wire = Wire({NAME: self.terminal})
        self.directory = DeviceDirectory(database)
        self.url: str | None = URL
        self.photos = 0
        self.restart()
        self.online()
        self.keep(Carries.FACES)

    def restart(self) -> None:
        """Another process takes over."""
        self.reconciler = Reconciler(
            self.database,
            self.directory,
            self.wire,
            self.clock,
            ListMetrics(CollectorRegistry()),
            terminal_url=self.url,
        )

    def keep(self, carries: Carries, at: str = TERMINAL) -> None:
        with self.database.write() as session:
            keeping.decide(
                session, facts_of(session, at), carries, by="li", role="administrator", at=self.clock.now()
            )

    def resync(self, at: str = TERMINAL) -> int:
        with self.database.write() as session:
            return keeping.resync(
                session, facts_of(session, at), by="li", role="administrator", at=self.clock.now()
            )

    def online(self, up: bool = True, at: str = TERMINAL) -> None:
        # A device that comes and goes in one instant is none.
        self.clock.advance(1)
        with self.database.write() as session:
            cause = "heartbeat" if up else "last_will"
            presence.change(session, facts_of(session, at), self.clock.now(), online=up, cause=cause)

    def set_device(self, **changes: object) -> None:
        with self.database.write() as session:
            row = session.get_one(Device, TERMINAL)
            for key, value in changes.items():
                setattr(row, key, value)
        self.directory.refresh()

    def deliver(self) -> None:
        """Answers reach ingest."""
        acks, self.wire.acks = self.wire.acks, []
        for topic, payload in acks:
            decoded = ADAPTERS["facesluice"].decode(Incoming(topic, payload))
            with self.database.write() as session:
                for result in decoded.results:
                    answers.take(session, TERMINAL, result, self.clock.now())

    def run(self, rounds: int = 6) -> None:
        """Rounds, each with the answers to the one before."""
        for _ in range(rounds):
            self.reconciler.round()
            self.deliver()

    # The register

    def resident(self, person: str, name: str = "欧阳测试", **changes: object) -> str:
        until = changes.pop("until", None)
        with self.database.write() as session:
            row = Person(id=person, compound=COMPOUND, household="h1", **changes)
            identify(row, name=name)
            session.add(row)
            session.flush()
            session.add(
                Residence(
                    id=f"r-{person}",
                    compound=COMPOUND,
                    person=person,
                    dwelling="d1",
                    kind=ResidenceKind.TENANT,
                    since=dt.date(2026, 1, 1),
                    until=until,
                )
            )
        return person

    def card(self, person: str, number: str, **bounds: object) -> str:
        with self.database.write() as session:
            row = session.get_one(Person, person)
            given = NewCredential(CredentialKind.CARD, number, **bounds)
            return issuing.issue(session, row, given, at=self.clock.now()).id

    def suspend_cards(self, person: str) -> None:
        with self.database.write() as session:
            for row in session.scalars(
                select(Credential).where(
                    Credential.person == person,
                    Credential.kind == CredentialKind.CARD,
                    Credential.status == CredentialStatus.ACTIVE,
                )
            ).all():
                issuing.suspend(session, row, row.version, at=self.clock.now(), replace_with_guard_call=True)

    def face(self, person: str, given_by: GivenBy = GivenBy.SELF, photo: bytes | None = None) -> str:
        self.photos += 1
        with self.database.write() as session:
            row = session.get_one(Person, person)
            consent = consents.give(
                session,
                row,
                FACE,
                wording="I agree.",
                channel="counter",
                given_by=given_by,
                at=self.clock.now(),
            )
            content = b"\xff\xd8 photo %d" % self.photos if photo is None else photo
            stored = self.media.put(content, subject=consent.id)
            templates.enrol(
                session,
                row,
                Embedding("e", "1", 4, bytes(16), 0.9),
                media_id=stored.media_id,
                at=self.clock.now(),
            )
            return stored.media_id

    def withdraw(self, person: str) -> None:
        with self.database.write() as session:
            row = session.get_one(Person, person)
            erasures.withdraw(session, row, FACE, at=self.clock.now(), by="li")

    def erase(self, person: str) -> str:
        with self.database.write() as session:
            row = session.get_one(Person, person)
            return erasures.order(session, row, ErasureKind.PERSON, at=self.clock.now(), by="li").id

    def visitor(self, pass_id: str, card: str | None, hours: float = 4, **changes: object) -> None:
        with self.database.write() as session:
            row = VisitorPass(
                id=pass_id,
                compound=COMPOUND,
                kind=PassKind.VISITOR,
                host_household="h1",
                starts_at=self.clock.now(),
                ends_at=self.clock.now() + dt.timedelta(hours=hours),
                **changes,
            )
            session.add(row)
            session.flush()
            if card is not None:
                cards.hand_out(session, row, card, self.clock.now())

    def revoke(self, pass_id: str) -> None:
        with self.database.write() as session:
            session.get_one(VisitorPass, pass_id).state = PassState.REVOKED

    # What is there

    def rows(self) -> dict[str, TerminalEnrolment]:
        """Entries by their person or pass."""
        with self.database.read() as session:
            found = session.scalars(
                select(TerminalEnrolment).where(TerminalEnrolment.device == TERMINAL)
            ).all()
            session.expunge_all()
        return {row.person or row.visitor_pass or "": row for row in found}

    def pushes(self) -> list[TerminalPush]:
        with self.database.read() as session:
            found = session.scalars(select(TerminalPush).order_by(TerminalPush.id)).all()
            session.expunge_all()
        return list(found)

    def orders(self) -> list[DeleteOrder]:
        with self.database.read() as session:
            found = session.scalars(select(DeleteOrder).order_by(DeleteOrder.id)).all()
            session.expunge_all()
        return list(found)

    def there(self) -> dict[str, tuple[str | None, bool]]:
        """Whose entries lie on the terminal: (card, whether a face); under `?…` what nobody knows of."""
        holders = {row.ref: holder for holder, row in self.rows().items()}
        return {
            holders.get(ref, f"?{ref}"): (entry.get("RFIDCard"), "picURI" in entry)
            for ref, entry in self.terminal.entries.items()
        }

    def put(self) -> list[dict[str, object]]:
        """Everybody who was ever sent, in order."""
        return [
            person
            for message in self.terminal.heard
            if message["operator"] == "EditPersonsNew"
            for person in message["info"]
        ]

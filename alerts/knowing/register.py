"""What the register says of whom one compound's messages name, read once for many of them."""

from sqlalchemy.orm import Session

from alerts.knowing.homes import Homes
from alerts.knowing.keys import Credentials
from alerts.knowing.motors import Motors
from alerts.knowing.people import People
from alerts.knowing.presence import Presence
from alerts.knowing.visits import Visits
from alerts.knowing.watching import Watching
from registry.days import time_zone


class Register:
    """Kept by whoever reads a long past in chunks; for what happens now a new one is made each time.

    What was read once is not read again: a pass that is given afterwards is not in it.
    """

    def __init__(self, session: Session, compound: str) -> None:
        self.session = session
        self.compound = compound
        self.zone = time_zone(session, compound)
        self.people = People(session, compound, self.zone)
        self.credentials = Credentials(session, compound)
        self.visits = Visits(session, compound, self.zone)
        self.motors = Motors(session, compound, self.zone)
        self.homes = Homes(session, compound)
        self.watching = Watching(session, compound)
        self._presence: Presence | None = None

    def read_through(self, session: Session) -> None:
        """Reads what is still to be read through another session: the one before may be closed."""
        self.session = session
        parts = (self.people, self.credentials, self.visits, self.motors, self.homes, self.watching)
        for part in parts:
            part.session = session
        if self._presence is not None:
            self._presence.session = session

    @property
    def presence(self) -> Presence:
        """Read when a device is gone: of every device of the compound."""
        if self._presence is None:
            self._presence = Presence(self.session, self.compound)
        return self._presence

"""What the intake does without a message: floods that are over are told, dead letters read again."""

from ingest.intake import Intake
from ingest.letters import waiting
from storage import Clock, Database


class Upkeep:
    """For whoever looks in every second or so."""

    def __init__(self, database: Database, intake: Intake, clock: Clock) -> None:
        self._database = database
        self._intake = intake
        self._clock = clock

    def turn(self) -> bool:
        """Does what is due; True where something was stored. Raises what the database raises."""
        now = self._clock.now()
        closed = self._intake.close_floods(now)
        letters = waiting(self._database)
        if letters:
            self._intake.replay(letters, now)
        return bool(closed or letters)

    def finish(self) -> None:
        """Tells of floods that go on, since the counts would be lost with the process."""
        self._intake.close_floods(None)

"""What `ringward doctor` looks at beyond settings and files: machine, database at work, bus and broker.

Each check says in a sentence what it saw, and what to do when it is not well. None changes anything; one
writes a file to see how fast the disk is, which is gone afterwards.
"""

from ringward.checkup import bus, machine, mqtt, work
from ringward.checkup.finding import Finding, Level, worst

__all__ = ["Finding", "Level", "bus", "machine", "mqtt", "work", "worst"]

"""A backup that follows: a base, and what has changed since, again and again while everything runs.

`Follower` writes, `restore` brings back the state of a moment. The database's side is a
`Source`: pages of SQLite's log, or the log of PostgreSQL. Pictures are copied once, and the
copy of the keys is the one that archives share.
"""

from ringward.follow.follower import Follower, Turn
from ringward.follow.layout import FOLDER, NothingThenError
from ringward.follow.restoring import restore
from ringward.follow.source import Source, source_of

__all__ = ["FOLDER", "Follower", "NothingThenError", "Source", "Turn", "restore", "source_of"]

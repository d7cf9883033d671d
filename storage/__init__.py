"""The ground floor: what is true, on disk.

Engine and sessions, column types, the event log with its outbox (one commit), the
media store, migrations, keys, and the audit chain. It imports no other room.
"""

from storage.base import Base, Versioned
from storage.clock import Clock, SystemClock
from storage.columns import Encrypted, EncryptedText, JsonText, UtcTime
from storage.database import Database
from storage.ids import content_id, new_id
from storage.keys import KeyRing
from storage.media import MediaStore, StoredPicture
from storage.tenancy import OwnedByCompound
from storage.vault import Vault

__all__ = [
    "Base",
    "Clock",
    "Database",
    "Encrypted",
    "EncryptedText",
    "JsonText",
    "KeyRing",
    "MediaStore",
    "OwnedByCompound",
    "StoredPicture",
    "SystemClock",
    "UtcTime",
    "Vault",
    "Versioned",
    "content_id",
    "new_id",
]

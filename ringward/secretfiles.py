"""Settings that lie in files of their own: passwords, and addresses that hold one.

A file is named as the variable of the environment would be, in small letters
(`ringward_database_url`), and lies in the folder that systemd's `LoadCredential=` makes or that
`RINGWARD_SECRETS_DIR` names, as Docker and Kubernetes mount theirs. Unlike a variable it is not
inherited by whatever a process starts, and stands in no list of processes.
"""

import os
from pathlib import Path

from pydantic_settings import BaseSettings, SecretsSettingsSource

FOLDER = "RINGWARD_SECRETS_DIR"
# Set by systemd for a service that has credentials.
_OF_SYSTEMD = "CREDENTIALS_DIRECTORY"


def secret_folders() -> list[Path]:
    """The folders that there are, the named one first."""
    named = [os.environ.get(name) for name in (FOLDER, _OF_SYSTEMD)]
    return [Path(folder) for folder in named if folder and Path(folder).is_dir()]


def secret_files(settings: type[BaseSettings]) -> list[SecretsSettingsSource]:
    """A source of settings for each folder."""
    return [SecretsSettingsSource(settings, secrets_dir=folder) for folder in secret_folders()]

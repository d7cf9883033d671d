"""What the settings page is told and asks for. Values only: the settings themselves are the process's.

A secret's value is never among them, only whether it is set.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Source(enum.StrEnum):
    """Where a value comes from; the first that says something counts."""

    GIVEN = "given"  # on the command line
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


class Group(enum.StrEnum):
    """What a setting is about, in the order of the page."""

    STORAGE = "storage"
    NETWORK = "network"
    INTAKE = "intake"
    DEVICES = "devices"
    RECOGNITION = "recognition"
    RULES = "rules"
    RETENTION = "retention"
    NOTIFY = "notify"
    ACCOUNTS = "accounts"
    PROCESS = "process"


class SettingKind(enum.StrEnum):
    """How a value is entered."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    TRUTH = "truth"
    CHOICE = "choice"
    SECRET = "secret"  # noqa: S105 - the word, not one


@dataclass(frozen=True, slots=True)
class Setting:
    """One field. `value` is what holds now, `default` what would without anything; both as text.

    `least` and `most` are the ends of its range, both included; `above` is an end that is not. Of a
    secret `value` is empty and `is_set` says the rest. `written` is what the file says, where that
    is not what holds yet. `env` is the environment variable's name.
    """

    name: str
    group: Group
    kind: SettingKind
    title: str
    description: str
    value: str
    default: str
    is_set: bool
    source: Source
    env: str
    least: str | None = None
    most: str | None = None
    above: str | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with the configuration, as `ringward check-config` says it."""

    of: str
    line: int
    is_error: bool
    text: str


class SettingRefusedError(Exception):
    """A value that the settings do not take; `text` is why, in the model's own words."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text


class SettingsBook(Protocol):
    """The settings of the running process."""

    @property
    def file(self) -> str:
        """Where the file lies or would lie."""
        ...

    @property
    def writable(self) -> bool:
        """Whether this process may write the file."""
        ...

    def settings(self) -> Sequence[Setting]:
        """All of them, in the order of the model."""
        ...

    def findings(self, compound: str, language: str) -> Sequence[Finding]:
        """What is wrong with the file as it is written now, with rules and routes."""
        ...

    def line(self, name: str, value: str) -> str:
        """The line for the file, checked by the model. Raises `SettingRefusedError`."""
        ...

    def write(self, name: str, value: str | None) -> None:
        """Writes one value to the file, or takes it out (None), keeping all else. Applies after a restart.

        Raises `SettingRefusedError`: unknown_setting, setting_secret, setting_in_environment,
        setting_invalid, settings_read_only, settings_file_broken.
        """
        ...

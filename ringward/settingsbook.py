"""The settings as a page shows and changes them: each value with where it comes from, made from the model.

What is changed is written to the TOML file and holds from the next start: half of a process
cannot listen elsewhere while the other half does not.
"""

import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import tomlkit
from annotated_types import Ge, Gt, Le
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource, SettingsConfigDict
from tomlkit.exceptions import TOMLKitError

from console.settingsbook import Finding, Group, Setting, SettingKind, SettingRefusedError, Source
from console.texts import load, locale_of
from ringward.secretfiles import secret_folders
from ringward.settings import Settings

# What may hold a password beside an address.
_SEALED: Final = frozenset({"database_url", "vault_url", "nats_url"})
_GROUPS: Final[Mapping[str, Group]] = {
    "data_": Group.STORAGE, "database_": Group.STORAGE, "vault_": Group.STORAGE, "media_": Group.STORAGE,
    "backup_": Group.STORAGE,
    "postgres_": Group.STORAGE,
    "http_": Group.NETWORK, "public_": Group.NETWORK, "mqtt_": Group.NETWORK, "nats_": Group.NETWORK,
    "bus_": Group.NETWORK, "health_": Group.NETWORK,
    "push_host": Group.NETWORK, "push_port": Group.NETWORK,
    "ingest_": Group.INTAKE, "flood_": Group.INTAKE, "spool_": Group.INTAKE, "stream_": Group.INTAKE,
    "terminal_low": Group.RECOGNITION,
    "terminal_": Group.DEVICES, "list_": Group.DEVICES, "device_": Group.DEVICES,
    "recognition_": Group.RECOGNITION, "face_": Group.RECOGNITION, "gate_": Group.RECOGNITION,
    "door_": Group.RECOGNITION, "smallest_": Group.RECOGNITION, "stranger_": Group.RECOGNITION,
    "rules_": Group.RULES, "plans_": Group.RULES, "routes_": Group.RULES, "alerts_": Group.RULES,
    "retention_": Group.RETENTION,
    "notify_": Group.NOTIFY, "push_contact": Group.NOTIFY,
    "oidc_": Group.ACCOUNTS, "second_": Group.ACCOUNTS, "session_": Group.ACCOUNTS, "sign_": Group.ACCOUNTS,
}  # fmt: skip
_writing = threading.Lock()


class _FromFile(Settings):
    """The settings as a file would make them, without the file that lies there now."""

    model_config = SettingsConfigDict(toml_file=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[Settings],  # type: ignore[override]
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


class Book:
    """Settings of a running process (`console.settingsbook.SettingsBook`)."""

    def __init__(self, settings: Settings, path: Path | None = None) -> None:
        self._settings = settings
        self._path = (path or Path(str(Settings.model_config["toml_file"]))).absolute()

    @property
    def file(self) -> str:
        return str(self._path)

    @property
    def writable(self) -> bool:
        there = self._path if self._path.exists() else self._path.parent
        return os.access(there, os.W_OK) and os.access(self._path.parent, os.W_OK)

    def settings(self) -> Sequence[Setting]:
        written = self._written()
        return [self._one(name, field, written) for name, field in Settings.model_fields.items()]

    def findings(self, compound: str, language: str) -> Sequence[Finding]:
        """All that `ringward check-config` would say; `compound` is the deployment's own."""
        # It knows every command's imports, this room among them.
        from ringward.cli.check_config import examine

        del compound
        texts = load(locale_of(language) or "en")
        said = examine(None, texts, self._settings.data_dir)
        return [Finding(one.of, one.line, one.level == "error", one.text) for one in said]

    def line(self, name: str, value: str) -> str:
        found = self._checked(name, value)
        document = tomlkit.document()
        document.add(name, found)
        return tomlkit.dumps(document).strip()

    def write(self, name: str, value: str | None) -> None:
        with _writing:
            typed = None if value is None else self._checked(name, value)
            if value is None:
                self._editable(name)
            if not self.writable:
                raise SettingRefusedError("settings_read_only", self.file)
            document = self._document()
            if typed is None:
                document.pop(name, None)
                self._fits(document.unwrap(), name)
            else:
                document[name] = typed
            self._replace(tomlkit.dumps(document))

    def _one(self, name: str, field: FieldInfo, written: Mapping[str, Any]) -> Setting:
        kind, choices = _kind(name, field)
        value, default = getattr(self._settings, name), field.get_default(call_default_factory=True)
        secret = kind is SettingKind.SECRET
        source = self._source(name, written)
        ends = {type(one): one for one in field.metadata}
        least, most, above = ends.get(Ge), ends.get(Le), ends.get(Gt)
        pending = name in written and source is Source.FILE and _text(written[name]) != _text(value)
        return Setting(
            name=name,
            group=_group(name),
            kind=kind,
            title=field.title or name,
            description=field.description or "",
            value="" if secret else _text(value),
            default="" if secret else _text(default),
            is_set=value is not None,
            source=source,
            env=f"RINGWARD_{name.upper()}",
            least=None
            if least is None
            else f"{least.ge:g}"
            if isinstance(least.ge, float)
            else str(least.ge),
            most=None if most is None else f"{most.le:g}" if isinstance(most.le, float) else str(most.le),
            above=None if above is None else str(above.gt),
            choices=choices,
            pattern=next((one.pattern for one in field.metadata if getattr(one, "pattern", None)), None),
            written=_text(written[name]) if pending and not secret else None,
        )

    def _source(self, name: str, written: Mapping[str, Any]) -> Source:
        if _in_environment(name):
            return Source.ENVIRONMENT
        if name in written:
            return Source.FILE
        return Source.GIVEN if name in self._settings.model_fields_set else Source.DEFAULT

    def _editable(self, name: str) -> FieldInfo:
        field = Settings.model_fields.get(name)
        if field is None:
            raise SettingRefusedError("unknown_setting", name)
        if _kind(name, field)[0] is SettingKind.SECRET:
            raise SettingRefusedError("setting_secret", name)
        if _in_environment(name):
            raise SettingRefusedError("setting_in_environment", f"RINGWARD_{name.upper()}")
        return field

    def _checked(self, name: str, value: str) -> Any:
        """The value as the file holds it. Raises `SettingRefusedError`."""
        typed = _typed(_kind(name, self._editable(name))[0], value.strip())
        self._fits(self._written() | {name: typed}, name)
        return typed

    def _fits(self, whole: Mapping[str, Any], name: str) -> None:
        given = {key: value for key, value in whole.items() if not _in_environment(key)}
        try:
            _FromFile(**given)
        except ValidationError as error:
            mine = [one for one in error.errors() if name in one["loc"]] or error.errors()
            raise SettingRefusedError("setting_invalid", "; ".join(one["msg"] for one in mine)) from None

    def _written(self) -> dict[str, Any]:
        try:
            return dict(self._document().unwrap())
        except SettingRefusedError:
            return {}

    def _document(self) -> tomlkit.TOMLDocument:
        try:
            return tomlkit.parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return tomlkit.document()
        except (OSError, UnicodeDecodeError, TOMLKitError) as error:
            raise SettingRefusedError("settings_file_broken", type(error).__name__) from None

    def _replace(self, text: str) -> None:
        """The whole file at once: a power cut leaves the old one or the new one."""
        mode = self._path.stat().st_mode & 0o777 if self._path.exists() else 0o600
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(mode)
            Path(name).replace(self._path)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise SettingRefusedError("settings_read_only", error.strerror or "") from None


def _in_environment(name: str) -> bool:
    wanted = f"RINGWARD_{name}".upper()
    if any(known.upper() == wanted for known in os.environ):
        return True
    # A file of a secret is out of reach of the page in the same way.
    return any((folder / wanted.lower()).exists() for folder in secret_folders())


def _group(name: str) -> Group:
    found = [prefix for prefix in _GROUPS if name.startswith(prefix)]
    return _GROUPS[max(found, key=len)] if found else Group.PROCESS


def _kind(name: str, field: FieldInfo) -> tuple[SettingKind, tuple[str, ...]]:
    kinds = [one for one in get_args(field.annotation) if one is not type(None)] or [field.annotation]
    if name in _SEALED or SecretStr in kinds:
        return SettingKind.SECRET, ()
    if get_origin(field.annotation) is Literal:
        return SettingKind.CHOICE, tuple(str(one) for one in get_args(field.annotation))
    for kind, named in ((bool, SettingKind.TRUTH), (int, SettingKind.WHOLE), (float, SettingKind.NUMBER)):
        if kind in kinds:
            return named, ()
    return SettingKind.TEXT, ()


def _typed(kind: SettingKind, value: str) -> Any:
    try:
        if kind is SettingKind.WHOLE:
            return int(value)
        if kind is SettingKind.NUMBER:
            return float(value)
    except ValueError:
        raise SettingRefusedError("setting_invalid", "a number is expected") from None
    if kind is SettingKind.TRUTH:
        if value not in {"true", "false"}:
            raise SettingRefusedError("setting_invalid", "true or false is expected")
        return value == "true"
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)

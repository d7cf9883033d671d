"""What every process starts from: settings made into database, keys, media, bus and metrics."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from alerts.routing.current import use as use_routes
from bus.address import BusAddress
from bus.login import BrokerLogin
from bus.tls import Tls
from ingest.share import Share, share
from ringward import build
from ringward.poolmetrics import PoolMetrics
from ringward.ports import reachable
from ringward.settings import Settings
from storage import Clock, Database, KeyRing, MediaStore, SystemClock, Vault, anchors
from storage.database import IDLE_HOLDER_S, IDLE_WRITER_S
from storage.keys import install_ring
from storage.objects import bucket
from storage.secretfile import make_once
from storage.vault import install_vault

# The dot keeps it apart from every device id.
CORE_USER = "ringward.core"


@dataclass(frozen=True, slots=True)
class Foundation:
    """The ground a process stands on."""

    settings: Settings
    database: Database
    media: MediaStore
    ring: KeyRing
    vault: Vault
    clock: Clock
    metrics: CollectorRegistry
    bus: BusAddress


def lay(settings: Settings, roles: Sequence[str] = ()) -> Foundation:
    """Opens everything a process of these roles needs. The database must have been migrated."""
    # Nobody else's business: not all that lies there is sealed.
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ring = KeyRing.load(settings.key_file)
    install_ring(ring)
    vault = Vault(settings.vault_url, ring) if settings.vault_url else Vault.at(settings.vault_file, ring)
    install_vault(vault)
    use_routes(settings.routes_file)
    metrics = CollectorRegistry()
    ProcessCollector(registry=metrics)
    PlatformCollector(registry=metrics)
    GCCollector(registry=metrics)
    build.show(metrics)
    database = Database(
        settings.database,
        pool=settings.database_connections(roles),
        name="-".join(("ringward", *roles))[:63],
        # A console takes in whole registers in one transaction; no standby waits for it.
        idle_writer_s=IDLE_HOLDER_S if roles and "console" not in roles else IDLE_WRITER_S,
    )
    PoolMetrics(metrics, database)
    return Foundation(
        settings=settings,
        database=database,
        media=media_store(settings, ring),
        ring=ring,
        vault=vault,
        clock=SystemClock(),
        metrics=metrics,
        bus=bus_address(settings),
    )


def media_store(settings: Settings, ring: KeyRing) -> MediaStore:
    """Pictures in the data directory, or in the bucket of the settings."""
    if settings.media_url is None:
        return MediaStore(settings.media_dir, ring)
    key_id, key_secret = settings.media_key_id, settings.media_key_secret
    return MediaStore(
        bucket(
            settings.media_url,
            endpoint=settings.media_endpoint,
            region=settings.media_region,
            key_id=key_id.get_secret_value() if key_id else None,
            key_secret=key_secret.get_secret_value() if key_secret else None,
        ),
        ring,
    )


def anchor_audit(foundation: Foundation) -> None:
    """Notes how far the audit log has come; for the keeper, every few seconds.

    Raises `storage.anchors.AnchorError` where the end of the log was cut off.
    """
    anchors.write(
        foundation.database, foundation.settings.anchor_file, foundation.ring, foundation.clock.now()
    )


def bus_address(settings: Settings) -> BusAddress:
    """The NATS server of the settings, or the embedded one with its generated password."""
    if settings.nats_url is not None:
        password = settings.nats_password.get_secret_value() if settings.nats_password else None
        return BusAddress(
            settings.nats_url, settings.nats_user, password, bus_tls(settings), settings.bus_replicas
        )
    return BusAddress(
        f"nats://127.0.0.1:{settings.nats_port}", CORE_USER, load_secret(settings.bus_secret_file)
    )


def mqtt_login(settings: Settings, role: str | None = None) -> BrokerLogin:
    """How ingest signs in: to the embedded broker, or to the one of the settings.

    Another `role` has a client id of its own: a broker ends a session when its id comes again.
    """
    host = reachable(settings.mqtt_host)
    if settings.nats_url is not None:
        password = settings.mqtt_password.get_secret_value() if settings.mqtt_password else None
        user = settings.mqtt_user
    else:
        user, password = CORE_USER, load_secret(settings.bus_secret_file)
    client_id = settings.mqtt_client_id if role is None else f"{settings.mqtt_client_id}-{role}"
    return BrokerLogin(host, settings.mqtt_port, user, password, client_id, broker_tls(settings))


def bus_tls(settings: Settings) -> Tls | None:
    """How the NATS server of the settings is spoken to; None in the clear, as to the embedded one."""
    if settings.nats_ca_file is None and settings.nats_cert_file is None:
        return None
    return Tls(settings.nats_ca_file, settings.nats_cert_file, settings.nats_key_file)


def broker_tls(settings: Settings) -> Tls | None:
    """How the MQTT broker of the settings is spoken to."""
    if not settings.mqtt_tls:
        return None
    return Tls(settings.mqtt_ca_file, settings.mqtt_cert_file, settings.mqtt_key_file)


def ingest_login(settings: Settings) -> BrokerLogin:
    """How ingest signs in, by the name of its share: each has a session of its own at the broker.

    Raises `ShareError` where the settings name no share.
    """
    login = mqtt_login(settings)
    suffix = ingest_share(settings).suffix()
    return replace(login, client_id=f"{login.client_id}{suffix}") if suffix else login


def ingest_share(settings: Settings) -> Share:
    """Which part of what devices publish this ingest takes. Raises `ShareError`."""
    return share(settings.ingest_compounds, settings.ingest_vendor_topics)


def load_secret(path: Path) -> str:
    """A random secret kept in a file of mode 0600; made on the first call."""
    if not path.exists():
        make_once(path, secrets.token_urlsafe(32))
    return path.read_text().strip()

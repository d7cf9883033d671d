"""What a registration must be to hold: its zone, its gateway, its names, its topics.

Refusals are `registry.errors.RefusedError`: adapter_unknown, profile_unknown, zone_unknown,
gateway_unknown, gateway_not_one, external_id_bad, external_id_taken, gb28181_bad,
gb28181_taken, topics_overlap.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from devices import gb28181
from devices.adapters import ADAPTERS
from devices.directory import every
from devices.models import Device
from devices.profiles import Profile, profiles
from devices.rights import is_plain_name, overlapping
from registry.errors import RefusedError
from registry.models import Zone


def check(session: Session, device: Device) -> None:
    """Raises `RefusedError`; nothing is written."""
    if device.adapter not in ADAPTERS:
        raise RefusedError("adapter_unknown", adapter=device.adapter[:32])
    profile_named(device.profile)
    zone = session.get(Zone, device.zone)
    if zone is None or zone.compound != device.compound:
        raise RefusedError("zone_unknown", zone=device.zone)
    _check_gateway(session, device)
    _check_external(session, device)
    if device.gb28181_code is not None:
        try:
            gb28181.parse(device.gb28181_code)
        except gb28181.CodeError as error:
            raise RefusedError("gb28181_bad", part=error.reason) from None
        same = select(Device.id).where(Device.gb28181_code == device.gb28181_code, Device.id != device.id)
        with session.no_autoflush:
            if session.scalars(same).first() is not None:
                raise RefusedError("gb28181_taken")


def _check_gateway(session: Session, device: Device) -> None:
    if device.gateway is None:
        return
    gateway = session.get(Device, device.gateway)
    if gateway is None or gateway.compound != device.compound or gateway.retired_at is not None:
        raise RefusedError("gateway_unknown", gateway=device.gateway)
    speaks_for_others = gateway.adapter in ADAPTERS and ADAPTERS[gateway.adapter].gateway
    if gateway.gateway is not None or gateway.id == device.id or not speaks_for_others:
        raise RefusedError("gateway_not_one", gateway=device.gateway)


def _check_external(session: Session, device: Device) -> None:
    name = device.external_id
    if name is None:
        return
    # Whoever signs in at the broker has its name in its topics; what hangs on a gateway may be
    # called as its owner likes.
    if not 1 <= len(name) <= 128 or (
        device.gateway is None and ADAPTERS[device.adapter].topics and not is_plain_name(name)
    ):
        raise RefusedError("external_id_bad")
    if device.gateway is None:
        same = select(Device.id).where(
            Device.adapter == device.adapter, Device.external_id == name, Device.gateway.is_(None)
        )
    else:
        same = select(Device.id).where(Device.gateway == device.gateway, Device.external_id == name)
    with session.no_autoflush:
        if session.scalars(same.where(Device.id != device.id)).first() is not None:
            raise RefusedError("external_id_taken")


def check_topics(session: Session, device: Device) -> None:
    """Two devices that could write each other's topics would be one to whoever reads them."""
    known = every(session)
    other = overlapping(known[device.id], known.values())
    if other is not None:
        raise RefusedError("topics_overlap", device=other)


def profile_named(name: str | None) -> Profile | None:
    """Raises `RefusedError("profile_unknown")`."""
    if name is None:
        return None
    found = profiles().get(name)
    if found is None:
        raise RefusedError("profile_unknown", profile=name[:64])
    return found

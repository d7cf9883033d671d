"""Addresses of the compound's own network: nothing else is called, whoever asks for it.

A server that fetches what it is told to fetch can be sent anywhere: to a cloud's metadata at
169.254.169.254, to what listens on loopback, to a stranger who collects passwords. So the
networks are named beforehand, and a name is looked up and checked at every call.
"""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE: Final = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
"""RFC 1918 and RFC 4193. Neither loopback nor link-local: no camera is there, and other things are."""
_LONGEST: Final = 200


def networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, comma-separated. Raises `ValueError`."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def is_near(address: str, allowed: tuple[Network, ...]) -> bool:
    """Whether an IP address lies in one of the networks; a name does not."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found.version == network.version and found in network for network in allowed)


def is_address(host: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def base_url(text: str) -> tuple[str, str]:
    """(`scheme://host[:port]`, host) of a device. Raises `ValueError`.

    No path, no query and no sign-in: what is asked for below it is not for whoever types to say.
    """
    parts = urlsplit(text.strip())
    host = parts.hostname or ""
    if (
        parts.scheme not in {"http", "https"}
        or not host.isascii()
        or not host.replace(":", "a").replace(".", "a").replace("-", "a").isalnum()
        or parts.path not in {"", "/"}
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise ValueError("an address is http://host or https://host, with a port where it is needed")
    named = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{named}" + (f":{parts.port}" if parts.port else "")
    if len(base) > _LONGEST:
        raise ValueError("an address is short")
    return base, host

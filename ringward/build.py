"""Which build a process is of."""

import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge


def show(registry: CollectorRegistry) -> None:
    """Registers the build; two of them side by side are an upgrade under way."""
    Gauge(
        "ringward_build_info",
        "1, with the version of Ringward and of Python in its labels.",
        ["version", "python"],
        registry=registry,
    ).labels(version("ringward"), platform.python_version()).set(1)

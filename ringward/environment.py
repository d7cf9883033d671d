"""What a child process is told by its environment."""

import os

from ringward.child import ONE_THREAD
from ringward.settings import Settings


def environment_for(settings: Settings) -> dict[str, str]:
    """The children's environment: the supervisor's own, with the ports it has settled on."""
    environment = dict(os.environ)
    fixed = {
        "DATA_DIR": str(settings.data_dir.resolve()),
        "HTTP_HOST": settings.http_host,
        "HTTP_PORT": str(settings.http_port),
        "MQTT_HOST": settings.mqtt_host,
        "MQTT_PORT": str(settings.mqtt_port),
        "NATS_PORT": str(settings.nats_port),
        "PUSH_HOST": settings.push_host,
        "PUSH_PORT": str(settings.push_port),
        "HEALTH_HOST": settings.health_host,
        "HEALTH_PORT": str(settings.health_port),
        "DRAIN_S": str(settings.drain_s),
        "COMPOUND": settings.compound,
        "LOG_LEVEL": settings.log_level,
        "LOG_FORMAT": settings.log_format,
    }
    environment |= {f"RINGWARD_{name}": value for name, value in fixed.items()}
    # Threads of several recognition libraries would fight for the same cores.
    for name in ONE_THREAD:
        environment.setdefault(name, "1")
    return environment

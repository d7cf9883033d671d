"""`ringward device acl`: users and access lists for a broker of one's own."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from devices.brokerfiles import Core, render
from devices.credentials import logins, pbkdf2
from devices.secrets import hash_secret
from ringward.cli.common import console, fail, opened, settings


class BrokerName(StrEnum):
    """Brokers that files can be written for."""

    MOSQUITTO = "mosquitto"
    EMQX = "emqx"
    NATS = "nats"


def acl(
    broker: Annotated[BrokerName, typer.Option(help="Whose files.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder they go to.")],
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Write users and access lists for a broker of your own; the embedded one needs none.

    The files hold hashes of secrets and are readable by you alone. Ringward's own user is the one
    of the settings mqtt_user and mqtt_password.

    Example: ringward device acl --broker mosquitto --out /etc/mosquitto/ringward
    """
    loaded = settings(data_dir=data_dir)
    if loaded.mqtt_user is None or loaded.mqtt_password is None:
        raise fail("set mqtt_user and mqtt_password: as whom Ringward signs in to that broker")
    password = loaded.mqtt_password.get_secret_value()
    core = Core(loaded.mqtt_user, hash_secret(password), pbkdf2(password))
    with opened(loaded) as ground, ground.database.read() as session:
        known = logins(session, ground.clock.now())
    try:
        files = render(broker.value, known, core)
    except ValueError as error:
        raise fail(str(error)) from None
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.texts.items():
        _write_private(out / name, text)
        console.print(str(out / name), markup=False)
    for user in files.left_out:
        console.print(
            f"left out: {user}, whose secret is from before Mosquitto's hash was kept; renew it with "
            f"ringward device secret {user.partition('.')[0]}",
            markup=False,
        )


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all: a broker may read it at any moment."""
    partial = path.with_name(f"{path.name}.part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    partial.replace(path)

"""Users and access lists for brokers of one's own: Mosquitto, EMQX, nats-server.

Pure: from logins to the text of files. Each lets a device do what `devices.rights` says and
nothing else, and lets Ringward hear every adapter's topics and talk to the devices.

Mosquitto reads PBKDF2 and the others bcrypt, and neither hash can be made from the other; so
both are made when a secret is issued, and a secret from before that has to be renewed first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bus.embedded import DeviceLogin, is_safe_name, render_users
from devices.adapters import filters
from devices.adapters.contract import Rights
from devices.credentials import Login
from devices.roots import GATEWAYS

BROKERS: Final = ("mosquitto", "emqx", "nats")


@dataclass(frozen=True, slots=True)
class Core:
    """As whom Ringward itself signs in."""

    user: str
    bcrypt_hash: str
    pbkdf2_hash: str


@dataclass(frozen=True, slots=True)
class Files:
    """Name → text, and the users that had to be left out because their secret has no fitting hash."""

    texts: Mapping[str, str]
    left_out: tuple[str, ...] = ()


def render(broker: str, logins: Sequence[Login], core: Core) -> Files:
    """The files of one of `BROKERS`. Raises `KeyError`, and `ValueError` for a name that cannot be quoted."""
    for name in (core.user, *(login.user for login in logins)):
        if not is_safe_name(name.replace(".", "-")):
            raise ValueError("a user name may hold letters, digits, - and _ only")
    return {"mosquitto": _mosquitto, "emqx": _emqx, "nats": _nats}[broker](logins, core)


def core_rights(logins: Sequence[Login]) -> Rights:
    """What Ringward does at the broker: it hears all adapters' topics and writes where devices listen."""
    listening = dict.fromkeys(one for login in logins for one in login.rights.subscribe)
    return Rights(tuple(listening), (*filters(), f"{GATEWAYS}/+/#"))


def _mosquitto(logins: Sequence[Login], core: Core) -> Files:
    rights = core_rights(logins)
    lines = [
        "# Written by `ringward device acl --broker mosquitto`; write it again when devices change.",
        f"user {core.user}",
        *(f"topic read {one}" for one in rights.subscribe),
        *(f"topic write {one}" for one in rights.publish),
    ]
    passwords = [f"{core.user}:{core.pbkdf2_hash}"]
    left_out = []
    for login in logins:
        if login.pbkdf2_hash is None:
            left_out.append(login.user)
            continue
        passwords.append(f"{login.user}:{login.pbkdf2_hash}")
        lines += ["", f"user {login.user}"]
        lines += [f"topic write {one}" for one in login.rights.publish]
        lines += [f"topic read {one}" for one in login.rights.subscribe]
    texts = {"ringward.acl": _text(lines), "ringward.passwd": _text(passwords)}
    return Files(texts, tuple(left_out))


def _emqx(logins: Sequence[Login], core: Core) -> Files:
    rules = [
        "%% Written by `ringward device acl --broker emqx`; write it again when devices change.",
        *_rules(core.user, core_rights(logins)),
        *(line for login in logins for line in _rules(login.user, login.rights)),
        # Somebody who is in the user table and not here may do nothing.
        "{deny, all}.",
    ]
    users = ["user_id,password_hash,salt,is_superuser"]
    users += [
        f"{user},{_as_2a(hashed)},,false"
        for user, hashed in [(core.user, core.bcrypt_hash), *((one.user, one.bcrypt_hash) for one in logins)]
    ]
    return Files({"acl.conf": _text(rules), "ringward-users.csv": _text(users)})


def _nats(logins: Sequence[Login], core: Core) -> Files:
    users = [
        DeviceLogin(
            one.device_id,
            one.compound,
            one.bcrypt_hash,
            one.user,
            one.rights.publish,
            one.rights.subscribe,
        )
        for one in logins
    ]
    lines = [
        "# Written by `ringward device acl --broker nats`; write it again when devices change.",
        "users: [",
        f'    {{ user: "{core.user}", password: "{core.bcrypt_hash}" }}',
        *render_users(users),
        "]",
    ]
    return Files({"ringward-users.conf": _text(lines)})


def _rules(user: str, rights: Rights) -> list[str]:
    who = f'{{username, "{user}"}}'
    named = (("publish", rights.publish), ("subscribe", rights.subscribe))
    return [
        f"{{allow, {who}, {action}, [{', '.join(_erlang(one) for one in topics)}]}}."
        for action, topics in named
        if topics
    ]


def _erlang(topic: str) -> str:
    return f'"{topic}"'


def _as_2a(hashed: str) -> str:
    # The same hash under the older mark, which is the only one that Erlang's bcrypt knows.
    return hashed.replace("$2b$", "$2a$", 1)


def _text(lines: Sequence[str]) -> str:
    return "\n".join((*lines, ""))

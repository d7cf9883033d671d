"""Mosquitto and nats-server as deploy/ sets them up, over TLS: each device under its own branch, nobody else."""

import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import nats
import pytest

from bus import broker as bus_broker
from bus.address import BusAddress
from bus.embedded import find_server
from bus.login import BrokerLogin
from bus.subjects import MQTT_UPLINK, downlink, uplink
from bus.tls import Tls
from devices.adapters.contract import Rights
from devices.brokerfiles import Core, render
from devices.credentials import Login, pbkdf2
from ringward.authority import Kind
from tests.support.brokers import CORE, CORE_PASSWORD, Broker, _find
from tests.support.certificates import Certificates
from tests.support.mqtt import Peer
from tests.support.ports import free_port
from tests.support.waiting import wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
SECRET = "a secret of a device"
COMPOUND = "willow"


def logins() -> list[Login]:
    hashed = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(4)).decode()
    return [
        Login(
            name,
            name,
            COMPOUND,
            hashed,
            pbkdf2(SECRET),
            Rights((f"rw/v1/{COMPOUND}/{name}/up/#",), (f"rw/v1/{COMPOUND}/{name}/down/#",)),
        )
        for name in ("cam-1", "cam-2")
    ]


def core() -> Core:
    hashed = bcrypt.hashpw(CORE_PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    return Core(CORE, hashed, pbkdf2(CORE_PASSWORD))


def replaced(path: Path, *changes: tuple[str, str]) -> str:
    """A shipped file with other ports and paths, and nothing else changed."""
    text = path.read_text()
    for shipped, ours in changes:
        assert shipped in text, f"{path.name} no longer says {shipped}"
        text = text.replace(shipped, ours)
    return text


class SecureMosquitto(Broker):
    """The three shipped files as one, as conf.d would read them."""

    name = "mosquitto"

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        super().__init__(folder)
        self.certificates = certificates
        self.plain_port, self.certificate_port = free_port(), free_port()
        for name, text in render("mosquitto", logins(), core()).texts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        certificates.issue("mqtt", Kind.SERVER, "127.0.0.1")
        files = (
            ("/etc/mosquitto/certs/ca.crt", str(certificates.ca)),
            ("/etc/mosquitto/certs/mqtt.", f"{certificates.folder}/mqtt."),
        )
        shipped = DEPLOY / "mosquitto"
        parts = [
            replaced(
                shipped / "mosquitto.conf",
                ("listener 1883 ", f"listener {self.plain_port} "),
                ("/etc/mosquitto/", f"{folder}/"),
                ("/var/lib/mosquitto/", f"{folder}/"),
            ),
            replaced(shipped / "tls.conf", ("listener 8883", f"listener {self.mqtt_port}"), *files),
            replaced(
                shipped / "certificates.conf",
                ("listener 8884", f"listener {self.certificate_port}"),
                ("/etc/mosquitto/certs/revoked.crl", str(certificates.revoked)),
                *files,
            ),
            "user root\n",
        ]
        (folder / "mosquitto.conf").write_text("\n".join(parts))

    def command(self) -> list[str]:
        return [_find("mosquitto"), "-c", str(self.folder / "mosquitto.conf")]


class SecureNats(Broker):
    """One node of the shipped cluster; the other two are away."""

    name = "nats-server"

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        super().__init__(folder)
        self.bus_port = free_port()
        users = folder / "ringward"
        users.mkdir()
        for name, text in render("nats", logins(), core()).texts.items():
            (users / name).write_text(text)
        certificates.issue("node", Kind.PEER, "127.0.0.1")
        text = replaced(
            DEPLOY / "nats" / "cluster.conf",
            ("$NODE_NAME", '"nats-1"'),
            ("0.0.0.0:4222", f"127.0.0.1:{self.bus_port}"),
            ("0.0.0.0:8883", f"127.0.0.1:{self.mqtt_port}"),
            ("/var/lib/nats/", f"{folder}/"),
            ("/etc/nats/tls/node.", f"{certificates.folder}/node."),
            ("/etc/nats/tls/ca.crt", str(certificates.ca)),
        )
        # A cluster of one: who is to choose a leader must be there.
        head, _, rest = text.partition("cluster {")
        (folder / "nats.conf").write_text(head + rest.partition("\n}\n")[2])

    def command(self) -> list[str]:
        return [str(find_server()), "-c", str(self.folder / "nats.conf")]


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certificates")


@pytest.fixture
def foreign(tmp_path: Path) -> Certificates:
    """An authority that nobody here believes."""
    return Certificates(tmp_path / "foreign")


@pytest.fixture
def mosquitto(tmp_path: Path, certificates: Certificates) -> Iterator[SecureMosquitto]:
    made = SecureMosquitto(tmp_path / "broker", certificates)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def nats_server(tmp_path: Path, certificates: Certificates) -> Iterator[SecureNats]:
    made = SecureNats(tmp_path / "broker", certificates)
    made.start()
    yield made
    made.stop()


@pytest.fixture(params=[pytest.param("mosquitto", marks=pytest.mark.broker), pytest.param("nats_server")])
def either(request: pytest.FixtureRequest) -> Broker:
    found: Broker = request.getfixturevalue(request.param)
    return found


def sign_in(broker: Broker, user: str, tls: Tls | None) -> BrokerLogin:
    password = CORE_PASSWORD if user == CORE else SECRET
    return BrokerLogin("127.0.0.1", broker.mqtt_port, user, password, user, tls)


def refused(login: BrokerLogin) -> bool:
    """Whether the broker ends it before anybody is signed in."""
    peer = Peer(login)
    answers: list[bool] = []
    peer.client.on_connect = lambda _c, _u, _f, reason, _p: answers.append(not reason.is_failure)
    peer.client.on_disconnect = lambda *_: answers.append(False)
    try:
        peer.client.connect(login.host, login.port)
    except (ssl.SSLError, ConnectionError):
        return True
    peer.client.loop_start()
    try:
        wait_until(lambda: bool(answers), "the broker has decided")
    finally:
        peer.client.loop_stop()
    return not answers[0]


def publish_or_leave(peer: Peer, topic: str, payload: bytes) -> None:
    """Returns when the broker has dealt with it: it takes and drops what is forbidden, or breaks off."""
    sent = peer.client.publish(topic, payload, 1)
    wait_until(lambda: sent.is_published() or not peer.client.is_connected(), "it was dealt with")


def test_device_is_heard_under_its_own_branch_and_under_no_other(
    either: Broker, certificates: Certificates
) -> None:
    tls = Tls(certificates.ca)
    with Peer(sign_in(either, CORE, tls)) as ringward:
        assert ringward.subscribe(MQTT_UPLINK)
        with Peer(sign_in(either, "cam-2", tls)) as forger:
            publish_or_leave(forger, uplink(COMPOUND, "cam-1", "event"), b"forged")
            with Peer(sign_in(either, "cam-1", tls)) as camera:
                camera.publish(uplink(COMPOUND, "cam-1", "event"), b"true")
                assert ringward.next().payload == b"true"
        assert ringward.heard.empty()


def test_device_hears_nothing_that_is_told_to_another(either: Broker, certificates: Certificates) -> None:
    tls = Tls(certificates.ca)
    with Peer(sign_in(either, "cam-2", tls)) as other, Peer(sign_in(either, "cam-1", tls)) as camera:
        other.client.subscribe(downlink(COMPOUND, "cam-1", "command"), 1)
        assert camera.subscribe(downlink(COMPOUND, "cam-1", "command"))
        with Peer(sign_in(either, CORE, tls)) as ringward:
            ringward.publish(downlink(COMPOUND, "cam-1", "command"), b"open")
            assert camera.next().payload == b"open"
        assert other.heard.empty()


def test_broker_of_another_authority_is_not_spoken_to(either: Broker, foreign: Certificates) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        Peer(sign_in(either, "cam-1", Tls(foreign.ca))).client.connect("127.0.0.1", either.mqtt_port)


def test_who_speaks_in_the_clear_is_not_heard(either: Broker) -> None:
    assert refused(sign_in(either, "cam-1", None))


@pytest.mark.broker
def test_certificate_of_a_device_is_its_name_until_it_is_revoked(
    mosquitto: SecureMosquitto, certificates: Certificates, foreign: Certificates
) -> None:
    mosquitto.mqtt_port, plain = mosquitto.certificate_port, mosquitto.mqtt_port

    def alone(tls: Tls) -> BrokerLogin:
        return BrokerLogin("127.0.0.1", mosquitto.certificate_port, None, None, "cam", tls)

    mine = certificates.issue("cam-1")
    core_login = BrokerLogin("127.0.0.1", plain, CORE, CORE_PASSWORD, CORE, Tls(certificates.ca))
    with Peer(core_login) as ringward:
        assert ringward.subscribe(MQTT_UPLINK)
        with Peer(alone(mine)) as camera:
            publish_or_leave(camera, uplink(COMPOUND, "cam-2", "event"), b"forged")
        with Peer(alone(mine)) as camera:
            camera.publish(uplink(COMPOUND, "cam-1", "event"), b"true")
            assert ringward.next().payload == b"true"
        assert ringward.heard.empty()

    assert refused(alone(Tls(certificates.ca))), "without a certificate"
    stranger = foreign.issue("cam-1")
    assert refused(alone(Tls(certificates.ca, stranger.cert, stranger.key))), "of another authority"

    certificates.revoke("cam-1")
    assert mosquitto._process is not None
    mosquitto._process.send_signal(signal.SIGHUP)
    wait_until(lambda: refused(alone(mine)), "the revoked one is refused")
    assert not refused(alone(certificates.issue("cam-2"))), "the others are let in"


async def test_bus_listens_to_the_sites_certificates_alone(
    nats_server: SecureNats, certificates: Certificates, foreign: Certificates
) -> None:
    url = f"tls://127.0.0.1:{nats_server.bus_port}"

    async def connected(tls: Tls) -> bool:
        options = BusAddress(url, CORE, CORE_PASSWORD, tls).options()
        options |= {"allow_reconnect": False, "connect_timeout": 10}
        try:
            client = await nats.connect(url, **options)
            await client.flush(10)
            await client.close()
        except (OSError, ssl.SSLError, nats.errors.Error):
            return False
        return True

    mine = certificates.issue("ringward")
    assert await connected(mine)
    assert not await connected(Tls(certificates.ca)), "without a certificate"
    stranger = foreign.issue("ringward")
    assert not await connected(Tls(certificates.ca, stranger.cert, stranger.key)), "of another authority"
    assert not await connected(Tls(foreign.ca, mine.cert, mine.key)), "a server that is not believed"

    # The library for workers takes the same address.
    worker = bus_broker.build(BusAddress(url, CORE, CORE_PASSWORD, mine))
    await worker.connect()
    assert await worker.ping(10)
    await worker.stop()

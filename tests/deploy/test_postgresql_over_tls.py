"""PostgreSQL as deploy/ sets it up: Ringward signs in with its password and its own certificate, nobody else."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bus.tls import Tls
from ringward.authority import Kind
from storage import Database
from tests.support.brokers import Broker
from tests.support.certificates import Certificates
from tests.support.ports import free_port
from tests.support.waiting import wait_until

SHIPPED = Path(__file__).parents[2] / "deploy" / "postgresql"
PASSWORD = "of-the-database"


def binaries() -> Path:
    """Debian's newest; the wheel that other tests use knows no TLS."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert found, "postgresql is not installed: deploy/test-tools.sh"
    return found[-1].parent


class SecurePostgres(Broker):
    name = "postgresql"
    user = "postgres"

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        super().__init__(folder)
        self.mqtt_port = free_port()
        self.certificates = certificates
        data = folder / "data"
        certificates.issue("database", Kind.SERVER, "127.0.0.1")
        mine = folder / "tls"
        mine.mkdir()
        for path in (
            certificates.folder / "database.crt",
            certificates.folder / "database.key",
            certificates.ca,
            certificates.revoked,
        ):
            shutil.copy(path, mine)
        (mine / "database.key").chmod(0o600)
        owner = pwd.getpwnam(self.user)
        for path in (folder, mine, *mine.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        self.run("initdb", "--no-sync", "-A", "peer", "-U", "postgres", "-D", str(data))
        conf = (SHIPPED / "ringward.conf").read_text()
        for shipped, ours in (
            ("/etc/postgresql/ringward/", f"{mine}/"),
            ("port = 5432", f"port = {self.mqtt_port}"),
            (
                "listen_addresses = '*'",
                f"listen_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'",
            ),
            # A machine of tests is a small one.
            ("shared_buffers = '2GB'", "shared_buffers = '64MB'"),
        ):
            assert shipped in conf, f"ringward.conf no longer says {shipped}"
            conf = conf.replace(shipped, ours)
        with (data / "postgresql.conf").open("a") as file:
            file.write(conf)
        (data / "pg_hba.conf").write_text((SHIPPED / "pg_hba.conf").read_text())

    def run(self, tool: str, *words: str) -> None:
        done = subprocess.run(
            [binaries() / tool, *words], user=self.user, cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def command(self) -> list[str]:
        return ["setpriv", "--reuid", self.user, "--regid", self.user, "--clear-groups",
                str(binaries() / "postgres"), "-D", str(self.folder / "data")]  # fmt: skip

    def sql(self, statement: str) -> None:
        self.run("psql", "-h", str(self.folder), "-p", str(self.mqtt_port), "-U", "postgres", "-c", statement)

    def answers(self) -> bool:
        asked = [binaries() / "pg_isready", "-h", str(self.folder), "-p", str(self.mqtt_port)]
        return subprocess.run(asked, check=False, capture_output=True).returncode == 0

    def reload(self) -> None:
        # The list lies where the server may read it.
        shutil.copy(self.certificates.revoked, self.folder / "tls" / "revoked.crl")
        self.sql("SELECT pg_reload_conf()")

    def url(self, tls: Tls | None, mode: str = "verify-full") -> str:
        parts = [f"sslmode={mode}"]
        if tls is not None:
            named = (("sslrootcert", tls.ca), ("sslcert", tls.cert), ("sslkey", tls.key))
            parts += [f"{name}={path}" for name, path in named if path is not None]
        where = f"ringward:{PASSWORD}@127.0.0.1:{self.mqtt_port}/ringward"
        return f"postgresql+psycopg://{where}?{'&'.join(parts)}"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certificates")


@pytest.fixture
def server(certificates: Certificates) -> Iterator[SecurePostgres]:
    # The folder of a test is root's; PostgreSQL refuses to be root.
    folder = Path(tempfile.mkdtemp(prefix="ringward-pg-"))
    made = SecurePostgres(folder, certificates)
    try:
        made.start()
        wait_until(made.answers, "PostgreSQL answers")
        made.sql(f"CREATE ROLE ringward LOGIN PASSWORD '{PASSWORD}'")
        made.sql("CREATE DATABASE ringward OWNER ringward")
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def lets_in(url: str) -> bool:
    database = Database(url)
    try:
        with database.read() as session:
            return bool(session.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")))
    except OperationalError:
        return False
    finally:
        database.close()


def test_who_has_password_and_certificate_is_let_in_over_tls_and_nobody_else(
    server: SecurePostgres, certificates: Certificates, tmp_path: Path
) -> None:
    mine = certificates.issue("ringward")
    assert lets_in(server.url(mine))

    nothing = Tls(certificates.ca, tmp_path / "no.crt", tmp_path / "no.key")
    assert not lets_in(server.url(nothing)), "without a certificate"
    assert not lets_in(server.url(certificates.issue("cam-1"))), "with another's"
    assert not lets_in(server.url(mine).replace(PASSWORD, "wrong")), "without the password"
    assert not lets_in(server.url(None, "disable")), "in the clear"

    foreign = Certificates(tmp_path / "foreign")
    stranger = foreign.issue("ringward")
    assert not lets_in(server.url(Tls(certificates.ca, stranger.cert, stranger.key))), "of another authority"
    assert not lets_in(server.url(Tls(foreign.ca, mine.cert, mine.key))), "to a server that is not believed"

    certificates.revoke("ringward")
    server.reload()
    wait_until(lambda: not lets_in(server.url(mine)), "the revoked one is refused")
    assert lets_in(server.url(certificates.issue("ringward"))), "its successor is let in"

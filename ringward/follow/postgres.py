"""PostgreSQL: a base by `pg_basebackup`, and its log by `pg_receivewal`, until a moment of one's choice.

The log is received while it is written, into a folder of the data directory. No replication slot
holds it on the server, whose disk would fill when nobody follows any more: whoever comes too
late finds a gap, and makes a new base. The user of the database URL needs the right REPLICATION.
"""

import contextlib
import datetime as dt
import itertools
import os
import pwd
import shutil
import subprocess
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import psycopg
import structlog
from sqlalchemy.engine import make_url

from ringward.settings import Settings
from storage.archive import ArchiveError, DamagedError
from storage.walfile import GapError

log = structlog.get_logger(__name__)

_CHUNK: Final = 1 << 20
_LEVEL: Final = 1
# A server in recovery answers when it has read its log; a large one takes a while.
_RECOVERY_S: Final = 3600.0
_START_S: Final = 60.0
_STEP_S: Final = 0.2
_PORT: Final = 5432
# Time line, and place in the log: 24 hexadecimal digits.
_SEGMENT_NAME: Final = 24


class ToolMissingError(ArchiveError):
    """PostgreSQL's own programs are not on this machine, or are of another version."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} was not found: install PostgreSQL's client and server programs of the server's version, "
            "or set postgres_bin to their folder"
        )


class FollowServerError(ArchiveError):
    """The server, or one of its programs, refused; its own words, which name no person."""


class Postgres:
    """Follows a whole server, of which the deployment's database is one."""

    name = "postgresql"

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        self._bin = settings.postgres_bin
        self._url = make_url(settings.database_url)
        self._address = conninfo(settings.database_url)
        self._spool = settings.data_dir / "follow-wal"
        self._receiver: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        # Of each file that was shipped: how it looked.
        self._shipped: dict[str, tuple[int, int]] = {}
        self._taken: dict[str, tuple[int, int]] = {}

    def begin(self) -> tuple[dict[str, Any], Iterator[list[Any]]]:
        self.let_go()
        shutil.rmtree(self._spool, ignore_errors=True)
        self._spool.mkdir(parents=True, mode=0o700)
        self._shipped = {}
        self._receive()
        # From before the base on, so that nothing is missing between the two.
        end = time.monotonic() + _START_S
        while not any(self._spool.iterdir()):
            if self._receiver is None or self._receiver.poll() is not None or time.monotonic() > end:
                raise FollowServerError(self._said() or "the server does not send its log")
            time.sleep(_STEP_S)
        return self._identity(), self._whole()

    def resume(self, position: dict[str, Any]) -> bool:
        # The file that was being written is still here: the receiver goes on at its beginning.
        if position != self._identity() or not self._spool.is_dir() or not any(self._spool.iterdir()):
            return False
        self._receive()
        return True

    def changes(self) -> tuple[dict[str, Any], Iterator[list[Any]]] | None:
        if self._receiver is None or self._receiver.poll() is not None:
            said = self._said()
            log.warning("follow.receiver_ended", said=said)
            self.let_go()
            if "already been removed" in said or not self._spool.is_dir() or not any(self._spool.iterdir()):
                raise GapError("the server no longer has the log that comes next")
            self._receive()
        self._taken = {}
        for path in sorted(self._spool.iterdir()):
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if self._shipped.get(path.name) != stamp:
                self._taken[path.name] = stamp
        if not self._taken:
            return None
        return self._identity(), self._files(list(self._taken))

    def accept(self) -> None:
        self._shipped |= self._taken
        for name in self._taken:
            if not name.endswith(".partial"):
                self._shipped.pop(f"{name}.partial", None)
        # What is complete and in the copy goes, but never the last: the receiver goes on behind it.
        for path in sorted(self._spool.iterdir())[:-1]:
            if path.name in self._shipped and not path.name.endswith(".partial"):
                path.unlink()
                self._shipped.pop(path.name)
        self._taken = {}

    def let_go(self) -> None:
        if self._receiver is not None:
            self._receiver.terminate()
            self._receiver.wait(30)
            self._receiver = None
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def close(self) -> None:
        self.let_go()

    def _receive(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the receiver lives
        self._receiver = subprocess.Popen(
            [
                program("pg_receivewal", self._bin),
                "--dbname",
                self._address,
                "--directory",
                str(self._spool),
                "--synchronous",
                "--status-interval=1",
                "--no-password",
            ],
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env=self._environment(),
        )

    def _whole(self) -> Iterator[list[Any]]:
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                [
                    program("pg_basebackup", self._bin),
                    "--dbname",
                    self._address,
                    "--pgdata=-",
                    "--format=tar",
                    # Enough of the log for the base to stand by itself.
                    "--wal-method=fetch",
                    "--checkpoint=fast",
                    "--no-password",
                    "--no-manifest",
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment(),
            )
            assert process.stdout is not None
            try:
                while block := process.stdout.read(_CHUNK):
                    yield ["tar", zlib.compress(block, _LEVEL)]
                if process.wait() != 0:
                    errors.seek(0)
                    raise FollowServerError(errors.read().decode(errors="replace").strip()[-500:])
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                process.stdout.close()

    def _files(self, names: list[str]) -> Iterator[list[Any]]:
        for name in names:
            try:
                content = (self._spool / name).read_bytes()
            except FileNotFoundError:
                # It was the one being written, and has its full name now: the next turn's.
                self._taken.pop(name, None)
                continue
            yield ["wal", name.removesuffix(".partial"), zlib.compress(content, _LEVEL)]

    def _identity(self) -> dict[str, Any]:
        """Which server it is: another one's log does not follow."""
        with self._connected() as connection:
            row = connection.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
            return {
                "server": row[0] if row else "",
                "version": connection.info.server_version // 10000,
                "url": f"postgresql://{connection.info.user}@/{connection.info.dbname}",
            }

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with psycopg.connect(self._address, autocommit=True) as connection:
                yield connection
        except psycopg.Error as error:
            raise FollowServerError(f"the database does not answer: {type(error).__name__}") from None

    def _said(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-300:]

    def _environment(self) -> dict[str, str]:
        # Not on the command line, where every user of the machine can read it.
        password = self._url.password
        return dict(os.environ) | ({"PGPASSWORD": str(password)} if password else {})


@contextmanager
def recovered(
    settings: Settings,
    database_url: str,
    replay: Callable[[Callable[[list[Any]], None]], dt.datetime],
    until: dt.datetime | None,
) -> Iterator[tuple[dt.datetime, str]]:
    """A server of our own that has read the base and the log up to a moment: its state's, and a URL.

    It listens on a socket of this machine alone, in a folder of its own, and is gone afterwards.
    Raises `DamagedError` where the log has a gap or cannot be read.
    """
    binaries = settings.postgres_bin
    owner = _owner()
    # As root the server runs as somebody else, who may not enter the new data directory.
    beside = None if owner else str(settings.data_dir.parent)
    with tempfile.TemporaryDirectory(prefix="ringward-recovery-", dir=beside) as made:
        root = Path(made)
        data, wal, socket = root / "data", root / "wal", root / "s"
        for path in (data, wal, socket):
            path.mkdir(mode=0o700)
        reached = _unpack(replay, data, wal)
        _contiguous(wal)
        at = reached if until is None else min(until, reached)
        user, name = _reader(database_url)
        url = make_url("postgresql+psycopg://").set(
            username=user, database=name, query={"host": str(socket), "port": str(_PORT)}
        )
        address = url.render_as_string(hide_password=False)
        arguments = [
            *(program("postgres", binaries), "-D", str(data), "-k", str(socket), "-p", str(_PORT)),
            *("-c", "listen_addresses=", "-c", "archive_mode=off", "-c", "ssl=off", "-c", "hot_standby=off"),
            *("-c", f"hba_file={data / 'recovery_hba.conf'}", "-c", "shared_preload_libraries="),
            *("-c", "fsync=off", "-c", "log_destination=stderr", "-c", "logging_collector=off"),
        ]
        _configure(data, wal, at if until is not None else None)
        server = _start(arguments, root, owner)
        try:
            if not _comes_up(server, conninfo(address), root / "log"):
                # Nothing was committed after that moment, so the log ends before it.
                _configure(data, wal, None)
                server = _start(arguments, root, owner)
                if not _comes_up(server, conninfo(address), root / "log"):
                    raise DamagedError("the server did not come to the end of its log")
            yield at, address
        finally:
            server.terminate()
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _unpack(
    replay: Callable[[Callable[[list[Any]], None]], dt.datetime], data: Path, wal: Path
) -> dt.datetime:
    with tempfile.TemporaryFile() as tar:

        def take(frame: list[Any]) -> None:
            match frame:
                case ["tar", bytes(block)]:
                    tar.write(zlib.decompress(block))
                case ["wal", str(name), bytes(content)] if name.replace(".", "").isalnum():
                    (wal / name).write_bytes(zlib.decompress(content))
                case _:
                    raise DamagedError("a frame that is none of PostgreSQL's")

        at = replay(take)
        tar.seek(0)
        with tarfile.open(fileobj=tar, mode="r:") as opened:
            opened.extractall(data, filter="data")
    data.chmod(0o700)
    return at


def _contiguous(wal: Path) -> None:
    """The log is whole: a server that finds a gap takes it for the end and says nothing."""
    files = sorted(path for path in wal.iterdir() if len(path.name) == _SEGMENT_NAME)
    numbers = []
    for path in files:
        each_gives = (1 << 32) // path.stat().st_size
        numbers.append(int(path.name[8:16], 16) * each_gives + int(path.name[16:], 16))
    for one, following in itertools.pairwise(sorted(set(numbers))):
        if following != one + 1:
            raise DamagedError("a part of the server's log is missing")


def _configure(data: Path, wal: Path, target: dt.datetime | None) -> None:
    (data / "recovery.signal").touch()
    (data / "standby.signal").unlink(missing_ok=True)
    (data / "recovery_hba.conf").write_text("local all all trust\n")
    lines = [
        f'restore_command = \'cp "{wal}/%f" "%p"\'',
        "recovery_target_action = 'promote'",
        "recovery_target_timeline = 'latest'",
        "primary_conninfo = ''",
        "primary_slot_name = ''",
        # The last one counts; empty is none.
        f"recovery_target_time = '{target.astimezone(dt.UTC).isoformat() if target else ''}'",
    ]
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write("\n".join(["", *lines, ""]))
    # Debian keeps it elsewhere.
    (data / "postgresql.conf").touch()


def _start(arguments: list[str], root: Path, owner: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    identity: dict[str, Any] = {}
    if owner is not None:
        for path in (root, *root.rglob("*")):
            os.lchown(path, owner.pw_uid, owner.pw_gid)
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    with (root / "log").open("wb") as said:
        return subprocess.Popen(arguments, stdout=said, stderr=said, cwd=root, **identity)


def _comes_up(server: subprocess.Popen[bytes], address: str, said: Path) -> bool:
    """Whether it answers as a server that has left its recovery; False where the moment was not reached."""
    end = time.monotonic() + _RECOVERY_S
    while time.monotonic() < end:
        if server.poll() is not None:
            words = said.read_text(errors="replace")
            if "before configured recovery target was reached" in words:
                return False
            raise DamagedError(f"the server could not read the log: {words[-800:]}")
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(address, autocommit=True) as asked,
        ):
            if asked.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                return True
        time.sleep(_STEP_S)
    return False


def _reader(database_url: str) -> tuple[str | None, str | None]:
    parsed = make_url(database_url)
    return parsed.username, parsed.database


def _owner() -> pwd.struct_passwd | None:
    """As whom the server runs where we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "pgserver", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def program(name: str, binaries: Path | None) -> str:
    """One of PostgreSQL's programs. Raises `ToolMissingError`."""
    if binaries is not None:
        found: str | None = shutil.which(name, path=str(binaries))
    else:
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, debian)))
    if found is None:
        raise ToolMissingError(name)
    return found


def conninfo(url: str) -> str:
    """SQLAlchemy's URL as PostgreSQL's programs know it, without the password."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)

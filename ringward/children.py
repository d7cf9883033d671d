"""A child process that is kept alive: started, watched, restarted with back-off, stopped."""

import ctypes
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

log = structlog.get_logger(__name__)

BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# A child that has lived this long is healthy again: its next crash is a first one.
HEALTHY_S = 60.0
_PR_SET_PDEATHSIG = 1


class Child:
    """One process. `poll()` is called regularly and restarts it when its time has come."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        self.name = name
        self.restarts = 0
        self._command = list(command)
        self._environment = dict(environment)
        self._on_line = on_line
        self._process: subprocess.Popen[str] | None = None
        self._started_at = 0.0
        self._crashes = 0
        self._restart_at: float | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE if self._on_line else None,
            stdout=subprocess.DEVNULL if self._on_line else None,
            text=True,
            errors="replace",
            # Ctrl-C in the terminal is the supervisor's: it stops its children in order.
            start_new_session=True,
            # One system call and nothing else between fork and exec.
            preexec_fn=_die_with_parent,  # noqa: PLW1509
        )
        self._started_at = time.monotonic()
        self._restart_at = None
        if self._on_line is not None:
            threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def poll(self) -> None:
        """Notices a crash and restarts after a pause that grows with every crash in a row."""
        if self._process is None or self._process.poll() is None:
            return
        now = time.monotonic()
        if self._restart_at is None:
            if now - self._started_at > HEALTHY_S:
                self._crashes = 0
            pause = BACKOFF_S[min(self._crashes, len(BACKOFF_S) - 1)]
            self._crashes += 1
            self._restart_at = now + pause
            log.error("child.died", child=self.name, code=self._process.returncode, restart_in_s=pause)
        elif now >= self._restart_at:
            self.restarts += 1
            self.start()
            log.info("child.restarted", child=self.name, restarts=self.restarts)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def stop(self, timeout_s: float) -> None:
        """Asks it to end and, when it does not within the time, ends it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            log.warning("child.killed", child=self.name)
            self._process.kill()
            self._process.wait()

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stderr is not None and self._on_line is not None:
            for line in process.stderr:
                try:
                    self._on_line(line.rstrip("\n"))
                except Exception:
                    # Nobody would read on, and a child whose pipe is full stands still.
                    log.exception("child.line_failed", child=self.name)


def _die_with_parent() -> None:
    """Linux: a supervisor that is killed takes its children along, gently."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

"""nginx as deploy/ sets it up, in front of a console that only repeats what it hears."""

import http.client
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ringward.authority import Kind
from tests.support.brokers import Broker, _find
from tests.support.certificates import Certificates
from tests.support.ports import free_port

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx" / "ringward.conf"


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.dumps(
            {"path": self.path, "length": len(self.rfile.read(length)), "headers": dict(self.headers)}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class Nginx(Broker):
    name = "nginx"

    def __init__(self, folder: Path, certificates: Certificates, behind: int) -> None:
        super().__init__(folder)
        self.plain_port, self.push_port, self.https_port = free_port(), free_port(), free_port()
        certificates.issue("console", Kind.SERVER, "127.0.0.1", "ringward.internal")
        text = SHIPPED.read_text()
        for shipped, ours in (
            ("127.0.0.1:8080", f"127.0.0.1:{behind}"),
            ("127.0.0.1:8081", f"127.0.0.1:{behind}"),
            ("listen 80 ", f"listen 127.0.0.1:{self.plain_port} "),
            ("listen 443 ", f"listen 127.0.0.1:{self.https_port} "),
            ("listen 8443 ", f"listen 127.0.0.1:{self.push_port} "),
            ("    listen [::]", "    # [::]"),
            ("/etc/nginx/ringward/", f"{certificates.folder}/"),
        ):
            assert shipped in text, f"nginx's ringward.conf no longer says {shipped}"
            text = text.replace(shipped, ours)
        (folder / "ringward.conf").write_text(text)
        places = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off;\nuser root;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\n{places}include ringward.conf;\n}}\n"
        )

    def ports(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", port) for port in (self.plain_port, self.push_port, self.https_port)]

    def command(self, *more: str) -> list[str]:
        return [_find("nginx"), "-p", str(self.folder), "-e", "stderr", "-c", "nginx.conf", *more]


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certificates")


@pytest.fixture
def nginx(tmp_path: Path, certificates: Certificates) -> Iterator[Nginx]:
    console = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=console.serve_forever, daemon=True).start()
    made = Nginx(tmp_path / "nginx", certificates, console.server_address[1])
    made.start()
    yield made
    made.stop()
    console.shutdown()
    console.server_close()


def ask(nginx: Nginx, ca: Path, path: str, port: int | None = None, body: bytes | None = None):
    context = ssl.create_default_context(cafile=str(ca))
    line = http.client.HTTPSConnection("127.0.0.1", port or nginx.https_port, timeout=30, context=context)
    line.request("POST" if body else "GET", path, body)
    answer = line.getresponse()
    return answer, answer.read()


def test_it_finds_nothing_wrong_with_the_file(nginx: Nginx) -> None:
    done = subprocess.run(nginx.command("-t"), check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_console_is_reached_over_tls_and_told_so(nginx: Nginx, certificates: Certificates) -> None:
    answer, body = ask(nginx, certificates.ca, "/desk")
    said = json.loads(body)
    assert (answer.status, said["path"]) == (200, "/desk")
    assert said["headers"]["X-Forwarded-Proto"] == "https"
    assert said["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert answer.headers["Strict-Transport-Security"]


def test_who_comes_in_the_clear_is_sent_to_https(nginx: Nginx) -> None:
    line = http.client.HTTPConnection("127.0.0.1", nginx.plain_port, timeout=30)
    line.request("GET", "/desk", headers={"Host": "ringward.internal"})
    answer = line.getresponse()
    assert (answer.status, answer.headers["Location"]) == (308, "https://ringward.internal/desk")


def test_metrics_are_not_to_be_had_through_it(nginx: Nginx, certificates: Certificates) -> None:
    assert ask(nginx, certificates.ca, "/metrics")[0].status == 404


def test_devices_push_the_largest_message_and_reach_nothing_else(
    nginx: Nginx, certificates: Certificates
) -> None:
    answer, body = ask(nginx, certificates.ca, "/push/cam-1", nginx.push_port, b"x" * (8 << 20))
    assert (answer.status, json.loads(body)["length"]) == (200, 8 << 20)
    assert ask(nginx, certificates.ca, "/desk", nginx.push_port)[0].status == 404


def test_sign_in_that_is_tried_again_and_again_is_slowed(nginx: Nginx, certificates: Certificates) -> None:
    statuses = {ask(nginx, certificates.ca, "/sign-in")[0].status for _ in range(40)}
    assert statuses == {200, 429}

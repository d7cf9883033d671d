"""Who is believed on the other end of a connection, and as whom this end shows itself."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: an authority, and this end's certificate with its key.

    Without `ca` the machine's own authorities are believed. `cert` and `key` are shown to a server that
    asks for a certificate; without them nothing is shown.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Checks the server's name and certificate, always; TLS 1.2 at least.

        Read anew at each call, so that a renewed certificate is taken at the next connection. Raises
        `OSError` for a file that cannot be read and `ssl.SSLError` for one that is no certificate.
        """
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=self.ca and str(self.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context

"""A real S3 server of the tests' own, on loopback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import ThreadedMotoServer

from storage import new_id
from storage.objects import Bucket, bucket

KEYS = {"key_id": "test-key-id", "key_secret": "test-key-secret"}


class S3:
    """A server; `bucket()` gives one that is empty."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"

    @contextmanager
    def bucket(self, prefix: str = "pictures") -> Iterator[tuple[Bucket, Any]]:
        """An empty bucket, and the plain client that looks at it from outside."""
        import boto3

        name = f"b-{new_id()}"
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS["key_id"],
            aws_secret_access_key=KEYS["key_secret"],
        )
        client.create_bucket(Bucket=name)
        yield bucket(f"s3://{name}/{prefix}", endpoint=self.endpoint, **KEYS), _Outside(client, name)

    def stop(self) -> None:
        self._server.stop()


class _Outside:
    """What the owner of a bucket sees and may do."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def objects(self) -> dict[str, bytes]:
        found = self._client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {
            each["Key"]: self._client.get_object(Bucket=self.name, Key=each["Key"])["Body"].read()
            for each in found
        }

    def put(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=content)

    def vanish(self) -> None:
        for key in self.objects():
            self._client.delete_object(Bucket=self.name, Key=key)
        self._client.delete_bucket(Bucket=self.name)

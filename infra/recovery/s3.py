"""The three S3 calls that archiving WAL needs, with nothing but the standard library.

Postgres starts a program for every segment, so it has to be there in a moment: importing the SDK
alone takes longer than everything this does.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import quote, urlsplit

TIMEOUT_SECONDS = 20


class Refused(RuntimeError):
    """The store answered something unexpected."""


class Taken(RuntimeError):
    """There is an object by that name already."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where to find a bucket, and the key to it."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str
    name: str

    @classmethod
    def of_environment(cls, environ: Mapping[str, str] = os.environ) -> "Bucket":
        """The backup bucket, as the stack tells Postgres."""
        return cls(
            endpoint=environ["DOXIE_S3_ENDPOINT"],
            region=environ.get("DOXIE_S3_REGION", "us-east-1"),
            access_key=environ["DOXIE_S3_ACCESS_KEY"],
            secret_key=environ["DOXIE_S3_SECRET_KEY"],
            name=environ.get("DOXIE_S3_BACKUP_BUCKET", "doxie-backups"),
        )

    def get(self, key: str) -> bytes | None:
        """An object, or None where there is none by that name."""
        status, body = self._request("GET", key)
        if status == 404:
            if b"NoSuchBucket" in body:
                raise Refused(f"there is no bucket {self.name}")
            return None
        return self._accepted(status, body)

    def create(self, key: str, data: bytes) -> None:
        """Write an object that is not there yet.

        Raises:
            Taken: it is.
        """
        status, body = self._request("PUT", key, data, {"if-none-match": "*"})
        if status in {409, 412}:
            raise Taken(key)
        self._accepted(status, body)

    @staticmethod
    def _accepted(status: int, body: bytes) -> bytes:
        if status not in {200, 204}:
            raise Refused(f"status {status}: {body[:300].decode(errors='replace')}")
        return body

    def _request(
        self, method: str, key: str, body: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        address = urlsplit(self.endpoint)
        kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
        path = quote(f"/{self.name}/{key}")
        connection = kind(address.netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, self._signed(method, address.netloc, path, body, extra or {}))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _signed(self, method: str, host: str, path: str, body: bytes, extra: Mapping[str, str]) -> dict[str, str]:
        """The headers of a request with its AWS signature, version 4."""
        now = datetime.now(UTC)
        digest = hashlib.sha256(body).hexdigest()
        headers = {**extra, "host": host, "x-amz-content-sha256": digest, "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}"}
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        request = f"{method}\n{path}\n\n{lines}\n{names}\n{digest}"
        scope = f"{now:%Y%m%d}/{self.region}/s3/aws4_request"
        told = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.new(self._signing_key(scope), told.encode(), hashlib.sha256).hexdigest()
        credential = f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}"
        return {**headers, "authorization": f"{credential}, SignedHeaders={names}, Signature={signature}"}

    def _signing_key(self, scope: str) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key

"""S3: immutable objects, read back before anyone relies on them.

The SDK is synchronous, so it runs on threads of its own. `python -m infra.storage` creates the
buckets.
"""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.datatypes import Part
from minio.error import InvalidResponseError, S3Error, ServerError

from infra import patience
from infra.settings import Settings, get_settings

T = TypeVar("T")

THREADS = 16
PIECE_BYTES = 1024 * 1024


OUTAGES = (urllib3.exceptions.HTTPError, OSError)
"""What is raised while the store cannot be reached."""


class StoreFailing(OSError):
    """The store answers that it cannot, for now."""


class ObjectMissing(LookupError):
    """No such object."""


class ObjectCorrupt(RuntimeError):
    """An object that was read back is not what was written."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as the store lists it."""

    key: str
    size: int
    modified: datetime
    etag: str


class UploadGone(LookupError):
    """No such upload, or not with these parts."""


class ObjectStore:
    """One bucket."""

    def __init__(self, settings: Settings, bucket: str | None = None) -> None:
        endpoint = urlsplit(settings.s3_endpoint)
        self.bucket = bucket or settings.s3_bucket
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="s3")
        self._client = Minio(
            endpoint.netloc,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            secure=endpoint.scheme == "https",
            region=settings.s3_region,
            http_client=urllib3.PoolManager(
                timeout=patience.s3(),
                maxsize=THREADS,
                retries=urllib3.Retry(2, backoff_factor=0.2),
            ),
        )

    async def ensure_bucket(self) -> None:
        """Create the bucket where it is missing."""
        if not await self._run(lambda: self._client.bucket_exists(self.bucket)):
            await self._run(lambda: self._client.make_bucket(self.bucket))

    async def ping(self) -> None:
        """Raises when the store does not answer or the bucket is missing."""
        async with asyncio.timeout(3):
            if not await self._run(lambda: self._client.bucket_exists(self.bucket)):
                raise ObjectMissing(self.bucket)

    async def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Write an object, read it back, and compare.

        Raises:
            ObjectCorrupt: what came back is not what was sent.
        """
        await self._run(
            lambda: self._client.put_object(self.bucket, key, io.BytesIO(data), len(data), content_type=content_type)
        )
        if hashlib.sha256(await self.get(key)).digest() != hashlib.sha256(data).digest():
            raise ObjectCorrupt(f"{key} does not read back as it was written")

    async def put_file(self, key: str, path: Path) -> str:
        """Write a file of any size, read it back, and return its SHA-256.

        Raises:
            ObjectCorrupt: what came back is not what was sent.
        """
        return await self._run(lambda: self._put_file(key, path))

    async def get_file(self, key: str, path: Path | None) -> str:
        """Read an object of any size, into a file where one is given, and return its SHA-256.

        Raises:
            ObjectMissing: there is none by that name.
        """
        return (await self._run(lambda: self._get_file(key, path)))[0]

    async def begin_upload(self, key: str, content_type: str = "application/octet-stream") -> str:
        """Begin to write an object in parts of 5 MiB and more; the id of the upload.

        Nobody sees the object before `finish_upload`.
        """
        headers: Any = {"Content-Type": content_type}
        return await self._run(lambda: self._client._create_multipart_upload(self.bucket, key, headers))

    async def upload_part(self, key: str, upload_id: str, number: int, data: bytes) -> str:
        """Write one part, from 1, once more if need be; its tag.

        Raises:
            UploadGone: there is no such upload (any more).
        """
        try:
            etag = await self._run(lambda: self._client._upload_part(self.bucket, key, data, None, upload_id, number))
        except S3Error as error:
            raise (UploadGone(key) if error.code == "NoSuchUpload" else error) from error
        return str(etag)

    async def finish_upload(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        """Make the object of its parts, given by their tags in order.

        Raises:
            UploadGone: there is no such upload (any more): it is finished already, or was aborted.
        """
        parts = [Part(number, etag) for number, etag in enumerate(etags, 1)]
        try:
            await self._run(lambda: self._client._complete_multipart_upload(self.bucket, key, upload_id, parts))
        except S3Error as error:
            raise UploadGone(f"{key}: {error.code}") from error

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """Forget the parts of an upload; no error where it is gone."""
        try:
            await self._run(lambda: self._client._abort_multipart_upload(self.bucket, key, upload_id))
        except S3Error as error:
            if error.code != "NoSuchUpload":
                raise

    async def digest(self, key: str) -> tuple[str, int]:
        """SHA-256 and size (bytes) of an object, read piece by piece.

        Raises:
            ObjectMissing: there is none by that name.
        """
        return await self._run(lambda: self._get_file(key, None))

    async def pieces(self, key: str, size: int, *, piece: int = PIECE_BYTES) -> AsyncIterator[bytes]:
        """An object of a size (bytes) piece by piece."""
        for offset in range(0, size, piece):
            length = min(piece, size - offset)
            yield await self._run(partial(self._get, key, offset, length))

    async def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectMissing: there is none by that name.
        """
        return await self._run(lambda: self._get(key))

    async def exists(self, key: str) -> bool:
        """Whether there is an object by that name."""
        return await self._run(lambda: self._exists(key))

    async def objects(self, prefix: str = "") -> list[Stored]:
        """What is below a prefix, in order."""
        return await self._run(
            lambda: [
                Stored(item.object_name or "", item.size or 0, item.last_modified, item.etag or "")
                for item in self._client.list_objects(self.bucket, prefix=prefix, recursive=True)
            ]
        )

    async def list(self, prefix: str = "") -> list[tuple[str, int]]:
        """Names and sizes (bytes) below a prefix, in order."""
        return await self._run(
            lambda: [
                (item.object_name or "", item.size or 0)
                for item in self._client.list_objects(self.bucket, prefix=prefix, recursive=True)
            ]
        )

    async def delete(self, key: str) -> None:
        """Remove an object; no error where there is none."""
        await self._run(lambda: self._client.remove_object(self.bucket, key))

    async def close(self) -> None:
        """Let the running transfers end."""
        await asyncio.to_thread(self._pool.shutdown)

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except (InvalidResponseError, ServerError) as error:  # of a proxy before it, or without a word
            raise StoreFailing(str(error)) from error
        except S3Error as error:
            if error.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise StoreFailing(str(error)) from error
            raise

    def _get(self, key: str, offset: int = 0, length: int = 0) -> bytes:
        try:
            response = self._client.get_object(self.bucket, key, offset=offset, length=length)
        except S3Error as error:
            raise _translated(error, key) from error
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

    def _put_file(self, key: str, path: Path) -> str:
        with path.open("rb") as file:
            written = hashlib.file_digest(file, "sha256").hexdigest()
        self._client.fput_object(self.bucket, key, str(path))
        if self._get_file(key, None)[0] != written:
            raise ObjectCorrupt(f"{key} does not read back as it was written")
        return written

    def _get_file(self, key: str, path: Path | None) -> tuple[str, int]:
        """SHA-256 and size of an object; its bytes go into a file, where one is given."""
        digest, size = hashlib.sha256(), 0
        try:
            response = self._client.get_object(self.bucket, key)
        except S3Error as error:
            raise _translated(error, key) from error
        try:
            with path.open("wb") if path else nullcontext() as file:
                for chunk in response.stream(PIECE_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    if file is not None:
                        file.write(chunk)
        finally:
            response.close()
            response.release_conn()
        return digest.hexdigest(), size

    def _exists(self, key: str) -> bool:
        try:
            self._client.stat_object(self.bucket, key)
        except S3Error as error:
            if isinstance(_translated(error, key), ObjectMissing):
                return False
            raise
        return True


def _translated(error: S3Error, key: str) -> Exception:
    return ObjectMissing(key) if error.code in {"NoSuchKey", "NoSuchObject"} else error


async def _create_buckets() -> None:
    settings = get_settings()
    for bucket in (settings.s3_bucket, settings.s3_backup_bucket):
        await ObjectStore(settings, bucket).ensure_bucket()


if __name__ == "__main__":
    asyncio.run(_create_buckets())

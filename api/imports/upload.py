"""The file of a request: its body, or the first file of a form; never more of it than allowed."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.deps import read_body
from models.errors import Invalid, TooLarge

MAX_NAME = 255
FORM_OVERHEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent."""

    name: str
    media_type: str
    data: bytes


async def read_upload(request: Request, file_name: str | None, limit: int) -> Upload:
    """The file of a request.

    Raises:
        TooLarge: it has more than `limit` bytes.
        Invalid: there is none.
    """
    media_type = request.headers.get("content-type", "")
    if media_type.partition(";")[0].strip().lower() != "multipart/form-data":
        return Upload((file_name or "")[:MAX_NAME], media_type, await read_body(request, limit))
    parser = MultiPartParser(request.headers, _limited(request, limit + FORM_OVERHEAD), max_files=1, max_fields=10)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise Invalid(f"The form is malformed: {error}") from error
    try:
        file = next((value for value in form.values() if isinstance(value, UploadFile)), None)
        if file is None:
            raise Invalid("The form has no file.")
        data = await file.read(limit + 1)
        if len(data) > limit:
            raise TooLarge(f"The file is larger than {limit} bytes.")
        return Upload((file_name or file.filename or "")[:MAX_NAME], file.content_type or "", data)
    finally:
        await form.close()


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        yield chunk

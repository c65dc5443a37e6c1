"""`/unsubscribe`: ending mails by the link in them, for whoever has it, signed in or not (RFC 8058).

Looking changes nothing: programs that check mails follow every link in them. Only a POST does; mail programs send it
on one click, and the page has a button for it. The form has no fields, hence a body that is empty.
"""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api import limits
from api.deps import CurrentRuntime
from models import digests

router = APIRouter(tags=["notifications"], dependencies=[limits.Enforced])

Token = Annotated[str, Query(max_length=200)]

_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",  # the address is the permission
    "x-robots-tag": "noindex",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Mails from Doxie</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto; padding: 0 1rem }}
button {{ font: inherit; padding: .6rem 1.2rem }}
</style>
<h1>Mails from Doxie</h1>
{}
</html>
"""
_ASK: Final = """<p>Do you want to get no notifications by mail any more?</p>
<form method="post"><button>No more mails</button></form>"""
_DONE: Final = "<p>You get no notifications by mail any more. You can switch them on again in Doxie.</p>"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "No such link", "content": {"text/html": {"schema": {"type": "string"}}}}
}
_NOTHING: Final = "<p>This link is not one of ours, or its account is gone.</p>"


@router.get("/unsubscribe", response_class=HTMLResponse, responses=_ANSWERS)
async def ask(token: Token, runtime: CurrentRuntime) -> HTMLResponse:
    """A page that asks."""
    try:
        digests.whose(runtime.settings, token)
    except digests.NoSuchLink:
        return _page(_NOTHING, HTTPStatus.NOT_FOUND)
    return _page(_ASK)


@router.post("/unsubscribe", response_class=HTMLResponse, responses=_ANSWERS)
async def unsubscribe(token: Token, runtime: CurrentRuntime) -> HTMLResponse:
    """End the mails; done again, it changes nothing."""
    try:
        user_id = digests.whose(runtime.settings, token)
        async with runtime.db.transaction(user_id=user_id) as session:
            await digests.unsubscribe(session, user_id)
    except digests.NoSuchLink:
        return _page(_NOTHING, HTTPStatus.NOT_FOUND)
    return _page(_DONE)


def _page(content: str, status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(content), status, headers=_HEADERS)

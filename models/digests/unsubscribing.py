"""The link that ends mails of notifications, without signing in.

It holds an account's id, encrypted and authenticated for this purpose alone: nobody else can make one, and it tells
nothing. It does not end, since mails are kept; all it can ever do is to stop mails.
"""

import base64
from binascii import Error
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from infra import mail, sealing
from infra.settings import Settings
from models.auth import User
from models.errors import NotFound
from models.notifications import Mailing, preferences

PATH = "unsubscribe"
_PURPOSE = "unsubscribe"


class NoSuchLink(NotFound):
    """This link is not one of ours."""


def link(settings: Settings, user_id: UUID) -> str:
    """Where somebody ends such mails: a page that asks for GET, done for POST."""
    token = base64.urlsafe_b64encode(sealing.seal(settings, _PURPOSE, user_id.bytes, place=b"")).rstrip(b"=").decode()
    return mail.page(settings, f"{PATH}?token={token}")


def whose(settings: Settings, token: str) -> UUID:
    """Whose link it is.

    Raises:
        NoSuchLink: nobody's.
    """
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return UUID(bytes=sealing.unseal(settings, _PURPOSE, sealed, place=b""))
    except (sealing.SealBroken, Error, ValueError) as error:
        raise NoSuchLink() from error


async def unsubscribe(session: AsyncSession, user_id: UUID) -> None:
    """Mail them no notifications any more, of any organization; done again, it changes nothing.

    Raises:
        NoSuchLink: the account is gone.
    """
    user = await session.get(User, user_id)
    if user is None or user.erased_at is not None:
        raise NoSuchLink()
    await preferences.prefer(session, user_id, Mailing.OFF)

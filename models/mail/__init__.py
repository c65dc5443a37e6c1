"""Mails: written in the transaction of what they are about, sent by a flow."""

from models.mail.service import LAST, find, letter, send, sent, tried
from models.mail.tables import Mail

__all__ = ["LAST", "Mail", "find", "letter", "send", "sent", "tried"]

"""Who somebody is."""

from models.auth.accounts import (
    EmailTaken,
    account,
    answer,
    ask_to_change_email,
    ask_to_verify,
    by_email,
    change_email,
    change_password,
    register,
    rename,
    reset_password,
    verify_email,
)
from models.auth.identity import Actor, Identity, SessionOver, identify, known, live, session_of, subject
from models.auth.keys import Rotation
from models.auth.keys import ring as signing_keys
from models.auth.keys import rotate as rotate_keys
from models.auth.links import LinkOver, Wish
from models.auth.links import ask as ask_for_link
from models.auth.passwords import WeakPassword, WrongCredentials, hash_new_password, verify
from models.auth.sessions import (
    Device,
    EmailUnverified,
    Replayed,
    SessionNotFound,
    SignIn,
    access_token,
    refresh,
    revoke,
    revoke_all,
    revoke_others,
    sessions,
    sign_in,
    sign_out,
    sign_out_access,
)
from models.auth.tables import AuthSession, User

__all__ = [
    "Actor",
    "AuthSession",
    "Device",
    "EmailTaken",
    "EmailUnverified",
    "Identity",
    "LinkOver",
    "Replayed",
    "Rotation",
    "SessionNotFound",
    "SessionOver",
    "SignIn",
    "User",
    "WeakPassword",
    "Wish",
    "WrongCredentials",
    "access_token",
    "account",
    "answer",
    "ask_for_link",
    "ask_to_change_email",
    "ask_to_verify",
    "by_email",
    "change_email",
    "change_password",
    "hash_new_password",
    "identify",
    "known",
    "live",
    "refresh",
    "register",
    "rename",
    "reset_password",
    "revoke",
    "revoke_all",
    "revoke_others",
    "rotate_keys",
    "session_of",
    "sessions",
    "sign_in",
    "sign_out",
    "sign_out_access",
    "signing_keys",
    "subject",
    "verify",
    "verify_email",
]

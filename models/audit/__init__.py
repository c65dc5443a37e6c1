"""Who did what: the audit log of an organization, and the security log of an account."""

from models.audit.service import AccountAct, Act, Wanted, account_log, log, record, record_account
from models.audit.tables import AccountEvent, AuditEvent

__all__ = [
    "AccountAct",
    "AccountEvent",
    "Act",
    "AuditEvent",
    "Wanted",
    "account_log",
    "log",
    "record",
    "record_account",
]

"""As whom Postgres runs: it refuses root, so root lends it another identity."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from infra.stack.errors import StackError
from infra.stack.home import Home
from infra.stack.process import OWN, Account

_NAMESPACE = ("--user", "--map-user=1000", "--map-group=1000")
"""Inside such a namespace root is user 1000; its files outside stay root's."""


def for_postgres(postgres: Path) -> Account:
    """Ourselves, or as root: root under another name in a user namespace, or else `nobody`."""
    if os.geteuid() != 0:
        return OWN
    unshare = shutil.which("unshare")
    if unshare and _works(unshare, *_NAMESPACE, str(postgres)):
        return Account(prefix=(unshare, *_NAMESPACE))
    return _nobody(postgres)


def hand_over(home: Home, directory: Path, account: Account) -> None:
    """Give a data directory, and the way to it, to whom the service runs as."""
    if os.geteuid() != 0:
        return
    uid = max(account.uid, 0)
    if account.uid >= 0:
        home.root.chmod(0o711)  # to pass through, not to look into
    if directory.exists() and directory.stat().st_uid != uid:
        for path in [directory, *directory.rglob("*")]:
            os.chown(path, uid, uid, follow_symlinks=False)


def _nobody(postgres: Path) -> Account:
    nobody = pwd.getpwnam("nobody").pw_uid
    try:
        command = [str(postgres), "--version"]
        subprocess.run(command, user=nobody, group=nobody, extra_groups=[], check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise StackError(
            "Postgres refuses to run as root, user namespaces are blocked here, "
            f"and nobody cannot run {postgres}: start Doxie as an ordinary user"
        ) from error
    return Account(uid=nobody)


def _works(unshare: str, *arguments: str) -> bool:
    tried = subprocess.run([unshare, *arguments, "--version"], capture_output=True, check=False)
    return tried.returncode == 0

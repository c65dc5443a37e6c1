"""Schema changes, forward and back.

A release migrates first and then restarts its processes one after another, so for a while the code of the last release
works on the new schema: until all are restarted, or for longer where one goes back. A migration therefore only adds
(expands). What nobody needs any more goes in a later release (contracts), in a migration that says `contracts = "…"`:
the newest revision of the first release whose code did without it, which must be out. See CONTRIBUTING.md;
tests/models/test_releases.py holds every migration after `RELEASED` to it.
"""

from typing import Final

RELEASED: Final = "0013"
"""The newest revision of the last release. Whoever makes a release sets it to the newest there is, and adds to
tests/models/released.sql a row for each new table and the new columns of others; the tests name what is missing."""

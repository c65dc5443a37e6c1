"""What operators see."""

from sqlalchemy import text

from infra.db import Database
from tests.people import Person


async def test_operators_see_backups_and_drills_and_nobody_else_does(ann: Person, owner_db: Database) -> None:
    for path in ("/operations/backups", "/operations/drills"):
        assert (await ann.api.get(path)).status_code == 404
    async with owner_db.transaction() as session:
        await session.execute(text("UPDATE users SET is_operator = true WHERE id = :id"), {"id": ann.user["id"]})
    for path in ("/operations/backups", "/operations/drills"):
        assert isinstance((await ann.json("GET", path))["items"], list)
    assert (await ann.json("GET", "/auth/me"))["is_operator"] is True

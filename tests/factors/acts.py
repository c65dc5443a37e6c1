"""What people do with second factors, as several tests need it."""

from typing import Any
from uuid import UUID

import httpx
import pyotp
from sqlalchemy import text

from infra.db import Database
from tests.factors.authenticator import Authenticator
from tests.people import Person


async def reauthenticate(person: Person, **second: Any) -> None:
    """Prove again with the password, and a second factor where there is one."""
    await person.json("POST", "/auth/reauthenticate", json={"password": person.password, **second})


async def enable_totp(person: Person) -> tuple[pyotp.TOTP, list[str]]:
    """Set an authenticator app up; the app and the recovery codes."""
    await reauthenticate(person)
    app = pyotp.TOTP((await person.json("POST", "/auth/totp"))["secret"])
    confirmed = await person.json("POST", "/auth/totp/confirm", json={"code": app.now()})
    return app, confirmed["recovery_codes"]


async def time_passes(owner_db: Database, person: Person) -> None:
    """The step of the newest code is over: the next code is a new one."""
    async with owner_db.transaction() as session:
        statement = text("UPDATE totps SET last_step = last_step - 10 WHERE user_id = :user_id")
        await session.execute(statement, {"user_id": UUID(person.user["id"])})


async def begin(person: Person, browser: httpx.AsyncClient) -> dict[str, Any]:
    """Sign in with the password; what is asked for next."""
    credentials = {"email": person.email, "password": person.password}
    answer = (await browser.post("/auth/login", json=credentials)).raise_for_status()
    assert "set-cookie" not in answer.headers
    asked: dict[str, Any] = answer.json()["second_factor"]
    return asked


async def finish(browser: httpx.AsyncClient, token: str, **proof: Any) -> httpx.Response:
    """Present a second factor."""
    return await browser.post("/auth/login/second-factor", json={"token": token, **proof})


async def add_passkey(person: Person, authenticator: Authenticator, name: str = "Laptop") -> dict[str, Any]:
    """Register a passkey, in a session that has proved whose it is."""
    asked = await person.json("POST", "/auth/passkeys/options")
    answer = {"challenge_id": asked["challenge_id"], "credential": authenticator.create(asked["options"])}
    made: dict[str, Any] = await person.json("POST", "/auth/passkeys", json={**answer, "name": name})
    return made


async def account_log(owner_db: Database, person: Person) -> list[str]:
    """The acts noted of an account, oldest first."""
    async with owner_db.transaction() as session:
        query = text("SELECT action FROM account_events WHERE user_id = :user_id ORDER BY id")
        return list(await session.scalars(query, {"user_id": UUID(person.user["id"])}))

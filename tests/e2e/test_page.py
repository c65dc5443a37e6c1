"""The page, in a real browser: people who write together, go offline, look back, and lose their access."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, Route, expect
from sqlalchemy import text

from flows import operating
from infra.db import Database
from models import backups
from tests.clients.node import install
from tests.conftest import Stack
from tests.e2e.browser import PICTURES, Tab, place, sign_in, tab, write, written
from tests.people import Person

PAGE = Path(__file__).parents[2] / "api" / "page"


async def test_from_nothing_to_a_saved_document(chromium: Browser, stack: Stack) -> None:
    async with tab(chromium, stack.settings.public_url) as new:
        page = new.page
        await new.go("/")
        await page.get_by_role("link", name="Create an account").click()
        await page.get_by_label("Name").fill("Nora")
        await page.get_by_label("Email").fill(f"nora-{os.urandom(5).hex()}@example.com")
        await page.get_by_label("Password").fill("a long enough secret")
        await page.get_by_role("button", name="Create account").click()
        await page.get_by_role("button", name="Create an organization").click()
        await page.get_by_label("Name").fill("Nora & Co")
        await page.get_by_role("button", name="Create", exact=True).click()
        await page.get_by_role("button", name="Write the first document").click()
        await page.get_by_label("Title", exact=True).fill("Plan")
        await page.get_by_label("Title", exact=True).press("Enter")
        await write(new, "Hello")
        await page.keyboard.press("Enter")
        await page.keyboard.type("/task")
        await page.keyboard.press("Enter")
        await page.keyboard.type("write it")
        await expect(new.saved).to_have_text("Saved")
        await expect(page.get_by_role("link", name="Plan", exact=True)).to_be_visible()
        await page.reload()
        await expect(new.editor).to_contain_text("Hello")
        await expect(new.editor.get_by_role("checkbox")).to_have_count(1)


async def test_two_people_see_each_other_write(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as one, tab(chromium, stack.settings.public_url) as two:
        await asyncio.gather(sign_in(one, ann, place(ann)), sign_in(two, cleo, place(ann)))
        await write(one, "from Ann ")
        await expect(two.editor).to_contain_text("from Ann")
        await write(two, "from Cleo ")
        await expect(one.editor).to_contain_text("from Cleo")
        await expect(one.page.locator(".caret-name")).to_have_text("Cleo")
        await expect(one.page.get_by_role("group", name="Also here").get_by_label("Cleo")).to_be_visible()
        await expect(two.page.get_by_role("group", name="Also here").get_by_label("Ann")).to_be_visible()


async def test_what_is_written_offline_is_kept_and_comes_back(
    chromium: Browser, stack: Stack, ann: Person, cleo: Person
) -> None:
    async with tab(chromium, stack.settings.public_url) as one, tab(chromium, stack.settings.public_url) as two:
        await asyncio.gather(sign_in(one, ann, place(ann)), sign_in(two, cleo, place(ann)))
        await write(one, "start ")
        await expect(two.editor).to_contain_text("start")
        await expect(one.saved).to_have_text("Saved")
        await one.context.set_offline(True)
        # Chromium leaves sockets that are open alone; the page hears that it is offline, and closes its own.
        await write(one, "offline ")
        await expect(one.saved).to_contain_text("unsaved edits kept")
        await write(two, "meanwhile ")
        await expect(two.saved).to_have_text("Saved")
        await one.context.set_offline(False)
        for opened in (one, two):
            for words in ("start", "offline", "meanwhile"):
                await expect(opened.editor).to_contain_text(words)
        await expect(one.saved).to_have_text("Saved")
        assert await written(one) == await written(two)


async def test_a_document_opens_again_without_a_network(
    chromium: Browser, stack: Stack, ann: Person, cleo: Person
) -> None:
    async with tab(chromium, stack.settings.public_url) as one, tab(chromium, stack.settings.public_url) as two:
        page = one.page
        await asyncio.gather(sign_in(one, ann, place(ann)), sign_in(two, cleo, place(ann)))
        await write(one, "start ")
        await expect(one.saved).to_have_text("Saved")
        await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        await one.context.set_offline(True)
        await write(one, "offline ")
        await expect(one.saved).to_have_text("Offline · 8 unsaved edits kept")
        await page.reload()
        await expect(one.editor).to_contain_text("start offline")
        await expect(one.saved).to_have_text("Offline · 8 unsaved edits kept")
        await expect(page.get_by_text("Offline: this is what your browser remembers.")).to_be_visible()
        await expect(page.get_by_role("link", name="Notes", exact=True)).to_be_visible()
        await write(one, "again ")
        await expect(one.saved).to_have_text("Offline · 14 unsaved edits kept")
        await write(two, "meanwhile ")
        await expect(two.saved).to_have_text("Saved")
        await one.context.set_offline(False)
        for opened in (one, two):
            for words in ("start", "offline", "again", "meanwhile"):
                await expect(opened.editor).to_contain_text(words)
        await expect(one.saved).to_have_text("Saved")
        await expect(page.get_by_text("Offline: this is what your browser remembers.")).to_have_count(0)
        assert await written(one) == await written(two)


async def test_who_signs_out_leaves_only_what_is_unsaved(chromium: Browser, stack: Stack, ann: Person) -> None:
    kept = "indexedDB.databases().then((all) => all.map(({ name }) => name.split(':').at(-1)).sort())"
    known = "Object.keys(localStorage).filter((key) => key.startsWith('doxie:'))"
    first = ann.document["id"]
    await ann.create_document("Other")
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, f"/d/{first}")
        await write(one, "saved")
        await expect(one.saved).to_have_text("Saved")
        await page.get_by_role("link", name="Other", exact=True).click()
        await expect(one.saved).to_have_text("Saved")
        await page.route("**/collab-token", lambda route: route.abort())
        os.kill(stack.services()["collab"]["pid"], signal.SIGKILL)
        await write(one, "unsaved")
        await expect(one.saved).to_have_text("Offline · 7 unsaved edits kept")
        assert await page.evaluate(kept) == sorted([first, ann.document["id"]])
        await page.get_by_role("button", name="Ann", exact=True).click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await expect(page.get_by_text("stay in this browser until you sign in again")).to_be_visible()
        await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        assert await page.evaluate(kept) == [ann.document["id"]]
        assert await page.evaluate(known) == []
        await page.unroute("**/collab-token")
        await sign_in(one, ann, place(ann))
        await expect(one.editor).to_contain_text("unsaved")
        await expect(one.saved).to_have_text("Saved")
        await expect(one.saved).to_have_attribute("data-unsaved", "0")
        content = await ann.api.get(f"/documents/{ann.document['id']}/content", headers={"accept": "text/markdown"})
        assert content.text.strip() == "unsaved"


async def test_saved_is_true_when_collab_is_killed(chromium: Browser, stack: Stack, ann: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as one:
        await sign_in(one, ann, place(ann))
        await write(one, "0 ")
        for number in range(1, 4):
            await write(one, "".join(f"{number}{letter} " for letter in "abcdef"))
            os.kill(stack.services()["collab"]["pid"], signal.SIGKILL)
            await write(one, f"{number}g ")
            await expect(one.saved).not_to_have_text("Saved")
            await expect(one.saved).to_have_text("Saved")
        written = await one.editor.inner_text()
        content = await ann.api.get(f"/documents/{ann.document['id']}/content", headers={"accept": "text/markdown"})
        assert content.text.replace("&#32;", " ").split() == written.split()
        assert written.split() == ["0", *(f"{number}{letter}" for number in range(1, 4) for letter in "abcdefg")]


@pytest.mark.long
async def test_without_the_api_it_waits_for_a_token(chromium: Browser, stack: Stack, ann: Person) -> None:
    """A token that nobody can give now is no refusal: edits are kept, and sent once there is one."""
    asked: list[str] = []
    answers = ["abort", "abort", "503", "abort"]

    async def out_of_reach(route: Route) -> None:
        asked.append(answer := answers[min(len(asked), len(answers) - 1)])
        if answer == "503":
            await route.fulfill(status=503, json={"type": "urn:doxie:Unavailable", "detail": "Try again."})
        else:
            await route.abort()

    async with tab(chromium, stack.settings.public_url) as one:
        await sign_in(one, ann, place(ann))
        await write(one, "before ")
        await expect(one.saved).to_have_text("Saved")
        await one.page.route("**/collab-token", out_of_reach)
        async with one.page.expect_request("**/collab-token"):
            os.kill(stack.services()["collab"]["pid"], signal.SIGKILL)
        await write(one, "meanwhile ")
        async with one.page.expect_request(lambda _: len(asked) >= len(answers)):
            await expect(one.saved).to_have_text("Offline · 10 unsaved edits kept")
        await expect(one.page.get_by_role("alert")).to_have_count(0)
        await one.page.unroute("**/collab-token")
        await expect(one.saved).to_have_text("Saved")
        content = await ann.api.get(f"/documents/{ann.document['id']}/content", headers={"accept": "text/markdown"})
        assert content.text.replace("&#32;", " ").split() == ["before", "meanwhile"]


@pytest.mark.long
async def test_a_full_organization_keeps_what_is_typed(chromium: Browser, stack: Stack, ann: Person) -> None:
    await operating.set_quota(ann.org_id, bytes=1_000)
    full, sockets = re.compile(r"^Full · \d+ unsaved edits? kept$"), list[float]()
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, place(ann))
        await expect(one.saved).to_have_text("Saved")
        page.on("websocket", lambda _: sockets.append(time.monotonic()))
        while not full.match(await one.saved.inner_text()):
            await write(one, "more words ")
        banner = page.get_by_role("alert")
        await expect(banner).to_contain_text("This organization has no room left")
        await expect(banner).to_contain_text("It is kept in this browser, and saved as soon as there is room.")
        await write(one, "and the last")
        async with asyncio.timeout(60):
            while len(sockets) < 3:
                await asyncio.sleep(0.1)
        assert sockets[2] - sockets[1] > 1.5, "it waits longer each time"
        await page.reload()
        await expect(one.editor).to_contain_text("and the last")
        await expect(one.saved).to_have_text(full)
        await banner.get_by_role("link", name="See what takes the room").click()
        await expect(page.get_by_role("alert")).to_contain_text("There is no room left.")
        await operating.set_quota(ann.org_id, bytes=1_000_000)
        await page.go_back()
        await expect(one.saved).to_have_text("Saved")
        await expect(banner).to_have_count(0)
        content = await ann.api.get(f"/documents/{ann.document['id']}/content", headers={"accept": "text/markdown"})
        assert content.text.strip().replace("&#32;", " ") == await written(one)


async def test_who_would_lose_edits_is_asked_before_leaving(chromium: Browser, stack: Stack, ann: Person) -> None:
    link = await ann.json("POST", f"/documents/{ann.document['id']}/share-links", json={"level": "write"})
    async with tab(chromium, stack.settings.public_url) as visitor, tab(chromium, stack.settings.public_url) as one:
        await visitor.go(f"/shared#token={link['token']}")
        await sign_in(one, ann, place(ann))
        for opened in (visitor, one):
            await expect(opened.saved).to_have_text("Saved")
            await opened.context.set_offline(True)
            await write(opened, "words")
        await expect(visitor.saved).to_have_text("Offline · 5 unsaved edits")
        async with visitor.page.expect_event("dialog") as asking:
            await visitor.page.close(run_before_unload=True)
        asked = await asking.value
        assert asked.type == "beforeunload"
        await asked.dismiss()
        await expect(visitor.editor).to_contain_text("words")
        await visitor.context.set_offline(False)
        await expect(visitor.saved).to_have_text("Saved")
        await expect(one.saved).to_have_text("Offline · 5 unsaved edits kept")
        for opened in (visitor, one):  # the server has them, or the browser
            async with opened.page.expect_event("close"):
                await opened.page.close(run_before_unload=True)


async def test_whoever_is_removed_is_out(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as two:
        await sign_in(two, cleo, place(ann))
        await write(two, "before ")
        await expect(two.saved).to_have_text("Saved")
        await ann.json("DELETE", f"/orgs/{ann.org['id']}/members/{cleo.user['id']}")
        await expect(two.page.get_by_role("alert")).to_contain_text("can no longer open")
        await two.page.keyboard.type("after")
        content = await ann.api.get(f"/documents/{ann.document['id']}/content", headers={"accept": "text/markdown"})
        assert content.text.replace("&#32;", " ").split() == ["before"]


async def test_history_restore_and_export(chromium: Browser, stack: Stack, ann: Person, tmp_path: Path) -> None:
    async with tab(chromium, stack.settings.public_url, accept_downloads=True) as one:
        page = one.page
        await sign_in(one, ann, place(ann))
        await write(one, "first version")
        await expect(one.saved).to_have_text("Saved")
        await page.get_by_role("button", name="History").click()
        await page.get_by_label("Name this version").fill("Draft")
        await page.get_by_role("button", name="Name", exact=True).click()
        draft = page.get_by_role("listitem").filter(has_text="Draft")
        await expect(draft).to_be_visible()
        await page.get_by_role("button", name="History").click()
        await one.editor.click()
        await page.keyboard.press("Control+A")
        await page.keyboard.type("second")
        await expect(one.saved).to_have_text("Saved")
        await page.get_by_role("button", name="History").click()
        past = page.get_by_label("The document as it was").last
        await expect(past).to_contain_text("second")
        slider = page.get_by_role("slider")
        await slider.fill("5")
        await expect(past).to_have_text("first")
        await draft.get_by_role("button", name="Restore").click()
        await expect(past).to_contain_text("first version")
        await page.get_by_role("button", name="History").click()
        await expect(one.editor).to_have_text("first version")
        await page.get_by_role("button", name="Export").click()
        await page.get_by_role("button", name="Markdown").click()
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Download Markdown").click()
        file = tmp_path / "export.md"
        await (await downloading.value).save_as(file)
        assert file.read_text().strip() == "first version"


async def test_looking_changes_nothing(chromium: Browser, stack: Stack, ann: Person) -> None:
    """Not with a copy in the browser either, and not where the document ends with something that is no text."""
    path = f"/documents/{ann.document['id']}"
    table = "| one | two |\n|---|---|\n| 1 | 2 |\n"
    await ann.json("PUT", f"{path}/content", content=table, headers={"content-type": "text/markdown", "if-match": "*"})
    async with tab(chromium, stack.settings.public_url) as one:
        await sign_in(one, ann, place(ann))
        for _ in range(2):
            await expect(one.editor).to_contain_text("two")
            await expect(one.saved).to_have_text("Saved")
            await one.page.reload()
        await expect(one.saved).to_have_text("Saved")
        assert (await ann.json("GET", path))["seq"] == 1


async def test_a_second_step_is_set_up_and_asked_for(chromium: Browser, stack: Stack, ann: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, "/account")
        await page.get_by_role("button", name="Set up").click()
        await page.get_by_role("dialog").get_by_label("Your password").fill(ann.password)
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_alt_text("The key as a QR code")).to_be_visible()
        secret = (await page.locator(".secret").inner_text()).replace(" ", "")
        await page.get_by_label("Code it shows").fill(pyotp.TOTP(secret).now())
        await page.get_by_role("button", name="Turn on").click()
        codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
        await expect(codes).to_have_count(10)
        [recovery, *_] = await codes.all_inner_texts()
        await page.get_by_role("button", name="I have kept them").click()
        await page.get_by_role("button", name="Ann", exact=True).click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await page.get_by_label("Email").fill(ann.email)
        await page.get_by_label("Password").fill("not the password")
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("do not belong together")
        await page.get_by_label("Password").fill(ann.password)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.get_by_label("Code from your authenticator app").fill("000000")
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("alert")).to_contain_text("not valid")
        await page.get_by_role("button", name="Use a recovery code").click()
        await page.get_by_label("Recovery code").fill(recovery)
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("navigation", name="Documents")).to_be_attached()


async def test_a_document_is_shared_and_taken_back(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    await ann.json("PUT", f"/documents/{ann.document['id']}/access", json={"org_access": "none"})
    async with tab(chromium, stack.settings.public_url) as one, tab(chromium, stack.settings.public_url) as two:
        await asyncio.gather(sign_in(one, ann, place(ann)), sign_in(two, cleo, place(ann)))
        await two.page.get_by_role("button", name="Ask for access").click()
        share = one.page.get_by_role("dialog")
        await expect(one.page.get_by_role("button", name="Notifications: 1 new")).to_be_visible()  # by itself
        await one.page.get_by_role("button", name="Share").click()
        await share.get_by_role("button", name="Allow").click()
        await expect(two.saved).to_have_text("Read only")
        async with one.page.expect_response(lambda answer: "/grants/users/" in answer.url):
            await share.get_by_label("What Cleo may do").select_option("Can write")
        await two.page.evaluate("dispatchEvent(new Event('focus'))")  # Cleo comes back to it
        await expect(two.saved).to_have_text("Saved")
        await write(two, "from Cleo")
        await expect(one.editor).to_contain_text("from Cleo")
        await share.get_by_role("button", name="Create link").click()
        link = await share.get_by_role("textbox", name="The link").input_value()
        async with tab(chromium, stack.settings.public_url) as anybody:
            await anybody.page.goto(link)
            await expect(anybody.editor).to_contain_text("from Cleo")
            await share.get_by_label("What the link allows").select_option("Revoke")
            await expect(anybody.page.get_by_role("alert")).to_contain_text("can no longer open")
        await share.get_by_label("What Cleo may do").select_option("Remove")
        await expect(two.page.get_by_role("alert")).to_contain_text("can no longer open")


async def test_what_is_trashed_comes_back(chromium: Browser, stack: Stack, ann: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, "/trash")
        await expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
        await page.get_by_role("button", name="More about Notes").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("End")
        await page.get_by_role("menuitem", name="Move to trash").click()
        await expect(page.get_by_role("link", name="Notes", exact=True)).to_have_count(0)
        await one.go("/trash")
        await page.get_by_role("button", name="Restore Notes").click()
        await expect(page.get_by_role("link", name="Notes", exact=True)).to_be_visible()
        await expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()


async def test_what_is_deleted_for_good_does_not(chromium: Browser, stack: Stack, ann: Person) -> None:
    await ann.json("DELETE", f"/documents/{ann.document['id']}")
    for title in ("One", "Two"):
        await ann.json("DELETE", f"/documents/{(await ann.create_document(title))['id']}")
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, "/trash")
        trashed = page.get_by_role("list", name="In the trash").get_by_role("listitem")
        await expect(trashed).to_have_count(3)
        await page.get_by_role("button", name="Delete Notes for good").click()
        asked = page.get_by_role("dialog", name="Delete “Notes” for good?")
        await asked.get_by_role("button", name="Cancel").click()
        await expect(trashed).to_have_count(3)
        await page.get_by_role("button", name="Delete Notes for good").click()
        await asked.get_by_role("button", name="Delete for good").click()
        await expect(trashed).to_have_count(2)
        await page.get_by_role("button", name="Empty the trash").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete all for good").click()
        await expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
        assert (await ann.json("GET", f"/orgs/{ann.org['id']}/documents?trashed=true"))["items"] == []


@pytest.fixture
async def recovery(owner_db: Database) -> AsyncIterator[None]:
    """A backup and a drill."""
    async with owner_db.transaction() as session:
        backup = await backups.begin(session, kind="dump", flow_run_id=None)
        await backups.succeed(session, backup, object_key="backups/of-a-test", sha256="0" * 64, size=2_500_000)
        drill = await backups.begin_drill(session, flow_run_id=None)
        drill.state, drill.documents, drill.rpo_seconds, drill.rto_seconds = "good", 12_345, 0.4, 95
        await backups.end_drill(session, drill)
    yield
    async with owner_db.transaction() as session:
        await session.execute(text("DELETE FROM backups WHERE id = :id"), {"id": backup.id})
        await session.execute(text("DELETE FROM drills WHERE id = :id"), {"id": drill.id})


@pytest.mark.usefixtures("recovery")
async def test_operators_see_whether_everything_could_come_back(
    chromium: Browser, stack: Stack, ann: Person, owner_db: Database
) -> None:
    async with tab(chromium, stack.settings.public_url) as one:
        await sign_in(one, ann, "/admin")
        await expect(one.page.get_by_role("heading", name="This page is for operators")).to_be_visible()
        async with owner_db.transaction() as session:
            await session.execute(text("UPDATE users SET is_operator = true WHERE id = :id"), {"id": ann.user["id"]})
        await one.page.reload()
        drill = one.page.get_by_role("row").filter(has_text="12,345 documents")
        await expect(drill).to_contain_text("Good")
        await expect(drill).to_contain_text("2 min")
        await expect(one.page.get_by_role("row").filter(has_text="2.4 MB")).to_contain_text("Daily dump")


async def test_other_sites_get_nowhere(chromium: Browser, stack: Stack, ann: Person) -> None:
    """A page of another origin, in the same browser, with Ann's cookies."""
    collab = f"{stack.settings.collab_url}/{ann.document['id']}"
    async with tab(chromium, stack.settings.public_url) as one:
        await sign_in(one, ann)
        evil = await one.context.new_page()
        # Another port is another origin, and the same site: cookies are sent along, which is the hard case.
        await evil.goto(f"http://127.0.0.1:{stack.services()['prefect']['port']}/api/health")
        attempts = await evil.evaluate(
            """async ([api, collab]) => {
                const post = (body, type) => fetch(api + '/orgs', {
                    method: 'POST', mode: 'no-cors', credentials: 'include', body,
                    headers: type ? {'content-type': type} : {},
                }).then(() => 'sent', () => 'refused')
                const read = await fetch(api + '/auth/me', {credentials: 'include'}).then(() => 'read', () => 'refused')
                const closed = await new Promise((done) => {
                    const socket = new WebSocket(collab)
                    socket.onclose = (event) => done(event.code)
                    socket.onmessage = () => done('open')
                })
                return [await post('{"name": "evil"}', 'text/plain'), await post('name=evil'), read, closed]
            }""",
            [stack.api, collab],
        )
        assert attempts[2] == "refused"
        assert attempts[3] in (4401, 4403, 1006)
        names = {org["name"] for org in (await ann.json("GET", "/orgs"))["items"]}
        assert names == {"Acme"}


async def test_it_can_be_used_without_seeing_it(chromium: Browser, stack: Stack, ann: Person) -> None:
    """No serious finding of axe on any screen, nor in what opens on it."""
    await asyncio.to_thread(install, PAGE)
    axe = (PAGE / "node_modules" / "axe-core" / "axe.min.js").read_text()
    org = f"/orgs/{ann.org['id']}"
    await ann.json("DELETE", f"/documents/{(await ann.create_document('Thrown away'))['id']}")
    notes = await ann.create_document()
    await ann.json("POST", f"{org}/groups", json={"name": "Writers"})
    webhook = {"url": "https://example.com/hook", "events": ["document.erased"]}
    await ann.json("POST", f"{org}/webhooks", json=webhook)
    await operating.set_quota(ann.org_id, documents=2, members=1)
    screens: list[tuple[str, str | None]] = [
        ("/", None),
        (f"/d/{notes['id']}/history", None),
        (f"/d/{notes['id']}/pipeline", None),
        (f"/d/{notes['id']}", "Share"),
        ("/account", None),
        ("/trash", "Delete Thrown away for good"),
        ("/trash", "Empty the trash"),
        ("/import", None),
        (f"/org/{ann.org['id']}", None),
        (f"/org/{ann.org['id']}/groups", "People in Writers"),
        (f"/org/{ann.org['id']}/settings", None),
        (f"/org/{ann.org['id']}/usage", None),
        (f"/org/{ann.org['id']}/webhooks", "Deliveries to https://example.com/hook"),
        (f"/org/{ann.org['id']}/audit", None),
        (f"/org/{ann.org['id']}/backups", None),
    ]
    async with tab(chromium, stack.settings.public_url, bypass_csp=True) as one:
        await one.go("/sign-up")
        await _examine(one, axe)
        await sign_in(one, ann, f"/d/{notes['id']}")
        await write(one, "words")
        await expect(one.saved).to_have_text("Saved")
        for path, opening in screens:
            await one.go(path)
            await expect(one.page.get_by_role("main")).to_be_visible()
            await one.page.wait_for_load_state("networkidle")
            await _examine(one, axe)
            if opening:
                await one.page.get_by_role("button", name=opening, exact=True).click()
                await expect(one.page.get_by_role("dialog")).to_be_visible()
                await _examine(one, axe)


async def _examine(opened: Tab, axe: str) -> None:
    await opened.page.evaluate(axe)
    found: list[dict[str, Any]] = await opened.page.evaluate("axe.run().then((result) => result.violations)")
    serious = {
        item["id"]: [node["html"] for node in item["nodes"]]
        for item in found
        if item["impact"] in ("serious", "critical")
    }
    assert serious == {}, opened.page.url


async def test_pictures(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    """What the main screens look like; the README shows them."""
    async with tab(chromium, stack.settings.public_url) as one, tab(chromium, stack.settings.public_url) as two:
        await asyncio.gather(sign_in(one, ann, place(ann)), sign_in(two, cleo, place(ann)))
        page = one.page
        await page.get_by_label("Title", exact=True).fill("Launch plan")
        await page.get_by_label("Title", exact=True).press("Enter")
        await write(one, "We ship on Friday.")
        for line in ("## What is left", "[ ] the announcement", "the release notes"):
            await page.keyboard.press("Enter")
            await page.keyboard.type(line)
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await page.keyboard.type("> Nothing that was saved is ever lost.")
        await expect(two.editor).to_contain_text("is ever lost")
        await write(two, " — agreed!")
        await expect(one.page.locator(".caret-name")).to_have_text("Cleo")
        await expect(one.saved).to_have_text("Saved")
        await page.screenshot(path=PICTURES / "editor.png")
        await page.emulate_media(color_scheme="dark")
        await page.screenshot(path=PICTURES / "editor-dark.png")
        await page.get_by_role("button", name="Pipeline").click()
        await expect(page.get_by_text("Stored and read back").first).to_be_visible()
        await page.screenshot(path=PICTURES / "pipeline-dark.png")
        await page.emulate_media(color_scheme="light")
        await page.get_by_role("button", name="History").click()
        await expect(page.get_by_role("button", name="Restore").first).to_be_visible()
        await expect(page.get_by_label("The document as it was").last).to_contain_text("We ship")
        await page.screenshot(path=PICTURES / "history.png")
        await page.set_viewport_size({"width": 390, "height": 800})
        await one.go(place(ann))
        await expect(one.editor).to_contain_text("We ship")
        await expect(one.saved).to_have_text("Saved")
        await page.screenshot(path=PICTURES / "editor-phone.png")

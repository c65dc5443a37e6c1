"""The page of an organization: its groups, its webhooks, what was done in it."""

from pathlib import Path
from zipfile import ZipFile

from playwright.async_api import Browser, expect

from flows import operating
from tests.conftest import Stack
from tests.e2e.browser import PICTURES, place, sign_in, tab
from tests.flows.test_webhooks import receiving, signature
from tests.people import Person


async def test_a_document_is_shared_with_a_group(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    await ann.json("PUT", f"/documents/{ann.document['id']}/access", json={"org_access": "none"})
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, f"/org/{ann.org['id']}/groups")
        await page.get_by_label("New group").fill("Writers")
        await page.get_by_role("button", name="Create group").click()
        people = page.get_by_role("dialog", name="People in “Writers”")
        await people.get_by_label("Put in").select_option(label=f"Cleo ({cleo.email})")
        await people.get_by_role("button", name="Add").click()
        await expect(people.get_by_role("listitem")).to_have_text(["CCleo"])
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("listitem").filter(has_text="Writers")).to_contain_text("1 person")
        await page.get_by_role("button", name="More about the group Writers").click()
        await page.get_by_role("menuitem", name="Rename").click()
        await page.get_by_label("Name of the group").fill("Editors")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("list", name="Groups")).to_contain_text("Editors")
        await one.go(place(ann))
        await page.get_by_role("button", name="Share").click()
        share = page.get_by_role("dialog")
        await share.get_by_label("Person, group, or email address").fill("Editors")
        await share.get_by_label("They").select_option("Can write")
        await share.get_by_role("button", name="Share", exact=True).click()
        await expect(share.get_by_label("What Editors may do")).to_have_value("write")
        assert (await cleo.json("GET", f"/documents/{ann.document['id']}"))["level"] == "write"
        await one.go(f"/org/{ann.org['id']}/groups")
        await page.get_by_role("button", name="People in Editors").click()
        await page.get_by_role("button", name="Take Cleo out").click()
        await expect(page.get_by_text("Nobody is in it yet.")).to_be_visible()
        assert (await cleo.api.get(f"/documents/{ann.document['id']}")).status_code == 403
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="More about the group Editors").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("heading", name="No groups yet")).to_be_visible()


async def test_a_program_is_told(chromium: Browser, stack: Stack, ann: Person) -> None:
    async with receiving() as receiver, tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, f"/org/{ann.org['id']}/webhooks")
        await page.get_by_label("Address").fill(receiver.url)
        await page.get_by_role("button", name="Add webhook").click()
        secret = await page.get_by_role("textbox", name="The secret").input_value()
        await ann.create_document("Told")
        headers, _ = await receiver.next(1)
        assert signature(secret, headers, receiver.got[0][1]) == headers["webhook-signature"]
        await page.get_by_role("button", name=f"Deliveries to {receiver.url}").click()
        deliveries = page.get_by_role("list", name="Deliveries").get_by_role("listitem")
        await expect(deliveries).to_contain_text("Delivered")
        await deliveries.get_by_role("button", name="Send again").click()
        again, _ = await receiver.next(2)
        assert again["webhook-id"] == headers["webhook-id"]
        await expect(deliveries).to_contain_text("Delivered")
        await page.keyboard.press("Escape")
        webhook = page.get_by_role("list", name="Webhooks").get_by_role("listitem")

        async def act(name: str) -> None:
            await webhook.get_by_role("button", name=f"More about {receiver.url}").click()
            await page.get_by_role("menuitem", name=name).click()

        await act("New secret")
        await page.get_by_role("dialog").get_by_role("button", name="Make a new secret").click()
        await expect(page.get_by_role("textbox", name="The secret")).not_to_have_value(secret)
        await act("Disable")
        await expect(webhook).to_contain_text("Disabled")
        await act("Enable")
        await expect(webhook).to_contain_text("Enabled")
        await act("Change")
        change = page.get_by_role("dialog", name="Change the webhook")
        await change.get_by_label("Somebody joined").check()
        await change.get_by_role("button", name="Save").click()
        await expect(webhook).to_contain_text("document.created · member.joined")
        await act("Delete")
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()


async def test_what_was_done_is_found_and_taken_along(
    chromium: Browser, stack: Stack, ann: Person, cleo: Person, tmp_path: Path
) -> None:
    document = await cleo.json("POST", f"/orgs/{ann.org['id']}/documents", json={"title": "Thrown away"})
    await cleo.json("DELETE", f"/documents/{document['id']}")
    async with tab(chromium, stack.settings.public_url, accept_downloads=True) as one:
        page = one.page
        await sign_in(one, ann, f"/org/{ann.org['id']}/audit")
        rows = page.get_by_role("row")
        await expect(rows.filter(has_text="Org founded")).to_contain_text("Ann")
        await page.get_by_label("Who", exact=True).select_option("Cleo")
        await page.get_by_label("What", exact=True).select_option("Document trashed")
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(rows).to_have_count(2)
        await expect(rows.last).to_contain_text("Cleo")
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Export as CSV").click()
        file = tmp_path / "audit.csv"
        await (await downloading.value).save_as(file)
        [_, line] = file.read_text().splitlines()
        assert "document.trashed" in line and cleo.user["id"] in line
        await page.get_by_label("Until", exact=True).fill("2020-01-01")
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.get_by_role("heading", name="Nothing like that was done")).to_be_visible()
    async with tab(chromium, stack.settings.public_url) as two:
        await sign_in(two, cleo, f"/org/{ann.org['id']}")
        await expect(two.page.get_by_role("navigation", name="Organization").get_by_role("link")).to_have_text(
            ["People", "Groups", "Settings"]
        )


async def test_an_organization_is_backed_up_at_once(chromium: Browser, stack: Stack, ann: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, f"/org/{ann.org['id']}/backups")
        await page.get_by_role("button", name="Back up now").click()
        backup = page.get_by_role("row").filter(has_text="Asked for by Ann")
        await expect(backup).to_contain_text("Good")
        await expect(backup).to_contain_text("1 document, ")
        await expect(page.get_by_role("button", name="Back up now")).to_be_enabled()


async def test_whoever_is_removed_by_a_click_is_out(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as one, tab(chromium, stack.settings.public_url) as two:
        await sign_in(one, ann, f"/org/{ann.org['id']}")
        await sign_in(two, cleo, place(ann))
        await expect(two.saved).to_have_text("Saved")
        members = one.page.get_by_role("list", name="Members").get_by_role("listitem")
        await expect(members).to_have_count(2)
        await one.page.get_by_role("button", name="More about Cleo").click()
        await one.page.get_by_role("menuitem", name="Remove").click()
        await one.page.get_by_role("dialog", name="Remove Cleo?").get_by_role("button", name="Remove").click()
        await expect(members).to_have_count(1)
        await expect(two.page.get_by_role("alert")).to_contain_text("can no longer open")


async def test_an_owner_hands_over(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, f"/org/{ann.org['id']}")
        await page.get_by_role("button", name="More about Cleo").click()
        await page.get_by_role("menuitem", name="Transfer ownership").click()
        asked = page.get_by_role("dialog", name="Make Cleo the owner?")
        await asked.get_by_role("button", name="Transfer ownership").click()
        await expect(page.get_by_label("Role of Cleo")).to_have_value("owner")
        await expect(page.get_by_label("Role of Ann")).to_have_value("admin")
        await expect(page.get_by_text("You are an admin here.")).to_be_visible()
        await page.get_by_role("button", name="More about Cleo").click()
        await expect(page.get_by_role("menuitem", name="Transfer ownership")).to_have_count(0)
    assert (await cleo.json("GET", f"/orgs/{ann.org['id']}"))["role"] == "owner"


async def test_fewer_revisions_are_kept(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    where = f"/org/{ann.org['id']}/settings"
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, where)
        kept = page.get_by_role("region", name="How long revisions are kept")
        await expect(kept).to_contain_text("Every revision is kept.")
        await kept.get_by_label("All of them, for days").fill("100")
        await kept.get_by_role("button", name="Set").click()
        await expect(page.get_by_text("Each of the three has to be at least as long")).to_be_visible()
        await kept.get_by_label("All of them, for days").fill("7")
        await kept.get_by_role("button", name="Set").click()
        asked = page.get_by_role("dialog", name="Keep fewer revisions?")
        await expect(asked).to_contain_text("All are kept for 7 days")
        await asked.get_by_role("button", name="Keep only these").click()
        await expect(kept).to_contain_text("All are kept for 7 days, one an hour until they are 90 days old")
    policy = await ann.json("GET", f"/orgs/{ann.org['id']}/retention")
    assert [policy[days] for days in ("all_days", "hourly_days", "daily_days")] == [7, 90, 365]
    async with tab(chromium, stack.settings.public_url) as two:
        await sign_in(two, cleo, where)
        kept = two.page.get_by_role("region", name="How long revisions are kept")
        await expect(kept).to_contain_text("All are kept for 7 days")
        await expect(kept.get_by_role("button")).to_have_count(0)


async def test_what_an_organization_has(chromium: Browser, stack: Stack, ann: Person) -> None:
    await operating.set_quota(ann.org_id, documents=1, bytes=10_000)
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, f"/org/{ann.org['id']}/usage")
        await expect(page.get_by_role("group", name="Documents")).to_contain_text("of 1: full")
        await expect(page.get_by_role("group", name="Storage")).to_contain_text("of 9.8 KB")
        await expect(page.get_by_role("group", name="Members")).to_contain_text("No limit")
        await expect(page.get_by_role("alert")).to_contain_text("No document can be added.")
        await one.go("/")
        await page.get_by_role("button", name="New document").first.click()
        told = page.get_by_role("status").filter(has_text="all the documents it may have")
        await told.get_by_role("button", name="See what there is").click()
        await expect(page.get_by_role("heading", name="What it has")).to_be_visible()


async def test_everything_is_taken_along(chromium: Browser, stack: Stack, ann: Person, tmp_path: Path) -> None:
    async with tab(chromium, stack.settings.public_url, accept_downloads=True) as one:
        page = one.page
        await sign_in(one, ann, f"/org/{ann.org['id']}/settings")
        await page.get_by_role("button", name="Export all documents").click()
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Download archive").click()
        file = tmp_path / "archive.zip"
        await (await downloading.value).save_as(file)
        with ZipFile(file) as archive:
            assert archive.testzip() is None
            assert any(ann.document["id"] in name for name in archive.namelist()), archive.namelist()


async def test_pictures(chromium: Browser, stack: Stack, ann: Person, cleo: Person) -> None:
    """What stands around the documents; docs/page.md shows it."""
    document = await cleo.json("POST", f"/orgs/{ann.org['id']}/documents", json={"title": "Last year's plan"})
    await cleo.json("DELETE", f"/documents/{document['id']}")
    async with tab(chromium, stack.settings.public_url) as one:
        page = one.page
        await sign_in(one, ann, f"/org/{ann.org['id']}")
        await expect(page.get_by_text("Cleo").first).to_be_visible()
        await page.screenshot(path=PICTURES / "people.png")
        await one.go(f"/org/{ann.org['id']}/usage")
        await expect(page.get_by_role("group", name="Members")).to_contain_text("No limit")
        await page.screenshot(path=PICTURES / "usage.png")
        await one.go(f"/org/{ann.org['id']}/audit")
        await expect(page.get_by_role("row").filter(has_text="Document trashed")).to_contain_text("Cleo")
        await page.screenshot(path=PICTURES / "audit.png")
        await one.go("/account")
        await expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()
        await page.screenshot(path=PICTURES / "account.png")

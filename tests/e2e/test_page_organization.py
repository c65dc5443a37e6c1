"""The page of an organization: its groups, its webhooks, what was done in it."""

from playwright.async_api import Browser, expect

from tests.conftest import Stack
from tests.e2e.browser import place, sign_in, tab
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

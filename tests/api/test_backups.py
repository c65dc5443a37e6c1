"""`/orgs/{id}/backups`."""

from tests.people import Person


async def test_an_admin_asks_for_a_backup_and_sees_what_came_of_it(ann: Person, bob: Person) -> None:
    asked = await ann.api.post(f"/orgs/{ann.org_id}/backups")
    assert asked.status_code == 202, asked.text
    assert asked.json() | {"state": "pending", "kind": "requested", "requested_by": ann.user["id"]} == asked.json()
    again = await ann.api.post(f"/orgs/{ann.org_id}/backups")
    assert again.status_code in (202, 409)  # 202 only where the first is done already
    listed = (await ann.api.get(f"/orgs/{ann.org_id}/backups", params={"limit": 1})).json()
    assert len(listed["items"]) == 1
    assert (await bob.api.get(f"/orgs/{ann.org_id}/backups")).status_code == 404
    log = (await ann.api.get(f"/orgs/{ann.org_id}/audit", params={"action": "backup.requested"})).json()
    assert asked.json()["id"] in [event["target_id"] for event in log["items"]]

"""People of one's own beside ours: some browse the list of files while others upload.

locust -f locustfiles/custom.py --headless --scenario smoke      # the terminal alone
upswarm run smoke -- -f locustfiles/custom.py                    # the same

docs/extending.md says what may be changed, and how.
"""

from locust import FastHttpUser, between, task

from upswarm.swarm import users
from upswarm.swarm.session import connect
from upswarm.swarm.shape import StagesShape
from upswarm.transfer.records import Outcome

__all__ = ["StagesShape"]

connect()


class BrowsingUser(FastHttpUser):
    """Looks through the list of files, and at one of them. `host` is the target of the run."""

    fixed_count = 2  # besides the scenario's users
    wait_time = between(0.1, 0.5)

    @task
    def browse(self) -> None:
        """The newest page of a shop, so to say. Whatever is wrong with it stands in Locust's own table."""
        with self.rest("GET", "/v1/files?limit=20", name="list of files") as page:
            for file in page.js["files"][-1:]:
                self.client.get(f"/v1/files/{file['file_id']}", name="a file's metadata")


class CarefulUser(users.UploadUser, FastHttpUser):
    """Uploads the scenario's files as every UploadUser does, and now and then asks for the one it uploaded last."""

    latest = ""

    def on_upload(self, outcome: Outcome) -> None:
        """Keep the id of the file, if there is one."""
        if outcome.receipt is not None:
            self.latest = outcome.receipt.file_id

    @task
    def look(self) -> None:
        """Is it really there?"""
        if self.latest:
            self.client.get(f"/v1/files/{self.latest}", name="my file's metadata")

    def context(self) -> dict[str, str]:
        """Locust's listeners get this with every request, uploads included."""
        return {"latest": self.latest}

"""What all dialects read in the same way."""

import pytest

from upswarm.protocols.answers import location
from upswarm.transfer.failures import Failure, Fault
from upswarm.transfer.messages import Response

ASKED = "https://registry.test/v2/team/image/blobs/uploads/"


@pytest.mark.parametrize(
    ("asked", "written", "url"),
    [
        (ASKED, "https://other.test/u1", "https://other.test/u1"),
        (ASKED, "/v2/u1?_state=s1", "https://registry.test/v2/u1?_state=s1"),
        (ASKED, "u1", f"{ASKED}u1"),
        (ASKED, "//other.test/u1", "https://other.test/u1"),
        ("", "/v2/u1", "/v2/u1"),
        ("", " http://other.test/u1 ", "http://other.test/u1"),
    ],
)
def test_a_location_is_relative_to_what_was_asked(asked, written, url):
    assert location(Response(202, {"location": written}, url=asked)) == url


@pytest.mark.parametrize(
    ("asked", "written"), [(ASKED, ""), (ASKED, " "), (ASKED, "ftp://h/u1"), (ASKED, "http://["), ("", "u1")]
)
def test_a_location_that_leads_nowhere_is_broken(asked, written):
    with pytest.raises(Fault, match="202 without a usable Location") as raised:
        location(Response(202, {"location": written}, url=asked))
    assert (raised.value.kind, raised.value.status) == (Failure.BROKEN, 202)

"""The examples of "Authorize with Shared Key" in Azure's REST reference; azurite checks the signatures themselves."""

import base64
import hashlib
import hmac

import pytest

from upswarm.testing.clock import FakeClock
from upswarm.transfer.azure_auth import azure_sas, azure_shared_key, string_to_sign
from upswarm.transfer.messages import Body, Phase, Request

DATE = "Fri, 26 Jun 2015 23:39:12 GMT"
JUNE_26 = 1435361952.0
CONTAINER = "https://myaccount.blob.core.windows.net/mycontainer"
SPECIAL = {"x-ms-version": "2015-02-21", "x-ms-date": DATE}
SIGNED_SPECIAL = f"x-ms-date:{DATE}\nx-ms-version:2015-02-21\n"
KEY = base64.b64encode(b"a key").decode()


def to_sign(method, url, headers=None, body=b""):
    request = Request(Phase.PROBE, method, url, {**SPECIAL, **(headers or {})}, Body.of_bytes(body))
    return string_to_sign(request, url, "myaccount")


@pytest.mark.parametrize(
    ("method", "query", "resource"),
    [
        ("GET", "restype=container&comp=metadata&timeout=20", "\ncomp:metadata\nrestype:container\ntimeout:20"),
        ("PUT", "restype=container&timeout=30", "\nrestype:container\ntimeout:30"),
    ],
)
def test_azures_examples(method, query, resource):
    expected = f"{method}\n\n\n\n\n\n\n\n\n\n\n\n{SIGNED_SPECIAL}/myaccount/mycontainer{resource}"
    assert to_sign(method, f"{CONTAINER}?{query}") == expected


def test_the_standard_headers_have_their_lines():
    headers = {
        "Content-Type": "application/xml", "Content-MD5": "md5", "Range": "bytes=0-9", "If-None-Match": "*",
        "If-Match": "tag", "Content-Encoding": "br", "Content-Language": "de", "Accept": "not signed",
    }  # fmt: skip
    found = to_sign("PUT", CONTAINER, headers, b"12345678901")
    assert found == (
        f"PUT\nbr\nde\n11\nmd5\napplication/xml\n\n\ntag\n*\n\nbytes=0-9\n{SIGNED_SPECIAL}/myaccount/mycontainer"
    )


@pytest.mark.parametrize(
    ("url", "resource"),
    [
        ("http://127.0.0.1:10000/myaccount/c/b%20b", "/myaccount/myaccount/c/b%20b"),
        ("https://a.test", "/myaccount/"),
        ("https://a.test/c/b?comp=block&blockid=MDA%3D", "/myaccount/c/b\nblockid:MDA=\ncomp:block"),
        ("https://a.test/c?Comp=x&a=1+2", "/myaccount/c\na:1+2\ncomp:x"),
    ],
)
def test_the_resource_is_the_path_as_it_is_sent_and_the_query_as_it_is_meant(url, resource):
    assert to_sign("GET", url).partition("2015-02-21\n")[2] == resource


def test_a_request_is_dated_by_the_clock_and_signed_with_the_key():
    sign = azure_shared_key("myaccount", KEY, CONTAINER, FakeClock(wall_s=JUNE_26))
    headers = sign(Request(Phase.PROBE, "GET", "?restype=container", {"x-ms-version": "2015-02-21"})).headers
    assert headers["x-ms-date"] == DATE
    text = f"GET\n\n\n\n\n\n\n\n\n\n\n\n{SIGNED_SPECIAL}/myaccount/mycontainer\nrestype:container"
    signature = base64.b64encode(hmac.new(b"a key", text.encode(), hashlib.sha256).digest()).decode()
    assert headers["Authorization"] == f"SharedKey myaccount:{signature}"


@pytest.mark.parametrize("token", ["sv=2021&sig=a%2Bb", "?sv=2021&sig=a%2Bb"])
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/b", "/b?sv=2021&sig=a%2Bb"),
        ("/b?comp=block", "/b?comp=block&sv=2021&sig=a%2Bb"),
        (f"{CONTAINER}/b", f"{CONTAINER}/b?sv=2021&sig=a%2Bb"),
        ("", f"{CONTAINER}?sv=2021&sig=a%2Bb"),
    ],
)
def test_a_shared_access_signature_stands_behind_what_is_asked(token, path, found):
    assert azure_sas(token, CONTAINER)(Request(Phase.PROBE, "GET", path)).path == found

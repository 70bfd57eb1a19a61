from dataclasses import replace

import pytest

from upswarm.testing.clock import FakeClock
from upswarm.transfer.auth import bearer, header, unsigned, url_of
from upswarm.transfer.azure_auth import azure_sas, azure_shared_key
from upswarm.transfer.messages import Phase, Request
from upswarm.transfer.sigv4 import AwsKeys, sigv4

HOME = "http://h:9000/bucket"
REQUEST = Request(Phase.PROBE, "GET", "/a.bin?x=1", {"Given": "stays"})
SIGNS = {
    "bearer": bearer("secret", HOME),
    "header": header("X-Api-Key", "secret", HOME),
    "sigv4": sigv4(AwsKeys("id", "secret"), "us-east-1", HOME, FakeClock()),
    "azure_sas": azure_sas("sig=secret", HOME),
    "azure_shared_key": azure_shared_key("account", "c2VjcmV0", HOME, FakeClock()),
}


def test_without_auth_a_request_stays_as_it_is():
    assert unsigned(REQUEST) is REQUEST


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("path", ["/a.bin", "", "http://h:9000/elsewhere?at=home"])
def test_what_goes_to_the_target_is_signed(sign, path):
    request = replace(REQUEST, path=path)
    signed = sign(request)
    assert signed != request
    assert (signed.phase, signed.method, signed.body) == (request.phase, request.method, request.body)
    assert signed.headers["Given"] == "stays"


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize(
    "url", ["http://other:9000/bucket/x", "https://h:9000/bucket/x", "http://h/bucket/x", "http://h:9000.evil.test/"]
)
def test_credentials_follow_no_url_to_another_place(sign, url):
    request = replace(REQUEST, path=url)
    assert sign(request) == request


@pytest.mark.parametrize(
    ("target_url", "path", "url"),
    [
        ("http://h/b", "/k", "http://h/b/k"),
        ("http://h/b/", "/k", "http://h/b/k"),
        ("http://h/b/", "", "http://h/b/"),
        ("http://h/b", "https://o/k", "https://o/k"),
    ],
)
def test_what_is_signed_is_where_a_transport_goes(target_url, path, url):
    assert url_of(replace(REQUEST, path=path), target_url) == url

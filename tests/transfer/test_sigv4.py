"""The examples of "Authenticating Requests" (Amazon S3 API Reference), with a header and with a URL, and more."""

import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from upswarm.testing.clock import FakeClock
from upswarm.transfer.messages import Phase, Request
from upswarm.transfer.sigv4 import AwsKeys, presigned, signed, sigv4, sigv4_presigned

KEYS = AwsKeys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
BUCKET = "https://examplebucket.s3.amazonaws.com"
MAY_24 = 1369353600.0  # 2013-05-24T00:00:00Z
BODY = "x-amz-content-sha256"
NOTHING = hashlib.sha256(b"").hexdigest()


def authorization(method, path, headers=None, keys=KEYS, wall_s=MAY_24):
    request = Request(Phase.PROBE, method, path, headers or {})
    return signed(request, BUCKET + path, keys, "us-east-1", wall_s).headers["Authorization"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "names", "signature"),
    [
        (
            "GET", "/test.txt", {"Range": "bytes=0-9", BODY: NOTHING}, "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT", "/test$file.text",
            {
                "Date": "Fri, 24 May 2013 00:00:00 GMT",
                "x-amz-storage-class": "REDUCED_REDUNDANCY",
                BODY: hashlib.sha256(b"Welcome to Amazon S3.").hexdigest(),
            },
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET", "/?lifecycle", {BODY: NOTHING}, "host;x-amz-content-sha256;x-amz-date",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET", "/?max-keys=2&prefix=J", {BODY: NOTHING}, "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)  # fmt: skip
def test_amazons_examples(method, path, headers, names, signature):
    scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
    assert authorization(method, path, headers) == (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/?max-keys=2&prefix=J", "/?prefix=J&max-keys=2"),
        ("/?lifecycle", "/?lifecycle="),
        ("/test$file", "/test%24file"),
        ("/a%2Fb", "/a/b"),
        ("/%7ea", "/~a"),
        ("/?x=a%2fb", "/?x=a/b"),
        ("/?a-b=1&a=2", "/?a=2&a-b=1"),
        ("", "/"),
    ],
)
def test_one_request_in_two_spellings_has_one_signature(one, other):
    assert authorization("GET", one) == authorization("GET", other)


@pytest.mark.parametrize(
    ("one", "other"), [("/a+b", "/a%20b"), ("/?x=a+b", "/?x=a%20b"), ("/?a=1", "/?a=2"), ("/a", "/A")]
)
def test_two_requests_have_two_signatures(one, other):
    assert authorization("GET", one) != authorization("GET", other)


def test_blanks_in_a_header_are_one():
    one, other = (authorization("GET", "/", {"x-amz-meta-a": value}) for value in ("b c", "  b   c "))
    assert one == other


def test_a_body_is_not_hashed():
    sign = sigv4(KEYS, "us-east-1", BUCKET, FakeClock(wall_s=MAY_24))
    headers = sign(Request(Phase.CHUNK, "PUT", "/a.bin", {"x-amz-checksum-crc32c": "AQIDBA=="})).headers
    assert headers[BODY] == "UNSIGNED-PAYLOAD"
    assert "SignedHeaders=host;x-amz-checksum-crc32c;x-amz-content-sha256;x-amz-date," in headers["Authorization"]


def test_the_host_that_is_signed_is_the_one_that_is_sent():
    headers = sigv4(KEYS, "us-east-1", "http://H:9000/b", FakeClock())(Request(Phase.PROBE, "GET", "/k")).headers
    assert headers["Host"] == "H:9000"


def test_the_time_is_the_clocks_and_each_try_has_its_own():
    clock = FakeClock(wall_s=MAY_24)
    sign = sigv4(KEYS, "eu-west-1", BUCKET, clock)
    first = sign(Request(Phase.PROBE, "GET", "/k")).headers
    clock.advance(86_399)
    second = sign(Request(Phase.PROBE, "GET", "/k")).headers
    assert (first["x-amz-date"], second["x-amz-date"]) == ("20130524T000000Z", "20130524T235959Z")
    assert "/20130524/eu-west-1/s3/" in first["Authorization"]
    assert first["Authorization"] != second["Authorization"]


def test_temporary_keys_show_their_token_and_sign_it():
    keys = AwsKeys("id", "secret", session_token="token/+=")
    request = Request(Phase.PROBE, "GET", "/k")
    headers = signed(request, f"{BUCKET}/k", keys, "us-east-1", MAY_24).headers
    assert headers["x-amz-security-token"] == "token/+="
    assert ";x-amz-security-token," in headers["Authorization"]


def test_keys_do_not_show_themselves():
    assert repr(AwsKeys("id", "hunter2", "token")) == "AwsKeys()"


def query(path, headers=None, keys=KEYS):
    """What stands behind the URL of a presigned request."""
    request = presigned(Request(Phase.CHUNK, "PUT", path, headers or {}), BUCKET + path, keys, "us-east-1", MAY_24)
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def test_amazons_example_of_a_url():
    request = Request(Phase.PROBE, "GET", "/test.txt")
    assert presigned(request, f"{BUCKET}/test.txt", KEYS, "us-east-1", MAY_24, expires_s=86_400).path == (
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_a_presigned_request_has_no_header_that_a_browser_would_not_have():
    sign = sigv4_presigned(KEYS, "us-east-1", BUCKET, FakeClock(wall_s=MAY_24))
    request = sign(Request(Phase.FINALIZE, "POST", "/k?uploadId=u", {"Content-Type": "application/xml"}))
    assert request.headers == {"Content-Type": "application/xml", "Host": "examplebucket.s3.amazonaws.com"}
    assert request.path.startswith("/k?uploadId=u&X-Amz-Algorithm=")


def test_of_a_presigned_request_amazons_headers_are_signed_and_others_are_not():
    plain = query("/k?partNumber=1&uploadId=u")
    assert plain["X-Amz-SignedHeaders"] == "host"
    assert query("/k?partNumber=1&uploadId=u", {"Content-Type": "a/b"}) == plain
    checked = query("/k?partNumber=1&uploadId=u", {"x-amz-checksum-crc32c": "AQIDBA=="})
    assert checked["X-Amz-SignedHeaders"] == "host;x-amz-checksum-crc32c"
    assert checked["X-Amz-Signature"] != plain["X-Amz-Signature"]


def test_temporary_keys_show_their_token_in_the_url_and_sign_it():
    found = query("/k", keys=AwsKeys(KEYS.access_key, KEYS.secret_key, "token/+="))
    assert found["X-Amz-Security-Token"] == "token/+="
    assert found["X-Amz-Signature"] != query("/k")["X-Amz-Signature"]


def test_a_presigned_url_goes_to_the_target_only():
    sign = sigv4_presigned(KEYS, "us-east-1", BUCKET, FakeClock(wall_s=MAY_24))
    elsewhere = Request(Phase.PROBE, "GET", "https://elsewhere.example.com/k")
    assert sign(elsewhere) is elsewhere

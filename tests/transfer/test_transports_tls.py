"""Both transports behind TLS, straight and through a proxy."""

import ssl
import warnings

import pytest
import trustme

from tests.transfer.sending import PROBE, MiB, put
from tests.transfer.unruly import (
    message,
    says,
    says_and_hangs_up,
    serving,
    tunnels,
)
from upswarm.transfer.failures import RESUMABLE, UNANSWERED, Failure, Interrupted
from upswarm.transfer.transport import Route

OK = says(message())


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_a_server_that_is_believed_is_served(transport_to, tls, ca_file):
    request = put(3 * MiB + 5)
    with serving(OK, tls=tls) as server, transport_to(server.url, Route(ca_file=ca_file)) as transport:
        assert [transport.send(request).status for _ in range(2)] == [200, 200]
    assert [seen.connection for seen in server.requests] == [1, 1]
    assert [bytes(seen.body) for seen in server.requests] == [b"".join(request.body)] * 2


def test_a_name_is_told_before_the_handshake(transport_to, authority, tls, ca_file):
    names = []
    authority.issue_cert("localhost").configure_cert(tls)
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    with serving(OK, tls=tls) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        with transport_to(url, Route(ca_file=ca_file)) as transport:
            transport.send(PROBE)
    assert names == ["localhost"]


def test_a_server_that_nobody_vouches_for_gets_no_request(transport_to, tls):
    with (
        serving(OK, tls=tls) as server,
        transport_to(server.url) as transport,
        pytest.raises(Interrupted) as raised,
    ):
        transport.send(PROBE)
    assert (raised.value.kind, raised.value.message) == (
        Failure.UNTRUSTED,
        "the server's certificate: unable to get local issuer certificate; "
        "`transfer.tls.ca_file` names the authorities to believe",
    )
    assert server.requests == []


def test_a_server_that_nobody_vouches_for_is_not_asked_again():
    assert Failure.UNTRUSTED not in UNANSWERED | RESUMABLE


def test_a_server_with_another_name_gets_no_request(transport_to, authority, ca_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.test").configure_cert(context)
    with (
        serving(OK, tls=context) as server,
        transport_to(server.url, Route(ca_file=ca_file)) as transport,
        pytest.raises(Interrupted),
    ):
        transport.send(PROBE)
    assert server.requests == []


def test_a_server_that_only_knows_tls_1_1_gets_no_request(transport_to, tls, ca_file):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with (
        serving(OK, tls=tls) as server,
        transport_to(server.url, Route(ca_file=ca_file)) as transport,
        pytest.raises(Interrupted),
    ):
        transport.send(PROBE)
    assert server.requests == []


def test_whoever_asks_for_it_believes_everybody(transport_to, tls):
    with serving(OK, tls=tls) as server, transport_to(server.url, Route(verify=False)) as transport:
        assert transport.send(PROBE).status == 200


def test_a_connection_that_was_closed_in_between_is_made_anew(transport_to, tls, ca_file):
    hangs_up = says_and_hangs_up(message(200))
    with serving(hangs_up, OK, tls=tls) as server, transport_to(server.url, Route(ca_file=ca_file)) as transport:
        assert transport.send(PROBE).status == 200
        server.wait_until_closed(1)
        assert transport.send(PROBE).status == 200
    assert [seen.connection for seen in server.requests] == [1, 2]


def test_a_proxy_is_asked_for_a_way_through(transport_to, tls, ca_file, monkeypatch):
    with serving(OK, tls=tls) as server, serving(tunnels) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        with transport_to(server.url, Route(proxies=True, ca_file=ca_file)) as transport:
            assert transport.send(put(100)).status == 200
    assert [seen.line.rpartition(" ")[0] for seen in proxy.requests] == [f"CONNECT 127.0.0.1:{server.port}"]
    assert [seen.body_bytes for seen in server.requests] == [100]


def test_a_proxy_that_refuses_leaves_the_server_unreachable(transport_to, tls, monkeypatch):
    with serving(OK, tls=tls) as server, serving(says(message(407))) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        with transport_to(server.url, Route(proxies=True)) as transport, pytest.raises(Interrupted) as raised:
            transport.send(PROBE)
    assert raised.value.kind is Failure.UNREACHABLE
    assert server.requests == []

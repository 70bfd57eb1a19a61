"""Whether somebody listens, or is connected, by the kernel's tables: asked with real sockets."""

import socket

import pytest

from upswarm.health_check import EXIT_UNHEALTHY, main


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listener_and_who_is_connected_to_it_are_seen_and_nobody_else_is(family, host, capsys):
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        port = str(listener.getsockname()[1])
        assert main(["listening", port]) == EXIT_UNHEALTHY, "it is bound, and does not listen yet"
        listener.listen()
        assert main(["listening", port]) == 0
        assert main(["connected", port]) == EXIT_UNHEALTHY
        with socket.create_connection((host, int(port))):
            assert main(["connected", port]) == 0
    assert main(["listening", port]) == EXIT_UNHEALTHY
    assert capsys.readouterr().out.splitlines() == [
        f"not listening at port {port}", f"listening at port {port}", f"not connected to port {port}",
        f"connected to port {port}", f"not listening at port {port}",
    ]  # fmt: skip


def test_who_is_connected_here_is_not_who_is_connected_to_from_elsewhere(tmp_path):
    """On one machine both ends are in one table; in a container only its own, here that of a worker."""
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    row = "   0: 0300000A:A0C8 0200000A:15B5 01 00000000:00000000 00:00000000 00000000 10001        0 4711 1 0\n"
    (tmp_path / "tcp").write_text(head + row)
    assert main(["connected", "5557"], tmp_path) == 0
    assert main(["connected", str(0xA0C8)], tmp_path) == EXIT_UNHEALTHY
    assert main(["listening", "5557"], tmp_path) == EXIT_UNHEALTHY


@pytest.mark.parametrize("question", [[], ["listening"], ["connected", "x"], ["asleep", "1"], ["connected", "1", "2"]])
def test_what_can_not_be_asked_is_told_what_can(question, capsys):
    assert main(question) == 2
    assert "expected `listening PORT` or `connected PORT`" in capsys.readouterr().err

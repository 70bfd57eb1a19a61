"""What the machine that sends has none left of is no fault of the server's, and no name that does not exist."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.transfer.sending import PROBE
from upswarm.transfer.failures import RESUMABLE, SHORTAGES, UNANSWERED, Failure, Interrupted
from upswarm.transfer.transport import Timeouts
from upswarm.transfer.transport_socket import SocketTransport


@contextmanager
def no_file_left() -> Iterator[None]:
    """This process may open no more: all numbers below the limit are taken."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest.fileno() + 1, before[1]))
        taken = []
        try:
            while True:
                taken.append(os.dup(highest.fileno()))
        except OSError:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for each in taken:
                os.close(each)


def test_without_a_file_for_it_no_connection_is_opened(transport_to):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with transport_to(url) as transport, no_file_left(), pytest.raises(Interrupted) as raised:
            transport.send(PROBE)
    assert (raised.value.kind, raised.value.message) == (Failure.OUT_OF_FILES, "Too many open files")


def test_the_last_files_are_left_for_the_report():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = SocketTransport(f"http://127.0.0.1:{listener.getsockname()[1]}", Timeouts())
        resource.setrlimit(resource.RLIMIT_NOFILE, (listener.fileno() + 9, before[1]))
        try:
            with pytest.raises(Interrupted) as raised:
                transport.send(PROBE)
            os.close(os.dup(listener.fileno()))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert raised.value.kind is Failure.OUT_OF_FILES


def test_nor_is_a_name_looked_up(transport_to):
    with transport_to("http://some-host.invalid") as transport:
        with no_file_left(), pytest.raises(Interrupted) as raised:
            transport.send(PROBE)
        with pytest.raises(Interrupted) as afterwards:
            transport.send(PROBE)
    assert (raised.value.kind, raised.value.message) == (Failure.OUT_OF_FILES, "Too many open files")
    assert afterwards.value.kind is Failure.UNREACHABLE


def test_the_server_took_nothing_so_the_upload_goes_on_when_there_is_one():
    assert SHORTAGES <= UNANSWERED & RESUMABLE

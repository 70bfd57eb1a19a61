"""`put` against nginx with its DAV module, which keeps nothing of a body that was cut."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.audit.lab import Lab, flipped, shorter
from tests.protocols.journeys.cutting import wire_to
from tests.protocols.journeys.engine import Engine, a_file, content, engine
from tests.protocols.journeys.servers import free_port, running
from upswarm.protocols.put import Put
from upswarm.results.audit_record import Fate
from upswarm.transfer.failures import Failure
from upswarm.transfer.records import End

SIZE_BYTES = 250_000
# Debian keeps servers where only root looks.
PROGRAM = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
CONFIGURATION = """\
daemon off;
pid {folder}/pid;
error_log stderr error;
events {{}}
http {{
  access_log off;
  client_max_body_size 1m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/root;
    location / {{ return 200; }}
    location /dav/ {{ dav_methods PUT DELETE; }}
    location /readonly/ {{ }}
  }}
}}
"""

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed: apt-get install nginx-light")


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx, and where it keeps files."""

    url: str
    files: Path

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.files.iterdir())


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    files = folder / "root" / "dav"
    files.mkdir(parents=True)
    folder.chmod(0o755)
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port))
    with running(
        [str(PROGRAM), "-p", folder, "-c", configuration, "-g", "master_process off;"], f"http://127.0.0.1:{port}/"
    ):
        yield Nginx(f"http://127.0.0.1:{port}/dav", files)


@pytest.fixture
def put(nginx: Nginx) -> Iterator[Engine]:
    with engine(Put("client-1"), nginx.url, 1000) as put:
        yield put


@pytest.mark.parametrize(("size_bytes", "phases"), [(0, ["finalize"]), (1, ["chunk"]), (SIZE_BYTES, ["chunk"])])
def test_a_file_arrives_whole_in_one_request(put: Engine, nginx: Nginx, size_bytes: int, phases: list[str]) -> None:
    file = a_file(f"whole {size_bytes}.bin", size_bytes)
    outcome = put.upload(file)
    assert outcome.end is End.FINISHED, outcome.message
    assert (nginx.files / file.name).read_bytes() == content(file)
    assert put.phases == phases


def test_a_put_that_was_cut_is_sent_again_whole(nginx: Nginx) -> None:
    file = a_file("cut.bin", SIZE_BYTES)
    with wire_to(nginx.url) as wire, engine(Put("client-1"), wire.url, 1000) as put:
        wire.cuts = {0: SIZE_BYTES - 1, 1: 1}
        outcome = put.upload(file)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 2), outcome.message
    assert [head.body_bytes for head in wire.heads] == [SIZE_BYTES] * 3
    assert (nginx.files / file.name).read_bytes() == content(file)


def test_a_put_that_is_always_cut_is_given_up_and_leaves_nothing(nginx: Nginx) -> None:
    with wire_to(nginx.url) as wire, engine(Put("client-1"), wire.url, 1000) as put:
        wire.cuts = dict.fromkeys(range(10), 1000)
        outcome = put.upload(a_file("never.bin", SIZE_BYTES))
    assert (outcome.end, outcome.failure) == (End.FAILED, Failure.RESET)
    assert "never.bin" not in nginx.names


def test_an_abort_deletes_what_is_there_and_minds_nothing_that_is_not(put: Engine, nginx: Nginx) -> None:
    drive, protocol = put.uploader.exchange.drive, put.uploader.protocol
    session = put.begin(a_file("aborted.bin", SIZE_BYTES), chunks=1)
    assert "aborted.bin" in nginx.names
    for _ in range(2):
        drive(protocol.abort(session))
        assert "aborted.bin" not in nginx.names


@pytest.mark.parametrize(
    ("path", "size_bytes", "failure"),
    [("/readonly", 1, Failure.REJECTED), ("/dav", 2 << 20, Failure.TOO_LARGE), ("/dav/none", 1, Failure.SERVER_ERROR)],
)
def test_what_nginx_does_not_take_has_a_kind(nginx: Nginx, path: str, size_bytes: int, failure: Failure) -> None:
    """For a folder that is not there it says 500."""
    with engine(Put("client-1"), nginx.url.removesuffix("/dav") + path, 1000) as put:
        outcome = put.upload(a_file("refused.bin", size_bytes))
    assert (outcome.end, outcome.failure) == (End.FAILED, failure), outcome.message


def test_an_audit_finds_what_was_planted(nginx: Nginx, tmp_path: Path) -> None:
    lab = Lab(tmp_path, Put("client-1"), nginx.url)
    gone, short, bent, *_ = (entry for entry in lab.upload(6) if entry.size_bytes > 1000)
    assert lab.audit().counts == {Fate.INTACT: 6}
    (nginx.files / gone.file_name).unlink()
    for entry, damage in ((short, shorter), (bent, flipped)):
        path = nginx.files / entry.file_name
        path.write_bytes(damage(path.read_bytes()))
    assert {problem.file_id: problem.fate for problem in lab.audit().problems} == {
        gone.file_id: Fate.MISSING, short.file_id: Fate.TRUNCATED, bent.file_id: Fate.CORRUPT,
    }  # fmt: skip

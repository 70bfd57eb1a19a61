"""Servers of others for the scenarios that want one: started for a run, and what the environment has to say then."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import requests

from tests.protocols.journeys import servers, test_azure, test_oci
from tests.protocols.journeys.servers import free_port, running

JOURNEYS = Path(servers.__file__).parent
Environ = dict[str, str]


@contextmanager
def s3(folder: Path) -> Iterator[Environ]:
    """moto."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = servers.environment(JOURNEYS / "moto.txt") / "moto_server"
    with running([program, "-H", "127.0.0.1", "-p", str(port)], address):
        assert requests.put(f"{address}/uploads", timeout=10).status_code == 200
        yield {"S3_URL": f"{address}/uploads"}


@contextmanager
def azure(folder: Path) -> Iterator[Environ]:
    """azurite, which checks signatures."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = servers.packages(JOURNEYS / "azurite") / "node_modules/azurite/dist/src/blob/main.js"
    options = ["--disableTelemetry", "--skipApiVersionCheck", "--silent", "--location", folder]
    with running([servers.NODE, program, "--blobHost", "127.0.0.1", "--blobPort", str(port), *options], address):
        container = test_azure.Container(f"{address}/{test_azure.ACCOUNT}/container")
        assert container.ask("PUT", "?restype=container").status == 201
        yield {"AZURE_URL": container.url, "AZURE_SAS": test_azure.shared_access_signature(test_azure.KEY)}


@contextmanager
def gcs(folder: Path) -> Iterator[Environ]:
    """gcp-storage-emulator."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = servers.environment(JOURNEYS / "gcp-storage-emulator.txt") / "gcp-storage-emulator"
    arguments = ["start", "--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=uploads"]
    with running([program, *arguments], address):
        yield {"GCS_URL": f"{address}/upload/storage/v1/b/uploads"}


@contextmanager
def oci(folder: Path) -> Iterator[Environ]:
    """docker-registry."""
    port = free_port()
    configuration = folder / "registry.yml"
    configuration.write_text(test_oci.CONFIGURATION.format(folder=folder / "blobs", port=port))
    with running([test_oci.PROGRAM, "serve", configuration], f"http://127.0.0.1:{port}/v2/"):
        yield {"OCI_URL": f"http://127.0.0.1:{port}/v2/upswarm/blobs"}


SERVERS: dict[str, Callable[[Path], AbstractContextManager[Environ]]] = {
    "s3": s3,
    "azure": azure,
    "gcs": gcs,
    "oci": oci,
}
MISSING = {} if shutil.which(test_oci.PROGRAM) else {"oci": f"{test_oci.PROGRAM} is not installed"}
"""Scenarios whose server is not on this machine, and why."""

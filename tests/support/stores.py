"""Places for files: folders, and buckets of an S3-compatible server in a process of its own."""

import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from guiju.files import FileStore

BUCKET = "guiju-files"
KEYS = {"accessKey": "test", "secretKey": "only-for-tests"}


def free_port() -> int:
    """A free port below those to which SeaweedFS adds 10,000 for its own use."""
    for _attempt in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port < 55_000:
            return port
    pytest.fail("no free port")


@pytest.fixture(scope="session")
def bucket(tmp_path_factory) -> Iterator[str]:
    """Address of a bucket; the server is a process of its own."""
    program = Path(sys.executable).with_name("weed")
    found = str(program) if program.exists() else shutil.which("weed")
    assert found, "SeaweedFS is in the test requirements"
    folder = tmp_path_factory.mktemp("s3")
    identity = {"name": "t", "credentials": [KEYS], "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    port = free_port()
    arguments = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer=true", "-s3", "-volume.max=4"]
    ports = {
        "master.port": free_port(),
        "volume.port": free_port(),
        "filer.port": free_port(),
        "s3.port": port,
    }
    arguments += [f"-{name}={number}" for name, number in ports.items()]
    # Its other services have fixed ports, which two runs at once would fight over.
    arguments += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    arguments += [f"-dir={folder}", f"-s3.config={folder / 's3.json'}"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([found, "server", *arguments], stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", server)
        _wait_until_it_keeps(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        # Ending it in good order takes a minute, for data that nobody wants.
        server.kill()
        server.wait(20)


def _wait_for(url: str, server: subprocess.Popen) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own server
        except urllib.error.HTTPError as refused:
            refused.close()  # It answers; what it says to strangers is no matter.
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the S3-compatible server does not answer")


def _wait_until_it_keeps(url: str) -> None:
    """It answers some seconds before it has a volume to write to, longer on a busy machine."""
    keys = {"key": KEYS["accessKey"], "secret": KEYS["secretKey"]}
    system = fsspec.filesystem("s3", endpoint_url=url, skip_instance_cache=True, **keys)
    until = time.monotonic() + 180
    while True:
        try:
            if not system.exists(BUCKET):
                system.mkdir(BUCKET)
            system.pipe_file(f"{BUCKET}/ready", b"ready")
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


@pytest.fixture(params=["folder", "bucket"])
def make_store(request, tmp_path, monkeypatch) -> Callable[[str], FileStore]:
    """Make empty stores by name, all of one kind."""
    if request.param == "folder":
        return lambda name: FileStore((tmp_path / name).as_uri())
    # As an operator gives them.
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("bucket"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["accessKey"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secretKey"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    folder = secrets.token_hex(4)
    return lambda name: FileStore(f"s3://{BUCKET}/{folder}/{name}")

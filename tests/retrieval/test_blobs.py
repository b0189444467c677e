"""Object stores: a directory, and S3 as moto speaks it."""

import io
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from retrieval.blobs import Blobs, opened
from retrieval.errors import BlobsError, NoSpaceError


@pytest.fixture(params=["directory", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Blobs]:
    if request.param == "directory":
        yield opened(str(tmp_path / "objects"))
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="uploads")
    yield opened("s3://uploads/quiver")
    server.stop()


def test_what_is_put_is_read_and_what_is_deleted_is_gone(blobs: Blobs) -> None:
    content = bytes(range(256)) * 5_000
    blobs.put("acme/file-1", io.BytesIO(content))
    blobs.put("globex/file-1", io.BytesIO(b"theirs"))
    assert blobs.read("acme/file-1", 10_000_000) == content
    assert blobs.read("acme/file-1", 3) == content[:3]
    assert b"".join(blobs.pieces("acme/file-1") or ()) == content
    blobs.delete("acme/file-1")
    blobs.delete("acme/file-1")
    assert blobs.read("acme/file-1", 3) is None
    assert blobs.pieces("acme/file-1") is None
    assert blobs.read("globex/file-1", 10) == b"theirs"


def test_a_half_written_file_is_not_under_its_key(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    blobs = opened(str(tmp_path))
    with pytest.raises(NoSpaceError, match=str(tmp_path)):
        blobs.put("acme/file-1", Failing())
    assert blobs.read("acme/file-1", 1) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("key", ["../acme/x", "acme/../globex", "acme/..", "/etc/passwd", "acme", "a/b/c", "/x"])
def test_no_key_leads_out_of_the_directory(tmp_path: Path, key: str) -> None:
    with pytest.raises(BlobsError):
        opened(str(tmp_path)).read(key, 10)


@pytest.mark.parametrize("address", ["relative/path", "gs://bucket", "s3:///prefix", ""])
def test_an_address_that_is_no_object_store_is_refused(address: str) -> None:
    with pytest.raises(BlobsError, match="absolute path"):
        opened(address)


def test_a_bucket_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ACCESS_KEY_ID", "k"),
                        ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_MAX_ATTEMPTS", "1")):  # fmt: skip
        monkeypatch.setenv(name, value)
    with pytest.raises(BlobsError, match="uploads"):
        opened("s3://uploads").read("acme/file-1", 10)

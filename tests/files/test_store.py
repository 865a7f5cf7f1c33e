"""One store, in a folder and in a bucket of an S3-compatible server of its own."""

import hashlib
import io
from datetime import UTC, datetime, timedelta

import pytest

from guiju.files import FileStore


@pytest.fixture
def store(make_store) -> FileStore:
    return make_store("not there yet")


def test_what_was_put_is_there_until_it_is_deleted(store):
    name = store.new_name(7, ".pdf")
    assert name.startswith("7/")
    assert name != store.new_name(7, ".pdf")
    assert list(store.names(7)) == []
    store.put(name, b"content")
    assert store.get(name) == b"content"
    ((found, stored_at),) = store.names(7)
    assert found == name
    assert abs(datetime.now(UTC) - stored_at) < timedelta(minutes=1)
    assert list(store.names(70)) == []
    store.delete(name)
    store.delete(name)
    assert list(store.names(7)) == []
    with pytest.raises(FileNotFoundError):
        store.get(name)


def test_what_is_large_comes_and_goes_in_pieces(store):
    name, content = store.new_name(7, ".pdf"), b"0123456789" * 700_000
    assert store.digest(name) is None
    store.put_stream(name, io.BytesIO(content))
    assert store.digest(name) == hashlib.sha256(content).hexdigest()
    with store.open(name) as opened:
        assert opened.read(5) == b"01234"
    with pytest.raises(FileNotFoundError):
        store.open(store.new_name(7, ".pdf"))

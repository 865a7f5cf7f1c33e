"""A scanner that speaks clamd's INSTREAM, and none at all."""

import socketserver
import struct
import threading
from collections.abc import Iterator

import pytest

from guiju.files import Refused, Scanner, ScannerUnavailable, admit

PDF = b"%PDF-1.7\n%%EOF\n"
INFECTED = b"%PDF-1.7\nEICAR\n%%EOF\n"


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        if self.rfile.read(10) != b"zINSTREAM\0":
            return
        content = b""
        while length := struct.unpack("!I", self.rfile.read(4))[0]:
            content += self.rfile.read(length)
        self.server.seen.append(content)
        if b"confuse" in content:
            self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
            return
        infected = b"EICAR" in content
        self.wfile.write(b"stream: Eicar FOUND\0" if infected else b"stream: OK\0")


@pytest.fixture
def server() -> Iterator[socketserver.TCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def scanner(server) -> Scanner:
    return Scanner(f"tcp://127.0.0.1:{server.server_address[1]}")


def test_every_byte_is_looked_at(scanner, server):
    content = PDF[:-6] + b"x" * 200_000 + PDF[-6:]
    admit("x.pdf", content, most_bytes=1_000_000, scanner=scanner)
    assert server.seen == [content]


def test_an_infected_file_is_refused(scanner):
    with pytest.raises(Refused) as caught:
        admit("x.pdf", INFECTED, most_bytes=1_000_000, scanner=scanner)
    assert caught.value.problems[0].code == "infected"


def test_nothing_is_let_in_unseen(scanner, server):
    with pytest.raises(ScannerUnavailable, match="limit"):
        admit("x.pdf", PDF + b"%confuse %%EOF", most_bytes=1_000_000, scanner=scanner)
    gone = Scanner("unix:///nowhere/clamd.sock")
    with pytest.raises(ScannerUnavailable):
        admit("x.pdf", PDF, most_bytes=1_000_000, scanner=gone)

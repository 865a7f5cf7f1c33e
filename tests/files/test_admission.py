"""What is let in, what is refused, and what is left of a picture."""

import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image

from guiju.files import MEDIA_TYPES, Refused, admit

PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"
HTML = b"<!doctype html><script>alert(1)</script>"


def let_in(name: str, content: bytes):
    return admit(name, content, most_bytes=5_000_000, scanner=None)


def code_of(name: str, content: bytes) -> str:
    with pytest.raises(Refused) as caught:
        let_in(name, content)
    (problem,) = caught.value.problems
    assert problem.place == "/file"
    return problem.code


def test_what_offices_and_telephones_make(picture, package):
    files = {
        ".pdf": PDF,
        ".docx": package(".docx"),
        ".xlsx": package(".xlsx"),
        ".jpg": picture(),
        ".png": picture("PNG"),
    }
    assert set(files) == set(MEDIA_TYPES)
    for suffix, content in files.items():
        found = let_in(f"会议记录{suffix.upper()}", content)
        assert (found.name, found.suffix) == (f"会议记录{suffix}", suffix)
        assert found.media_type == MEDIA_TYPES[suffix]
        assert found.digest == hashlib.sha256(found.content).hexdigest()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\照片\\一.jpeg", "一.jpg"),
        ('a"b\r\nSet-Cookie: x.pdf', "a_b__Set-Cookie_ x.pdf"),
        ("gpj\u202efdp.pdf", "gpj_fdp.pdf"),
        (".pdf.pdf", "pdf.pdf"),
        ("字" * 300 + ".pdf", "字" * 116 + ".pdf"),
    ],
)
def test_names_become_harmless(picture, name, kept):
    assert let_in(name, picture() if kept.endswith(".jpg") else PDF).name == kept


@pytest.mark.parametrize(
    "name", ["x.exe", "x.html", "x.svg", "x.docm", "x.xlsm", "x.zip", "x", "x.pdf.js", "", ".pdf"]
)
def test_other_kinds_are_refused(name):
    assert code_of(name, PDF) == "unknown_type"


@pytest.mark.parametrize("suffix", MEDIA_TYPES)
def test_a_page_is_no_document_and_no_picture(suffix):
    assert code_of(f"x{suffix}", HTML) == "wrong_content"


def test_content_must_be_what_the_name_says(picture, package):
    assert code_of("x.png", picture()) == "wrong_content"
    assert code_of("x.jpg", picture("PNG")) == "wrong_content"
    assert code_of("x.xlsx", package(".docx")) == "wrong_content"
    assert code_of("x.pdf", HTML + PDF) == "wrong_content"
    assert code_of("x.pdf", PDF[:-7]) == "wrong_content"


def test_empty_and_too_large():
    assert code_of("x.pdf", b"") == "empty"
    assert code_of("x.pdf", PDF + b"%" * 5_000_000) == "too_large"


class TestPictures:
    def test_where_it_was_taken_is_forgotten_and_it_stands_upright(self, picture):
        sent = picture(tagged=True)
        assert b"Telephone" in sent
        kept = let_in("x.jpg", sent).content
        with Image.open(io.BytesIO(kept)) as image:
            assert image.size == (40, 60)
            assert dict(image.getexif()) == {}
        assert b"Telephone" not in kept

    def test_what_hangs_behind_a_picture_is_gone(self, picture):
        assert HTML not in let_in("x.jpg", picture() + HTML).content
        assert HTML not in let_in("x.png", picture("PNG") + HTML).content

    def test_large_ones_shrink(self, picture):
        kept = let_in("x.jpg", picture(size=(5000, 1000))).content
        with Image.open(io.BytesIO(kept)) as image:
            assert image.size == (4096, 819)

    def test_broken_ones_are_refused(self, picture):
        assert code_of("x.jpg", picture(size=(900, 900))[:2000]) == "broken"

    @pytest.mark.parametrize("side", [8_000, 60_000])
    def test_bombs_are_not_unpacked(self, side):
        def chunk(kind: bytes, data: bytes) -> bytes:
            body = kind + data
            return struct.pack("!I", len(data)) + body + struct.pack("!I", zlib.crc32(body))

        header = struct.pack("!IIBBBBB", side, side, 8, 2, 0, 0, 0)
        bomb = (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", b"")
            + chunk(b"IEND", b"")
        )
        assert code_of("x.png", bomb) == "too_many_pixels"


class TestPackages:
    @pytest.mark.parametrize(
        "parts",
        [
            {"word/vbaProject.bin": b"x"},
            {"word/activeX/activeX1.xml": b"x"},
            {"xl/macrosheets/sheet1.xml": b"x"},
        ],
    )
    def test_macros(self, package, parts):
        assert code_of("x.docx", package(".docx", parts)) == "macros"

    def test_macros_that_only_the_list_of_types_admits(self, package):
        types = "application/vnd.ms-word.document.macroEnabled.main+xml"
        assert code_of("x.docx", package(".docx", types=types)) == "macros"

    def test_a_bomb_that_says_so(self, package):
        bomb = package(".xlsx", {f"xl/{n}.xml": b"\0" * 20_000_000 for n in range(6)})
        assert len(bomb) < 200_000
        assert code_of("x.xlsx", bomb) == "zip_bomb"

    def test_a_bomb_that_is_dense(self, package):
        bomb = package(".docx", {"word/media/x.xml": b"\0" * 5_000_000})
        assert code_of("x.docx", bomb) == "zip_bomb"

    def test_a_bomb_that_lies_about_its_size(self, package):
        sent = package(".docx", {"word/media/x.xml": b"\0" * 20_000_000})
        size = struct.pack("<I", 20_000_000)
        assert sent.count(size) == 2
        assert code_of("x.docx", sent.replace(size, struct.pack("<I", 1000))) in {
            "zip_bomb",
            "broken",
        }

    def test_many_parts(self, package):
        assert code_of("x.docx", package(".docx", {f"a/{n}": b"" for n in range(2001)})) == (
            "zip_bomb"
        )

    def test_broken_ones(self, package):
        assert code_of("x.docx", package(".docx")[:-30]) == "broken"
        assert code_of("x.docx", b"PK\x03\x04" + b"\0" * 100) == "broken"

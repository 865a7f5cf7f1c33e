"""Files made on the spot: what offices and telephones produce."""

import io
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image

MAIN = {
    ".docx": (
        "word/document.xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ),
    ".xlsx": (
        "xl/workbook.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    ),
}


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """A small picture; one of a telephone says where it was taken."""

    def make(format_: str = "JPEG", size: tuple[int, int] = (60, 40), *, tagged=False) -> bytes:
        image, out = Image.new("RGB", size, "darkred"), io.BytesIO()
        exif = Image.Exif()
        if tagged:
            exif[0x010F] = "Telephone"
            exif[0x0112] = 6  # lying on its side
            exif.get_ifd(0x8825)[2] = (34.0, 30.0, 0.0)
        image.save(out, format_, exif=exif)
        return out.getvalue()

    return make


@pytest.fixture(scope="session")
def package() -> Callable[..., bytes]:
    """A document or workbook with the parts that every one has, and others."""

    def make(suffix: str = ".docx", parts: dict[str, bytes] | None = None, types="") -> bytes:
        name, kind = MAIN[suffix]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("[Content_Types].xml", f'<Types ContentType="{kind}">{types}</Types>')
            made.writestr(name, "<root/>")
            for part, content in (parts or {}).items():
                made.writestr(part, content)
        return out.getvalue()

    return make

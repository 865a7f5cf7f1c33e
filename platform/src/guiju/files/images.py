"""Pictures made anew: what is not a picture cannot survive it, nor where it was taken."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from guiju.files.refusals import Refused
from guiju.language import gettext as _

#: Most pixels that are unpacked; telephones take up to some 50 million.
MOST_PIXELS: Final = 60_000_000
#: Longest side kept: an A4 sheet scanned at 300 dots per inch is 3508 high.
LONGEST_SIDE: Final = 4096
_FORMATS: Final = {".jpg": "JPEG", ".png": "PNG"}
_QUALITY: Final = 88


def remade(content: bytes, suffix: str) -> bytes:
    """The picture alone, upright, without metadata; raises :class:`Refused`.

    ``suffix`` is ``.jpg`` or ``.png``, and what the content must be.
    """
    wanted = _("请换一张图片，或用手机重新拍摄")
    try:
        with Image.open(io.BytesIO(content), formats=[_FORMATS[suffix]]) as picture:
            _refuse_bomb(picture)
            picture.load()
            return _saved(ImageOps.exif_transpose(picture), suffix)
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("too_many_pixels", _("图片的像素过多"), wanted) from error
    except UnidentifiedImageError as error:
        found = _("内容不是 {kind} 图片").format(kind=_FORMATS[suffix])
        raise Refused("wrong_content", found, wanted) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        # What Pillow raises depends on where the picture is broken.
        raise Refused("broken", _("图片已损坏"), wanted) from error


def _refuse_bomb(picture: Image.Image) -> None:
    """Only the size has been read so far."""
    if picture.width * picture.height > MOST_PIXELS:
        found = _("图片有 {width}×{height} 个像素").format(
            width=picture.width, height=picture.height
        )
        wanted = _("请缩小图片后再上传")
        raise Refused("too_many_pixels", found, wanted)


def _saved(picture: Image.Image, suffix: str) -> bytes:
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    if suffix == ".jpg":
        plain = picture.convert("RGB") if picture.mode not in {"RGB", "L"} else picture.copy()
        plain.info.clear()
        plain.save(out, "JPEG", quality=_QUALITY, optimize=True)
    else:
        kept = {"1", "L", "LA", "P", "RGB", "RGBA"}
        plain = picture.copy() if picture.mode in kept else picture.convert("RGB")
        # Of what a picture tells of itself only which colour is transparent.
        plain.info = {name: value for name, value in plain.info.items() if name == "transparency"}
        plain.save(out, "PNG", optimize=True)
    return out.getvalue()

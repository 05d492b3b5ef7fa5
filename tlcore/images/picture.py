"""Read one picture the same way everywhere: in training, in the app, and beside a downloaded model.

A file or its bytes come in; a square array of 8-bit RGB comes out, or ``Unreadable`` with a reason in plain
words. Python's standard library, NumPy and Pillow only, and nothing else of Thaw: this very file goes into every
downloaded package, because a model answers differently to a picture that was shrunk in another way.

What happens to a picture, in this order:

1. JPEG is shrunk by 2, 4 or 8 while decoding, but at least twice the wanted size is left for the proper resize.
2. 16-bit and float values are scaled to 8 bit, transparent parts become white, every colour mode becomes RGB.
   Of an animation the first frame counts.
3. One resize, bicubic with anti-aliasing: sharper than bilinear, a third cheaper than Lanczos and without its
   halos around hard edges. Pillow widens the filter with the shrinking factor, so nothing flickers.
4. The picture is turned as its EXIF orientation says.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

METHOD = 1
"""Version of the way pictures are read. Raise it with any change that gives other pixels."""
RESIZES = ("crop", "stretch", "pad")

MAX_PIXELS = 89_478_485
"""Largest width times height: Pillow's own limit against decompression bombs (a quarter of a gigabyte as RGB)."""

MAX_FILE_BYTES = 512 * 2**20  # a file is held in memory while it is read

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "AVIF", "JPEG2000", "ICO")
"""Only these decoders see a stranger's bytes. Not among them, for one: EPS, which starts another program."""

_TURNS = dict(enumerate((0, 3, 1, 5, 4, 6, 2), start=2))
"""``Image.Transpose`` by EXIF orientation from 2 (mirror) over 6 (turn by 90 degrees clockwise) to 8."""

_BEGINNINGS = (  # of files that people mistake for pictures, or rename to .jpg
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"8BPS", "a Photoshop file: save it as PNG or JPEG"),
)

_PICTURES = (  # formats that Thaw does read: if one of these cannot be decoded, it is damaged
    *((b"\xff\xd8", "JPEG"), (b"\x89PNG", "PNG"), (b"GIF8", "GIF"), (b"RIFF", "WebP")),
    *((b"BM", "BMP"), (b"II*\x00", "TIFF"), (b"MM\x00*", "TIFF")),
)


class Unreadable(ValueError):
    """A picture cannot be used. The text says why and goes on after a file's name: "is empty (0 bytes)"."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What one reading of a file gave.

    Args:
        width, height: Pixels of the whole picture after EXIF rotation.
        frames: Number of frames; only the first is used. A photo with an embedded preview counts as one.
        square: (side, side, 3) uint8, or None if no side was asked for.
        small: RGB with its longer side at most what was asked for, uncropped; None if not asked for.
        stored: How the file keeps it: format and colour mode, "JPEG RGB".
    """

    width: int
    height: int
    frames: int
    square: np.ndarray | None = None
    small: Image.Image | None = None
    stored: str = ""


def read(source: str | Path | bytes | BinaryIO, side: int, resize: str = "crop") -> np.ndarray:
    """Read one picture as a square.

    Args:
        source: A file's path, its bytes, or an open binary file.
        side: Width and height of the result in pixels, at least 1.
        resize: "crop" keeps the middle, "stretch" squeezes, "pad" keeps everything and adds black bars.

    Returns:
        (side, side, 3) uint8, RGB, 0 to 255.

    Raises:
        Unreadable: The file cannot be used; the text says why.
    """
    if side < 1:
        raise ValueError(f"The side must be at least 1 pixel. Received: {side}")
    square = look(source, side, resize).square
    assert square is not None
    return square


def look(source: str | Path | bytes | BinaryIO, side: int = 0, resize: str = "crop", small_side: int = 0) -> Seen:
    """Decode a picture once, wholly, and return its facts with the copies asked for.

    Args:
        source: A file's path, its bytes, or an open binary file.
        side: Width and height of ``Seen.square`` in pixels; 0 for none. It is the same array that ``read`` gives.
        resize: As in ``read``.
        small_side: Longest side of ``Seen.small`` in pixels; 0 for none.

    Raises:
        Unreadable: The file cannot be used; the text says why.
    """
    if resize not in RESIZES:
        raise ValueError(f"resize must be one of {', '.join(RESIZES)}. Received: {resize}")
    content = content_of(source)
    try:
        return _decode(content, side, resize, small_side)
    except Unreadable:
        raise
    except MemoryError as error:
        raise Unreadable("needs more memory than this computer has free") from error
    except Exception as error:  # damaged files make decoders raise nearly any kind of exception
        raise Unreadable(_reason(content, error)) from error


def content_of(source: str | Path | bytes | BinaryIO) -> bytes:
    """Return the bytes of a picture file, at least one and at most ``MAX_FILE_BYTES``.

    Raises:
        Unreadable: The file is empty, too large, or the disk does not give it.
    """
    try:
        if isinstance(source, str | Path):
            too_large = Path(source).stat().st_size > MAX_FILE_BYTES
            content = b"-" if too_large else Path(source).read_bytes()
        else:
            content = source if isinstance(source, bytes) else source.read()
            too_large = len(content) > MAX_FILE_BYTES
    except OSError as error:
        raise Unreadable(f"could not be read from disk ({error.strerror or error})") from error
    if too_large:
        raise Unreadable(f"is larger than {MAX_FILE_BYTES // 2**20} MB")
    if not content:
        raise Unreadable("is empty (0 bytes)")
    return content


def _decode(content: bytes, side: int, resize: str, small_side: int) -> Seen:
    """Decode a picture; see ``look``."""
    with _open(content) as image:
        width, height = image.size
        box = _shrink_while_decoding(image, side or small_side, resize if side else "pad")
        image.load()
        turn = _orientation(image)
        picture = _rgb(image)
        square = np.asarray(_turned(_square(picture, box, side, resize), turn)) if side else None
        small = _turned(_fitted(picture, box, small_side), turn) if small_side else None
        if turn >= 5:
            width, height = height, width
        return Seen(width, height, _frames(image), square, small, f"{image.format} {image.mode}")


def _open(content: bytes) -> Image.Image:
    """Open a picture and read its head; refuse one that would fill the memory. Nothing large is decoded yet."""
    limit = f"the {MAX_PIXELS / 1e6:.0f} million that can be read"
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(f"has more pixels than {limit} ({error})") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unreadable(f"has {width} x {height} = {width * height / 1e6:.0f} million pixels, more than {limit}")
    return image


def _shrink_while_decoding(image: Image.Image, side: int, resize: str) -> tuple[float, float, float, float]:
    """Let the JPEG decoder shrink by 2, 4 or 8; return the box (left, top, right, bottom) that holds the picture.

    The box differs from the size of the shrunk picture where that does not divide evenly. With side 0 nobody wants the
    pixels, only to know that they are all there: shrunk as far as possible.
    """
    width, height = image.size
    share = side / max(width, height)
    fitted = (max(1, 2 * math.ceil(width * share)), max(1, 2 * math.ceil(height * share)))
    least = fitted if resize == "pad" else (2 * side, 2 * side)
    drafted = image.draft(None, least) if image.format in ("JPEG", "MPO") else None
    return drafted[1] if drafted else (0.0, 0.0, float(width), float(height))


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 for none. Only after loading: PNG may keep it behind the pixels,
    and Pillow turns a TIFF by itself while loading and forgets its orientation then."""
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # notes of the camera that cannot be read do not spoil the picture itself
        return 1
    return orientation if orientation in _TURNS else 1


def _rgb(image: Image.Image) -> Image.Image:
    """Return a loaded picture as 8-bit RGB, transparent parts on white."""
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_eight_bit(np.asarray(image), image.mode)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bit(values: np.ndarray, mode: str) -> np.ndarray:
    """Scale deep grey values to (H, W) uint8.

    16-bit pictures are divided by 257, whatever they show, so that brightness means the same in all of them. 32-bit
    and float pictures do not say their range: 0 to 1, 0 to 255 and 0 to 65535 are recognised, anything else is
    stretched from its darkest to its brightest value.
    """
    low, high = 0.0, 65535.0
    if not mode.startswith("I;16"):
        values = np.nan_to_num(values.astype(np.float32, copy=False), posinf=0.0, neginf=0.0)
        low, high = float(values.min()), float(values.max())
        limits = (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0)
        known = next((limit for limit in limits if high <= limit), None)
        if low >= 0 and known is not None:
            low, high = 0.0, known
    scaled = (values.astype(np.float32) - low) * (255.0 / max(high - low, 1e-12))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _square(picture: Image.Image, box: Sequence[float], side: int, resize: str) -> Image.Image:
    """Resize the part of a picture inside ``box`` to a square."""
    left, top, right, bottom = box
    if resize == "pad":
        fitted = _fitted(picture, box, side, enlarge=True)
        square = Image.new("RGB", (side, side))
        square.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
        return square
    if resize == "crop":
        short = min(right - left, bottom - top)
        left, top = (left + right - short) / 2, (top + bottom - short) / 2
        right, bottom = left + short, top + short
    return _resized(picture, (side, side), (left, top, right, bottom))


def _fitted(picture: Image.Image, box: Sequence[float], longest: int, enlarge: bool = False) -> Image.Image:
    """Resize the part of a picture inside ``box`` so that its longer side is ``longest`` (or less)."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = longest / max(width, height)
    scale = scale if enlarge else min(scale, 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _resized(picture, size, box)


def _resized(picture: Image.Image, size: tuple[int, int], box: Sequence[float]) -> Image.Image:
    """Resize with anti-aliasing. Very large pictures are first averaged down to 3 times the size (Pillow's
    documentation: from 3 on "almost indistinguishable" from one resize), which is several times faster."""
    return picture.resize(size, Image.Resampling.BICUBIC, box=tuple(box), reducing_gap=3.0)


def _turned(picture: Image.Image, turn: int) -> Image.Image:
    """Return a picture turned as an EXIF orientation says."""
    return picture.transpose(Image.Transpose(_TURNS[turn])) if turn in _TURNS else picture


def _frames(image: Image.Image) -> int:
    """Count the frames. Last of all, because Pillow goes through the file for it."""
    if image.format == "MPO":  # a photo of a phone with its preview or depth map, not an animation
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # the first frame is whole, and only that is used
        return 1


def _reason(content: bytes, error: Exception) -> str:
    """Say in plain words why bytes could not be read as a picture."""
    picture = next((name for beginning, name in _PICTURES if content.startswith(beginning)), "")
    if picture and "truncated" in str(error).lower():
        return f"is cut short: the end of the {picture} picture is missing"
    if picture:
        return f"is damaged: it begins like a {picture} picture but cannot be decoded"
    return f"is not a picture that Thaw can read (the file begins like {_beginning(content)})"


def _beginning(content: bytes) -> str:
    """Say what a file that is no picture looks like from its first bytes."""
    head = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    named = next((name for beginning, name in _BEGINNINGS if content.startswith(beginning)), "")
    if content[4:8] == b"ftyp":
        is_heic = content[8:12] in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
        return "a HEIC photo: save it as JPEG" if is_heic else "a video"
    if b"<svg" in head and head.startswith(b"<"):
        return "an SVG drawing: save it as PNG"
    if head.startswith(b"<"):
        return "an XML file" if head.startswith(b"<?xml") else "a web page"
    if not content[:2048].strip(b"\x00"):
        return "an empty disk: zeros only"
    is_text = all(byte >= 32 or byte in b"\t\r\n" for byte in content[:512])
    return named or ("a text file" if is_text else "nothing known")

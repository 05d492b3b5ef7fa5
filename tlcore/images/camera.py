"""When and with which camera a photo was taken, as its Exif notes say. No TensorFlow here."""

import struct
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

_MARK = b"Exif\x00\x00"
_HEAD_BYTES = 1 << 16  # cameras write their notes first, and one JPEG segment holds at most 64 KB
_LONGEST = 80  # letters of a note; more is no maker, model or time
_DETAILS, _TAKEN, _FRACTION, _MAKER, _MODEL = 0x8769, 0x9003, 0x9291, 0x010F, 0x0110


@dataclass(frozen=True)
class Shot:
    """What the camera noted.

    Args:
        taken: Local time by the camera's clock, ISO 8601 to the millisecond, "2024-05-17T09:30:01.250"; "" if the file
            does not say it. Whole seconds where the camera notes no fraction.
        camera: Maker and model, or "".
    """

    taken: str = ""
    camera: str = ""


NOTHING = Shot()


def shot(content: bytes) -> Shot:
    """Return what the camera noted in the bytes of a picture; an empty ``Shot`` where nothing can be read.

    Only the time of the exposure counts (DateTimeOriginal): programs set the other times anew when they save.
    """
    start = content.find(_MARK, 0, _HEAD_BYTES)
    if start < 2:
        return NOTHING
    length = int.from_bytes(content[start - 2 : start], "big")  # of the JPEG segment, these two bytes included
    try:
        notes = Image.Exif()
        notes.load(content[start : start - 2 + length])
        details = notes.get_ifd(_DETAILS)
        taken = _moment(details.get(_TAKEN), details.get(_FRACTION))
        return Shot(taken, " ".join(_text(notes.get(tag)) for tag in (_MAKER, _MODEL)).strip())
    except (ValueError, TypeError, KeyError, SyntaxError, OSError, EOFError, struct.error, OverflowError):
        return NOTHING  # damaged notes do not spoil the picture itself


def _moment(taken: object, fraction: object) -> str:
    """Return "2024:05:17 09:30:01" and "25" as one ISO text; "" for a clock that was never set."""
    try:
        moment = datetime.strptime(_text(taken), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return ""
    digits = _text(fraction)
    parts = int(digits.ljust(6, "0")[:6]) if digits.isascii() and digits.isdigit() else 0
    return moment.replace(microsecond=parts).isoformat(timespec="milliseconds")


def _text(value: object) -> str:
    """Return a note without the zeros and blanks around it; "" for anything that is no text."""
    return value.strip("\x00 ")[:_LONGEST] if isinstance(value, str) else ""

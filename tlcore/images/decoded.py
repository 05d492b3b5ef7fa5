"""One file -> what came of it: read, hashed, decoded, judged, its thumbnail written. No TensorFlow here.

This is what a decoder does with each file, and it takes in no more than it needs, so that decoders start quickly.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from tlcore.images import camera, impression, picture, thumbnails
from tlcore.images.camera import Shot
from tlcore.images.impression import Impression


@dataclass(frozen=True)
class Wish:
    """What is wanted of each picture besides its facts.

    Args:
        side: Width and height of ``Seen.square`` in pixels; 0 for none.
        resize: "crop", "stretch" or "pad", as in ``picture.read``.
        is_judged: Whether to add an ``Impression``.
        thumbnails: The folder to write a thumbnail into, or "" for none.
    """

    side: int = 0
    resize: str = "crop"
    is_judged: bool = False
    thumbnails: str = ""


@dataclass(frozen=True, eq=False)
class Decoded:
    """What came of one file.

    Args:
        reason: Why it cannot be used; goes on after the file's name. Empty if it can.
        content: SHA-256 of the file's bytes, in hex.
        size_bytes: Bytes of the file.
        seen: Its facts, and the square if one was wanted; no small copy. None if it cannot be used.
        impression: If one was wanted.
        shot: What the camera noted.
    """

    reason: str = ""
    content: str = ""
    size_bytes: int = 0
    seen: picture.Seen | None = None
    impression: Impression | None = None
    shot: Shot = camera.NOTHING


def decode(file: str, wish: Wish, memory: str) -> Decoded:
    """Read one file.

    Args:
        file: Its path.
        wish: What is wanted of it.
        memory: How much memory a picture may take, in words that go on after "more memory than".

    Raises:
        OSError: The disk refused the thumbnail.
    """
    try:
        content = picture.content_of(file)
        small_side = thumbnails.LONGEST_SIDE if wish.is_judged or wish.thumbnails else 0
        seen = picture.look(content, wish.side, wish.resize, small_side)
        judged = impression.impression(seen.small) if wish.is_judged and seen.small is not None else None
    except picture.Unreadable as error:
        return Decoded(f"needs more memory than {memory}" if _is_about_memory(error.__cause__) else str(error))
    except MemoryError:
        return Decoded(f"needs more memory than {memory}")
    digest = hashlib.sha256(content).hexdigest()
    if wish.thumbnails and seen.small is not None:
        thumbnails.write(Path(wish.thumbnails), digest, seen.small)
    return Decoded("", digest, len(content), replace(seen, small=None), judged, camera.shot(content))


def _is_about_memory(error: BaseException | None) -> bool:
    """Return whether a decoder ran out of memory; those in native code say so in their own words."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and "memory" in str(error).lower())

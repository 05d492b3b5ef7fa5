"""What a disk refuses, in plain words. No TensorFlow here."""

import contextlib
from collections.abc import Iterator

from tlcore import disk
from tlcore.errors import DiskFull, UploadError


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what the disk refuses inside the block into an error for the user.

    Raises:
        DiskFull: There is no room left.
        UploadError: Anything else that the disk refuses.
    """
    try:
        yield
    except OSError as error:
        if disk.is_full(error):
            raise DiskFull(
                "The disk of the server is full.", "Free some space; what has arrived is kept.", repr(error)
            ) from error
        raise UploadError(
            f"The disk refused: {error.strerror or error}.", "Bring the pictures in again.", repr(error)
        ) from error

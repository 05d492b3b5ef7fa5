"""What one picture may cost before it is set aside. No TensorFlow here."""

import sys
from dataclasses import dataclass

if sys.platform != "win32":
    import resource


@dataclass(frozen=True)
class Limits:
    """What one picture may cost before it is set aside.

    Args:
        seconds: From the moment the decoder turns to the file until its answer, reading from disk included; it may
            last a tenth longer until that is noticed. Of 12 pictures with all the 89 million pixels that are read at
            all, each stored in another way, the slowest (a lossless JPEG 2000 with transparency) took 15 seconds of
            processor time; this is four times as much.
        memory_bytes: Address space of the process. The hungriest of the same 12 (32-bit grey TIFF, and that JPEG 2000)
            made it 2.3 GB. Linux and the BSDs hold it; macOS and Windows have no such limit for a process that limits
            itself: there the system ends a decoder when the memory of the whole computer is used up.
    """

    seconds: float = 60.0
    memory_bytes: int = 4 * 2**30


def hold_memory(memory_bytes: int) -> str:
    """Hold this process to so much address space where the system can.

    Returns:
        What a picture may take, in words that go on after "more memory than".
    """
    if sys.platform in ("win32", "darwin"):
        return "this computer has free"
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    return f"the {limit // 2**20} MB that one picture may take"

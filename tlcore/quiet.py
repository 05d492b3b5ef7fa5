"""Hold back what native code prints while it starts. No TensorFlow here."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def standard_error_held_back() -> Iterator[None]:
    """Hold back everything written to standard error inside the block, and show it if the block fails.

    TensorFlow prints some lines about itself while it is imported, past Python and past its own setting for quiet. The
    command line promises one plain line when something is wrong.
    """
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(before, held.read())
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)

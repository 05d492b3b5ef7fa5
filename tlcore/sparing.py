"""Import Keras without what it loads for others. No TensorFlow here."""

import contextlib
import os
import sys
from collections.abc import Iterator

FOR_OTHERS = ("sklearn", "pandas", "jax")
"""What Keras and TensorFlow import only to offer more where it is installed: wrappers for scikit-learn, tables as
inputs, models of JAX for TFLite. Thaw gives them none of these, and they were a third of the time that importing Keras
took: 2.2 instead of 3.2 seconds, and instead of 3.7 where JAX is installed too (measured on two cores)."""


@contextlib.contextmanager
def extras_left_out() -> Iterator[None]:
    """Let these packages seem not to be installed inside the block, which imports Keras and nothing of ours.

    One that is imported already, or that computes for Keras, stays. Afterwards all of them can be imported as ever.
    """
    wanted = {os.environ.get("KERAS_BACKEND", "tensorflow"), *sys.modules}
    hidden = [name for name in FOR_OTHERS if name not in wanted]
    sys.modules.update(dict.fromkeys(hidden))  # None makes an import fail as for a package that is not there
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]

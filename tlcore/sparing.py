"""Import Keras quickly: without what it loads for others, and without a look for garbage. No TensorFlow here."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator

FOR_OTHERS = ("sklearn", "pandas", "jax")
"""What Keras and TensorFlow import only to offer more where it is installed: wrappers for scikit-learn, tables as
inputs, models of JAX for TFLite. Thaw gives them none of these, and they were a third of the time that importing Keras
took: 2.2 instead of 3.2 seconds, and instead of 3.7 where JAX is installed too (measured on two cores)."""


@contextlib.contextmanager
def quick_import() -> Iterator[None]:
    """Let these packages seem not to be installed inside the block, which imports Keras and nothing of ours.

    One that is imported already, or that computes for Keras, stays. Afterwards all of them can be imported as ever.

    Garbage is not looked for meanwhile: an import leaves next to none, and looking through the hundreds of thousands of
    objects that it makes was another fifth of its time (2.1 instead of 2.7 seconds of a core, our measurement). These
    stay as long as the process does, so that no later look goes through them either. Where Keras is there already,
    nothing of all this is done: what a training has left by then is garbage.
    """
    if "keras" in sys.modules:
        yield
        return
    wanted = {os.environ.get("KERAS_BACKEND", "tensorflow"), *sys.modules}
    hidden = [name for name in FOR_OTHERS if name not in wanted]
    sys.modules.update(dict.fromkeys(hidden))  # None makes an import fail as for a package that is not there
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_collecting:
            gc.enable()
        for name in hidden:
            del sys.modules[name]

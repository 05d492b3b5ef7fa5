"""The device that a training runs on. One of the few files that speak to TensorFlow or JAX itself."""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from tlcore import cores


@dataclass(frozen=True)
class Device:
    """Kind ("GPU" or "CPU") and what its maker calls it."""

    kind: str
    name: str


def take(threads: int | None = None) -> Device:
    """Prepare the best device that Keras' backend sees and return it.

    With another number of threads than there are cores the processor computes with so many; that has to be said before
    it has computed anything in this process.

    On a GPU memory is taken as needed (memory growth) instead of all at once, so that others can use it too; JAX is
    told so by ``XLA_PYTHON_CLIENT_PREALLOCATE``, which ``leash.py`` sets.
    """
    if keras.backend.backend() == "jax":
        return _take_with_jax()
    if threads and threads != cores.count():
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return _take_with_tensorflow()


def _take_with_tensorflow() -> Device:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return Device("GPU", str(details.get("device_name", "graphics card")))
    return Device("CPU", _processor_name())


def _take_with_jax() -> Device:
    found = importlib.import_module("jax").devices()[0]
    return Device("CPU", _processor_name()) if found.platform == "cpu" else Device("GPU", str(found.device_kind))


def _processor_name() -> str:
    """Return what the processor's maker calls it, as far as the system tells."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions that a result depends on, by package name."""
    names = ["tensorflow", "keras", "numpy", "pillow", *(["openvino"] if importlib.util.find_spec("openvino") else [])]
    if keras.backend.backend() == "jax":
        names.append("jax")
    packages = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version()} | packages


def uses_xla() -> bool:
    """Return whether models are compiled by XLA: always under JAX, which has nothing else; not under TensorFlow.

    There it made depthwise networks ten times slower on a processor (our measurement with the pinned version).
    """
    return keras.backend.backend() == "jax"


def traced(model: keras.Model) -> Callable[..., Any]:
    """Return a model's call as the backend runs it in training: a graph under TensorFlow; as it is under JAX."""
    if keras.backend.backend() == "jax":
        return model
    import tensorflow as tf

    return tf.function(model, jit_compile=False)


def reduced() -> tuple[str, ...]:
    """Return the precisions below float32 that may be tried in training: float16 pays on graphics cards only."""
    return ("bfloat16", "float16") if take().kind == "GPU" else ("bfloat16",)


def xla_choices() -> tuple[bool, ...]:
    """Return whether XLA may be used and may be left: a choice only with TensorFlow on a graphics card."""
    if uses_xla():
        return (True,)
    return (False, True) if take().kind == "GPU" else (False,)


def free_bytes() -> int | None:
    """Return how much memory of the graphics card is free, or None where there is no such card or nobody tells."""
    if take().kind != "GPU":
        return None
    if keras.backend.backend() == "jax":
        told = importlib.import_module("jax").devices()[0].memory_stats() or {}
        return int(told["bytes_limit"] - told["bytes_in_use"]) if "bytes_limit" in told else None
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    ask = [program, "--query-gpu=memory.free", "--format=csv,noheader,nounits", f"--id={_first_visible()}"]
    answer = subprocess.run(ask, capture_output=True, text=True, timeout=20)
    said = answer.stdout.strip().splitlines()
    return int(said[0]) << 20 if answer.returncode == 0 and said and said[0].isdigit() else None


def _first_visible() -> str:
    """Return the number of the first card that we may use, as its maker's program counts."""
    return (os.environ.get("CUDA_VISIBLE_DEVICES") or "0").split(",")[0].strip()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that the device's memory is full."""
    if isinstance(error, MemoryError):
        return True
    if keras.backend.backend() == "jax":
        return "RESOURCE_EXHAUSTED" in str(error)
    import tensorflow as tf

    return isinstance(error, tf.errors.ResourceExhaustedError)

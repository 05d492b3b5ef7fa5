"""The device that a training runs on. One of the few files that speak to TensorFlow itself."""

import importlib.metadata
import importlib.util
import platform
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf


@dataclass(frozen=True)
class Device:
    """Kind ("GPU" or "CPU") and what its maker calls it."""

    kind: str
    name: str


def take() -> Device:
    """Prepare the best device that TensorFlow sees and return it.

    On a GPU memory is taken as needed (memory growth) instead of all at once, so that others can use it too.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return Device("GPU", str(details.get("device_name", "graphics card")))
    return Device("CPU", _processor_name())


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
    packages = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version()} | packages


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that the device's memory is full."""
    return isinstance(error, tf.errors.ResourceExhaustedError | MemoryError)

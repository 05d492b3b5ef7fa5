"""What Thaw knows about one backbone: a plain value, one row of the table. No TensorFlow here."""

from dataclasses import dataclass
from typing import Literal

from tlcore.download import ORIGIN

STORE = f"{ORIGIN}/tensorflow/keras-applications"

Scaling = Literal["none", "minus_one_to_one", "torch", "caffe"]


@dataclass(frozen=True)
class Backbone:
    """A pretrained network without its top: one of ``keras.applications``, or Thaw's own.

    Attributes:
        name: Lower case, the width behind it in hundredths: ``mobilenet_v2_035``.
        title: For people: ``MobileNetV2 0.35``.
        family: For people; groups the rows: ``MobileNetV2``.
        builder: The function in ``keras.applications``; empty for Thaw's own network.
        arguments: Further arguments of the builder, as (name, value) pairs.
        scaling: How RGB of 0 to 255 becomes what the network was trained on. ``none``: the network scales for
            itself. ``minus_one_to_one``: value / 127.5 - 1. ``torch``: value / 255, minus mean, divided by
            deviation of ImageNet, per channel. ``caffe``: BGR, minus the mean of ImageNet, not divided.
        default_size: Side of the square picture the weights were made for, in pixels.
        min_size: The smallest side the builder accepts, in pixels.
        stage_starts: For every stage but the first, the layer that starts it (never an auto-numbered name).
            The stage begins after the last place before this layer where exactly one tensor crosses.
        parameters: Number of weights without the top, those that never learn included.
        imagenet_top1: Share of ImageNet's validation pictures whose class was named first, 0 to 1; sources in
            ``table.py``. None where no source gives it.
        weights_url: Where Keras fetches the weights without top; empty where they come with Thaw.
        bundled: Name of the file in ``assets/`` where the weights come with Thaw, as float16; empty otherwise.
        keras_hash: What Keras compares the file with (MD5 of 32 digits or SHA-256 of 64); None where Keras
            compares nothing.
        sha256: SHA-256 of the file where the original has been seen; None otherwise.
        paper: Address of the paper.
        probe_accuracy: Share of right answers, 0 to 1, of logistic regression on its pooled features at 128 px: mean
            over three sets of photos, see ``measured.py``. None where we have no weights.
        relative_time: How many times as long as Thaw's own network it takes for a picture, each at its own default
            size, on a CPU, see ``measured.py``. None where not measured.
        card: One sentence for people who choose by it; empty where the row is not one of the cards.
    """

    name: str
    title: str
    family: str
    builder: str
    scaling: Scaling
    stage_starts: tuple[str, ...]
    parameters: int
    weights_url: str
    paper: str
    arguments: tuple[tuple[str, float], ...] = ()
    default_size: int = 224
    min_size: int = 32
    imagenet_top1: float | None = None
    keras_hash: str | None = None
    sha256: str | None = None
    bundled: str = ""
    probe_accuracy: float | None = None
    relative_time: float | None = None
    card: str = ""

    @property
    def weights_file(self) -> str:
        """Name of the file with the weights: as Keras names it, or as it lies in ``assets/``."""
        return self.bundled or self.weights_url.rsplit("/", 1)[1]

    @property
    def bytes_per_weight(self) -> int:
        """Bytes that a weight takes in the file."""
        return 2 if self.bundled else 4

    @property
    def size_mb(self) -> float:
        """Size of the weights in megabytes; the file itself is a little larger."""
        return round(self.parameters * self.bytes_per_weight / 1e6, 1)

    @property
    def stage_count(self) -> int:
        """Number of stages, and so the largest number of stages that can be frozen."""
        return len(self.stage_starts) + 1

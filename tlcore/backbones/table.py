"""The table of backbones: Thaw's own and every image classifier of ``keras.applications``. No TensorFlow here.

NASNet is not in the table: its cells read the outputs of two earlier cells, so it can be cut in its stem only
and freezing it stage by stage is impossible.

Sources:
    Builders, sizes, addresses, hashes and pixel scaling: ``keras.applications`` of the pinned Keras; a test
    compares every row with it.
    Parameters: counted by ``Model.count_params`` on every graph.
    imagenet_top1: the table at https://keras.io/api/applications/ . The widths missing there: MobileNet, its paper,
    table 6; MobileNetV2, the checkpoint table of its authors (tensorflow/models, research/slim/nets/mobilenet);
    MobileNetV3, the docstring of ``keras.applications.MobileNetV3Large``. ConvNeXt: measured with the converted
    weights, column "keras acc@1" of the table published with them (github.com/sayakpaul/ConvNeXt-TF), cut to 0.1 %.

Stage starts: a stage is what works at one resolution, and the block that halves the picture opens the new stage.
Where the halving is a pooling layer or a transition of its own (VGG, DenseNet, the last block of each part in
ResNetV2), it closes the old stage instead: that keeps the names of the papers and the tensor between stages small.
"""

import difflib
from dataclasses import replace

from tlcore.backbones.backbone import Backbone
from tlcore.backbones.measured import PROBE_ACCURACIES, RELATIVE_TIMES
from tlcore.backbones.rows_heavy import heavy_rows
from tlcore.backbones.rows_light import light_rows
from tlcore.backbones.rows_own import own_rows
from tlcore.errors import RecipeError

__all__ = ["BACKBONES", "Backbone", "cards", "get"]

BACKBONES: dict[str, Backbone] = {
    row.name: replace(row, probe_accuracy=PROBE_ACCURACIES.get(row.name), relative_time=RELATIVE_TIMES.get(row.name))
    for row in (*own_rows(), *light_rows(), *heavy_rows())
}

_CARDS = (
    "thawnet",
    "mobilenet_v2_100",
    "mobilenet_v3_large_100",
    "efficientnet_v2_b0",
    "resnet50_v2",
    "convnext_tiny",
    "vgg16",
)


def get(name: str) -> Backbone:
    """Return the row of a backbone.

    Raises:
        RecipeError: There is no such backbone; names the closest ones.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    simple = {key.replace("_", ""): key for key in BACKBONES}
    asked = name.lower().replace("_", "").replace("-", "").replace(".", "").replace(" ", "")
    close = [simple[match] for match in difflib.get_close_matches(asked, simple, n=3, cutoff=0.6)]
    hint = f"Did you mean {' or '.join(close)}?" if close else "Choose one from the list of backbones."
    raise RecipeError(f"There is no backbone named “{name}”.", hint)


def cards() -> tuple[Backbone, ...]:
    """Return the backbones that are shown first: Thaw's own, then from the quickest to the heaviest."""
    return tuple(BACKBONES[name] for name in _CARDS)

"""Another peer of a benchmark: fastai's ``vision_learner``, by ``python -m benchmarks.learner PLACE WORK``.

Run by any Python that has torch and fastai; nothing of Thaw is imported here.
"""

import json
import sys
import time
from pathlib import Path

BATCH_SIZE = 32
NETWORKS = {"mobilenet_v2_100": ("mobilenet_v2", -1), "resnet50": ("resnet50", None), "vgg16": ("vgg16_bn", None)}
"""Thaw's names of networks that torchvision has too, and where fastai has to cut them if it does not know by itself.
VGG16 has BatchNormalization here: fastai knows no other."""


def seconds(place: Path, backbone: str, frozen: str, size: int, epochs: int) -> float:
    """Return how long a training takes after the imports, from random weights (they cost the same)."""
    from fastai.vision import learner as learners
    from fastai.vision.all import (
        CategoryBlock,
        DataBlock,
        GrandparentSplitter,
        ImageBlock,
        Resize,
        accuracy,
        get_image_files,
        imagenet_stats,
        parent_label,
        vision_learner,
    )
    from torchvision import models

    began = time.perf_counter()
    block = DataBlock(
        (ImageBlock, CategoryBlock),
        get_items=lambda folder: get_image_files(folder, folders=["train", "validation"]),
        splitter=GrandparentSplitter("train", "validation"),
        get_y=parent_label,
        item_tfms=Resize(size),
    )
    name, cut = NETWORKS[backbone]
    network = getattr(models, name)
    if cut is not None:  # its own argument for this is not handed on in fastai 2.8
        learners.model_meta[network] = learners._default_meta | {"cut": cut, "stats": imagenet_stats}
    loaders = block.dataloaders(place, bs=BATCH_SIZE)
    learner = vision_learner(loaders, network, metrics=accuracy, pretrained=False)
    if frozen == "all":
        learner.freeze()
    else:
        learner.unfreeze()
    with learner.no_bar(), learner.no_logging():
        learner.fit(epochs)
    return time.perf_counter() - began


if __name__ == "__main__":
    work = json.loads(sys.argv[2])
    found = seconds(Path(sys.argv[1]), work["backbone"], work["frozen"], work["size"], work["epochs"])
    print(json.dumps({"fastai": found}))

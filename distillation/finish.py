"""Take the backbone out of a distillation: ``python -m distillation.finish FOLDER FILE.npz``; prints its SHA-256.

The weights are the averaged ones of the last finished round, with the channels of the last tensor evened out. The hash
belongs into the backbone's row of the table.
"""

import argparse
import hashlib
from pathlib import Path

import keras
import numpy as np

from distillation.bank import Bank
from distillation.distil import Distillation
from distillation.plan import VIEW_SIDE
from tlcore.backbones import thawnet

VIEWS = 2048
_FLOOR = 0.05  # of the median deviation: a channel that hardly ever answers is not blown up without bound


def evened(weights: dict[str, np.ndarray], views: np.ndarray) -> dict[str, np.ndarray]:
    """Scale the last tensor's channels so that their means over a picture deviate by 1 from picture to picture.

    In the loss a scale makes no difference, so training leaves the channels too faint (our measurement, drawn signs:
    median deviation 0.033, MobileNetV2 0.35 has 0.29), and a new head learned much more slowly from them. ReLU keeps a
    positive scale, so it goes into scale and offset of the normalization before it: the network computes the same.

    Args:
        weights: All weights of the backbone by path.
        views: (N, 128, 128, 3) uint8.
    """
    model = thawnet.build(VIEW_SIDE)
    for variable in model.variables:
        variable.assign(weights[variable.path])
    seen = keras.Sequential(
        [keras.layers.Rescaling(1 / 127.5, offset=-1), model, keras.layers.GlobalAveragePooling2D()]
    )
    deviation = seen.predict(views, batch_size=64, verbose=0).std(axis=0)
    scale = 1 / np.maximum(deviation, _FLOOR * np.median(deviation))
    scaled = ("features_bn/gamma", "features_bn/beta")
    return {path: values * scale if path in scaled else values for path, values in weights.items()}


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(prog="python -m distillation.finish", description=__doc__)
    parser.add_argument("folder", type=Path, help="of a distillation, finished or not")
    parser.add_argument("file", type=Path, help="to write, such as assets/thawnet.npz")
    asked = parser.parse_args()
    try:
        distillation = Distillation(asked.folder, None)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    done = distillation.rounds_done
    if not done:
        raise SystemExit(f"{asked.folder} has no finished round yet.")
    shard = distillation.plan.shards_of(done - 1)[-1]  # the youngest; it stays for the rounds to come
    with Bank(asked.folder / "bank").open([shard]) as opened:
        views = np.array(opened.shards[0][0][:VIEWS])
    thawnet.save(evened(distillation.averages(), views), asked.file)
    print(f"{done} of {len(distillation.plan.sizes)} rounds")
    print(hashlib.sha256(asked.file.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()

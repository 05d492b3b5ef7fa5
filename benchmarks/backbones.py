"""How long a picture takes: each backbone of the cards against Thaw's own. ``python -m benchmarks.backbones``

Forward passes in TensorFlow float32 on this computer's CPU, random weights (they cost the same), each network at its
own default picture size, in turns; medians. The ratios stand in the table as ``relative_time``. The last line compares
Thaw's own with MobileNetV2 1.0 at the same picture sizes.
"""

import time

import keras
import numpy as np

from tlcore.backbones import stages, table
from tlcore.backbones.backbone import Backbone

BATCH, ROUNDS = 32, 7
SAME_SIZES = (96, 128, 160, 224)


def model_of(row: Backbone, side: int) -> keras.Model:
    """Return a backbone with random weights, ready to predict."""
    model = stages.build(row, side, weights=None)
    model.jit_compile = False
    return model


def seconds(model: keras.Model, pictures: np.ndarray) -> float:
    """Return how long one batch takes."""
    began = time.perf_counter()
    model.predict_on_batch(pictures)
    return time.perf_counter() - began


def in_turns(models: dict[str, tuple[keras.Model, int]]) -> dict[str, float]:
    """Return the median time of a batch of each model in seconds, all measured in turns."""
    pictures = {side: np.random.default_rng(0).random((BATCH, side, side, 3), "float32") for _, side in models.values()}
    for model, side in models.values():
        seconds(model, pictures[side])  # traced
    rounds = [{name: seconds(model, pictures[side]) for name, (model, side) in models.items()} for _ in range(ROUNDS)]
    return {name: float(np.median([each[name] for each in rounds])) for name in models}


def main() -> None:
    """Measure and print."""
    models = {row.name: (model_of(row, row.default_size), row.default_size) for row in table.cards()}
    took = in_turns(models)
    own = took[table.cards()[0].name]
    print(f"{'backbone':<24}{'side':>6}{'pictures/s':>12}{'relative time':>15}")
    for name, (_, side) in models.items():
        print(f"{name:<24}{side:>6}{BATCH / took[name]:>12.0f}{took[name] / own:>15.1f}")
    for side in SAME_SIZES:
        pair = {name: (model_of(table.get(name), side), side) for name in ("thawnet", "mobilenet_v2_100")}
        took = in_turns(pair)
        ratio = took["mobilenet_v2_100"] / took["thawnet"]
        print(f"at {side} px thawnet is {ratio:.2f} times as fast as mobilenet_v2_100")


if __name__ == "__main__":
    main()

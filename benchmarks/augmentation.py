"""Are random views ever the bottleneck of a training? ``python -m benchmarks.augmentation``

Prints, for each picture size, how many views one and two threads make in a second, and how many pictures a small
network (MobileNetV2 0.35, everything open, batches of 32, float32) can learn from in a second on this computer's CPU,
both measured in this run. A ratio above 1 means that the views do not hold the training up. Because both want the same
cores, the last column tells how much processor time a view takes for each second that learning from it takes; it hardly
changes when the computer is busy with other things.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tlcore.training import augmentation

SIDES = (96, 128, 224)
VIEWS = 600
BATCH = 32
STEPS = 6


def views_per_second(side: int, preset: str, threads: int) -> tuple[float, float]:
    """Return how many views of pictures of this side are made in a second, and the processor time of one in seconds."""
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    strengths = augmentation.PRESETS[preset]

    def make(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(VIEWS // 6):
            augmentation.view(picture, strengths, rng)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(make, range(threads)))  # warm
        began, worked = time.perf_counter(), time.process_time()
        list(pool.map(make, range(6)))
    return VIEWS / (time.perf_counter() - began), (time.process_time() - worked) / VIEWS


def learned_per_second(side: int) -> tuple[float, float]:
    """Return how many pictures a second the network learns from, without any reading, and the processor time of one."""
    import keras

    network = keras.applications.MobileNetV2((side, side, 3), alpha=0.35, weights=None, include_top=False)
    pooled = keras.layers.GlobalAveragePooling2D()(network.output)
    model = keras.Model(network.input, keras.layers.Dense(5, activation="softmax")(pooled))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", jit_compile=False)
    pictures = np.random.default_rng(0).random((BATCH, side, side, 3), dtype=np.float32)
    labels = np.arange(BATCH) % 5
    model.train_on_batch(pictures, labels)
    began, worked = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        model.train_on_batch(pictures, labels)
    count = STEPS * BATCH
    return count / (time.perf_counter() - began), (time.process_time() - worked) / count


def main() -> None:
    """Measure and print one line per picture size and preset."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    print(f"{os.cpu_count()} cores. Views and learned pictures are per second; the ratio is with two threads.")
    print("side  preset   1 thread  2 threads  learned  ratio  processor time")
    for side in SIDES:
        learned, learning_s = learned_per_second(side)
        for preset in ("light", "strong"):
            (one, _), (two, view_s) = (views_per_second(side, preset, threads) for threads in (1, 2))
            figures = f"{one:9.0f} {two:10.0f} {learned:8.0f} {two / learned:6.1f} {view_s / learning_s:15.1%}"
            print(f"{side:4}  {preset:7} {figures}")


if __name__ == "__main__":
    main()

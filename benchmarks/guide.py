"""The peer of a benchmark: the loop of Keras' transfer-learning guide, as anybody would copy it. Imports Keras.

Folders of pictures, ``image_dataset_from_directory``, a frozen network with pretrained weights, pooling, dropout of
0.2, one dense layer, Adam at 1e-3, ``fit``. The weights are those after the last epoch: the guide keeps no others.
"""

import time
from pathlib import Path

import keras

from tlcore.backbones import scaling, stages, table, weights
from tlcore.images.dataset import Dataset
from tlcore.images.split import Split

BATCH_SIZE = 32
PARTS = ("train", "validation", "test")


def lay_out(place: Path, found: Dataset, parts: Split) -> None:
    """Lay the pictures of each part out as the guide wants them, as links: PART/CLASS/PICTURE."""
    for part in PARTS:
        for name in found.class_names:
            (place / part / name).mkdir(parents=True)
        for row in getattr(parts, part):
            picture = found.pictures[row]
            file = place / part / found.class_names[picture.label] / f"{row}{Path(picture.file).suffix}"
            file.symlink_to(found.root / picture.file)


def run(place: Path, backbone: str, size: int, epochs: int, seed: int) -> dict[str, float]:
    """Train, then take the exam; return the seconds of the training and the accuracy of the exam."""
    keras.utils.set_random_seed(seed)
    file = weights.fetch(table.get(backbone))
    class_names = sorted(folder.name for folder in (place / "train").iterdir())
    began = time.perf_counter()
    parts = {
        part: keras.utils.image_dataset_from_directory(
            place / part,
            class_names=class_names,
            image_size=(size, size),
            batch_size=BATCH_SIZE,
            shuffle=part == "train",
            seed=seed,
            verbose=False,
        ).prefetch(2)
        for part in PARTS
    }
    model = build(backbone, size, len(class_names), file)
    model.fit(parts["train"], validation_data=parts["validation"], epochs=epochs, verbose=0)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "accuracy": model.evaluate(parts["test"], verbose=0, return_dict=True)["accuracy"]}


def build(backbone: str, size: int, n_classes: int, file: Path) -> keras.Model:
    """Build the guide's model, compiled."""
    row = table.get(backbone)
    base = stages.build(row, size, file)
    base.trainable = False
    inputs = keras.Input((size, size, 3))
    x = inputs
    for layer in scaling.scale_layers(row):
        x = layer(x)
    x = keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    outputs = keras.layers.Dense(n_classes, activation="softmax")(keras.layers.Dropout(0.2)(x))
    model = keras.Model(inputs, outputs)
    rate = keras.optimizers.Adam(1e-3)
    model.compile(rate, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model

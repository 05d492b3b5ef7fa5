"""The peer of a benchmark: the loop of Keras' transfer-learning guide, as anybody would copy it. Imports Keras.

Folders of pictures, ``image_dataset_from_directory``, a frozen network with pretrained weights, pooling, dropout of
0.2, one dense layer, Adam at 1e-3, ``fit``. The weights are those after the last epoch: the guide keeps no others.
"""

import time
from pathlib import Path
from typing import Any

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
    began = time.perf_counter()
    model = trained(place, backbone, size, epochs, file=file, seed=seed)
    seconds = time.perf_counter() - began
    test = pictures(place, "test", size, seed)
    return {"seconds": seconds, "accuracy": model.evaluate(test, verbose=0, return_dict=True)["accuracy"]}


def trained(
    place: Path,
    backbone: str,
    size: int,
    epochs: int,
    *,
    file: Path | None = None,
    frozen: int | None = None,
    dropout: float = 0.2,
    seed: int = 0,
) -> keras.Model:
    """Train as the guide does: every picture decoded anew and through the whole network in every epoch.

    Args:
        place: Where ``lay_out`` has laid the pictures out.
        backbone: Name in Thaw's table.
        size: Side of the pictures in pixels.
        epochs: How many.
        file: Weights; random ones if not given.
        frozen: Number of Thaw's stages that stay as they are; all if not given.
        dropout: Of the head.
        seed: Of the order of the pictures.
    """
    training, validation = (pictures(place, part, size, seed) for part in ("train", "validation"))
    model = build(backbone, size, len(list((place / "train").iterdir())), file, frozen=frozen, dropout=dropout)
    model.fit(training, validation_data=validation, epochs=epochs, shuffle=False, verbose=0)  # they come shuffled
    return model


def pictures(place: Path, part: str, size: int, seed: int) -> Any:
    """Return the pictures of a part as the guide reads them."""
    return keras.utils.image_dataset_from_directory(
        place / part,
        class_names=sorted(folder.name for folder in (place / "train").iterdir()),
        image_size=(size, size),
        batch_size=BATCH_SIZE,
        shuffle=part == "train",
        seed=seed,
        verbose=False,
    ).prefetch(2)


def build(
    backbone: str, size: int, n_classes: int, file: Path | None, *, frozen: int | None = None, dropout: float = 0.2
) -> keras.Model:
    """Build the guide's model, compiled."""
    row = table.get(backbone)
    base = stages.build(row, size, file, 0)
    of_stages = stages.stage_layers(row, base)
    for stage in of_stages[: len(of_stages) if frozen is None else frozen]:
        for layer in stage:
            layer.trainable = False
    inputs = keras.Input((size, size, 3))
    x = inputs
    for layer in scaling.scale_layers(row):
        x = layer(x)
    x = keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    x = keras.layers.Dropout(dropout)(x) if dropout else x
    model = keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))
    rate = keras.optimizers.Adam(1e-3)
    model.compile(rate, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model

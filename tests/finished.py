"""A finished run made by hand: drawn pictures, a tiny network with drawn weights, a real report."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from tlcore.images.dataset import Dataset, Picture
from tlcore.images.split import Split
from tlcore.results import evaluation, prediction
from tlcore.results import report as reports
from tlcore.runs import run as runs
from tlcore.runs.run import Run
from tlcore.training.recipe import Recipe

SIDE = 32
COLOURS = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (40, 200, 200))


def draw_dataset(root: Path, class_names: tuple[str, ...], per_class: int) -> Dataset:
    """Draw noisy coloured squares, one colour per class, larger than the network's side."""
    noise, pictures = np.random.default_rng(7), []
    for label, name in enumerate(class_names):
        (root / name).mkdir(parents=True)
        for number in range(per_class):
            pixels = np.array(COLOURS[label]) + noise.integers(-40, 40, (40, 48, 3))
            file = root / name / f"{number}.png"
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file)
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            pictures.append(Picture(f"{name}/{number}.png", label, content, width=48, height=40))
    return Dataset(root, class_names, tuple(pictures))


def draw_model(n_classes: int, activation: str, file: Path) -> None:
    """Save a tiny network whose answers depend on the picture."""
    import keras

    keras.utils.set_random_seed(5)
    units = 1 if activation == "sigmoid" else n_classes
    pictures = keras.Input((SIDE, SIDE, 3), name="pictures")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(pictures)
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    spread = keras.initializers.RandomNormal(stddev=3.0, seed=1)
    answers = keras.layers.Dense(units, activation=activation, kernel_initializer=spread)(x)
    keras.Model(pictures, answers).save(file)


def make_run(folder: Path, class_names: tuple[str, ...], activation: str = "softmax", per_class: int = 12) -> Run:
    """Make a finished run in a folder; two of three pictures are for the exam, so that proofs have plenty."""
    dataset = draw_dataset(folder / "my pictures", class_names, per_class)
    rows = range(len(dataset.pictures))
    split = Split(
        train=tuple(row for row in rows if row % 6 == 0),
        validation=tuple(row for row in rows if row % 6 == 1),
        test=tuple(row for row in rows if row % 6 > 1),
    )
    recipe = Recipe(backbone="mobilenet_v2_035", image_size=SIDE, resize="crop", activation=activation)
    run = runs.create(folder / "run", recipe, dataset, split)
    draw_model(len(class_names), activation, run.model_file)
    exam = evaluation.exam_pictures(run)
    found = prediction.predict(run, [dataset.root / picture.file for picture in exam])
    table = np.array([answer.probabilities for answer in found])
    reports.save(evaluation.evaluate(table, exam, class_names), run.report_file)
    return run

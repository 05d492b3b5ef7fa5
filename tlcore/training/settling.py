"""Turn every "auto" of a recipe into a value, and say why. No TensorFlow here.

The rules are plain on purpose: a teacher must be able to repeat the reason aloud. Numbers without another source come
from our own trials on small photo sets (100 to 4,000 pictures).
"""

import math
from collections import Counter
from dataclasses import dataclass, replace

from tlcore import cores
from tlcore.backbones import table, weights
from tlcore.images.dataset import Dataset
from tlcore.images.split import Split
from tlcore.training import recipe as recipes
from tlcore.training.recipe import Recipe

# A head of one layer is settled after a few hundred steps; below that more rounds cost nothing.
HEAD_STEPS = 900
# Few pictures make short epochs; after this many a head has seen each often enough, and a sample set is learned
# within a minute on two cores.
MOST_EPOCHS = 45
# Opening a stage pays from about this many training pictures per class on; below it, only the head learns.
# Source: Kim et al. 2022 (arXiv 2202.10054 and 2205.07874): with few pictures a head on fixed features wins.
OPEN_FROM_PER_CLASS = 50
# Pretrained networks see more on somewhat enlarged pictures. Our measurement, MobileNetV2 0.35, head only, exam
# accuracy: flowers of 144 px seen at 160 px 0.81, at 224 px 0.83; hand signs of 100 px at 128, 160 and 224 px 0.88,
# 0.91 and 0.88.
ENLARGE = 1.5
RATES = {  # optimizer: (head, last open stage)
    "adamw": (1e-3, 1e-4),
    "adam": (1e-3, 1e-4),
    "rmsprop": (5e-4, 5e-5),
    "sgd": (5e-2, 5e-3),
}


@dataclass(frozen=True)
class Settled:
    """A recipe without any "auto", and one sentence for each choice that Thaw made."""

    recipe: Recipe
    reasons: tuple[str, ...]


def settle(recipe: Recipe, dataset: Dataset, split: Split) -> Settled:
    """Choose everything that the user left open.

    Raises:
        RecipeError: A choice does not fit the backbone or the pictures.
    """
    recipes.check(recipe)
    settled = Settled(recipe, ())
    for choose in (_backbone, _image_size, _frozen_stages, _batch_size, _epochs, _patience, _rates, _class_weights):
        settled = choose(settled, dataset, split)
    counted = replace(settled.recipe, threads=settled.recipe.threads or cores.count())
    return Settled(_check_fit(counted, dataset), settled.reasons)


def _with(settled: Settled, reason: str, **chosen: object) -> Settled:
    """Return the recipe with some fields chosen and the reason added."""
    return Settled(replace(settled.recipe, **chosen), (*settled.reasons, reason))


def _backbone(settled: Settled, dataset: Dataset, split: Split) -> Settled:
    if settled.recipe.backbone != "auto":
        return settled
    own = table.cards()[0].name
    if settled.recipe.weights == "random":
        return _with(settled, f"Backbone {own}: small and fast, and no weights are needed.", backbone=own)
    fetched = [row for row in table.BACKBONES.values() if not row.bundled and weights.is_here(row)]
    if not fetched:
        reason = f"Backbone {own}: it comes with Thaw, and nothing that sees more is on this computer."
        return _with(settled, reason, backbone=own)
    carded = {row.name for row in table.cards()}
    best = max(fetched, key=lambda row: (row.name in carded, row.imagenet_top1 or 0.0))
    reason = f"Backbone {best.name}: its weights are on this computer, and it sees more than {own}."
    return _with(settled, reason, backbone=best.name)


def _image_size(settled: Settled, dataset: Dataset, split: Split) -> Settled:
    if settled.recipe.image_size is not None:
        return settled
    row = table.get(settled.recipe.backbone)
    sides = sorted(min(picture.width, picture.height) for picture in dataset.pictures)
    median = sides[len(sides) // 2]
    small = next((size for size in (96, 128, 160, 192) if size >= ENLARGE * median), row.default_size)
    size = max(row.min_size, min(row.default_size, small))
    if size < row.default_size:
        reason = f"Picture size {size} px: half of your pictures are {median} px or smaller; more would only cost time."
    else:
        reason = f"Picture size {size} px: the size that {row.title} was trained with."
    return _with(settled, reason, image_size=size)


def _frozen_stages(settled: Settled, dataset: Dataset, split: Split) -> Settled:
    if settled.recipe.frozen_stages != "auto":
        return settled
    if settled.recipe.weights == "random":
        return _with(settled, "Freeze depth none: random weights know nothing worth keeping.", frozen_stages="none")
    per_class = _counts(dataset, split)
    smallest = min(per_class.values())
    if smallest < OPEN_FROM_PER_CLASS:
        reason = f"Freeze depth all: the smallest class has {smallest} training pictures; below {OPEN_FROM_PER_CLASS} "
        return _with(settled, reason + "learning only the new final layers is safer.", frozen_stages="all")
    count = table.get(settled.recipe.backbone).stage_count - 1
    reason = f"Freeze depth {count}: with {smallest} or more training pictures per class the last stage may learn too."
    return _with(settled, reason, frozen_stages=count)


def _batch_size(settled: Settled, dataset: Dataset, split: Split) -> Settled:
    if settled.recipe.batch_size is not None:
        return settled
    size = 32 if len(split.train) >= 320 else 16 if len(split.train) >= 80 else 8
    return _with(settled, f"Batch size {size}: fits {len(split.train)} training pictures.", batch_size=size)


def _epochs(settled: Settled, dataset: Dataset, split: Split) -> Settled:
    if settled.recipe.epochs is not None:
        return settled
    steps = math.ceil(len(split.train) / (settled.recipe.batch_size or 1))
    epochs = min(MOST_EPOCHS, max(16, math.ceil(HEAD_STEPS / steps)))
    reason = f"At most {epochs} epochs of {steps} steps; training stops earlier when the check loss no longer falls."
    if not settled.recipe.early_stopping:
        reason = f"{epochs} epochs of {steps} steps."
    return _with(settled, reason, epochs=epochs)


def _patience(settled: Settled, dataset: Dataset, split: Split) -> Settled:
    if settled.recipe.patience is not None:
        return settled
    patience = max(3, (settled.recipe.epochs or 0) // 4)
    if not settled.recipe.early_stopping:
        return Settled(replace(settled.recipe, patience=patience), settled.reasons)
    reason = f"Patience {patience}: training stops after {patience} epochs without a better check loss."
    return _with(settled, reason, patience=patience)


def _rates(settled: Settled, dataset: Dataset, split: Split) -> Settled:
    recipe = settled.recipe
    head, backbone = RATES[recipe.optimizer]
    all_frozen = recipe.frozen_stages in ("all", table.get(recipe.backbone).stage_count)
    named = [f"{head:g} (new final layers)"] if recipe.head_lr is None else []
    named += [f"{backbone:g} (last open stage)"] if recipe.backbone_lr is None and not all_frozen else []
    chosen = replace(recipe, head_lr=recipe.head_lr or head, backbone_lr=recipe.backbone_lr or backbone)
    if not named:
        return Settled(chosen, settled.reasons)
    reason = f"Learning rate {' and '.join(named)}: what works for {recipe.optimizer} on small photo sets."
    return Settled(chosen, (*settled.reasons, reason))


def _class_weights(settled: Settled, dataset: Dataset, split: Split) -> Settled:
    if settled.recipe.class_weights is not None:
        return settled
    counts = _counts(dataset, split)
    low, high = min(counts.values()), max(counts.values())
    if high < 2 * low:
        return Settled(replace(settled.recipe, class_weights=False), settled.reasons)
    reason = f"Class weights on: classes have {low} to {high} training pictures, so small ones count more."
    return _with(settled, reason, class_weights=True)


def _check_fit(recipe: Recipe, dataset: Dataset) -> Recipe:
    """Raise ``RecipeError`` where settled choices do not fit the backbone or the classes."""
    row = table.get(recipe.backbone)
    recipes.frozen_count(recipe, row.stage_count)
    if recipe.image_size is not None and recipe.image_size < row.min_size:
        raise recipes.RecipeError(
            f"{row.title} needs pictures of at least {row.min_size} px, and {recipe.image_size} px was chosen.",
            f"Choose {row.min_size} px or more.",
        )
    if recipe.activation == "sigmoid" and len(dataset.class_names) != 2:
        raise recipes.RecipeError(
            f"Sigmoid answers yes or no, and there are {len(dataset.class_names)} classes.", "Choose softmax."
        )
    return recipes.check(recipe)


def _counts(dataset: Dataset, split: Split) -> dict[int, int]:
    """Return the number of training pictures of each label."""
    counted = Counter(dataset.pictures[row].label for row in split.train)
    return {label: counted[label] for label in range(len(dataset.class_names))}


def weights_of_classes(dataset: Dataset, split: Split) -> dict[int, float]:
    """Return how much a picture of each label counts: one over the square root of the class's share, mean 1.

    The square root is milder than full balancing, which with 12 against 795 pictures lets single pictures of the small
    class rule the gradient.
    """
    counts = _counts(dataset, split)
    raw = {label: 1 / math.sqrt(max(1, count)) for label, count in counts.items()}
    mean = sum(raw[label] * count for label, count in counts.items()) / max(1, sum(counts.values()))
    return {label: weight / mean for label, weight in raw.items()}

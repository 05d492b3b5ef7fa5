"""What a phase of the training learns from: features that are kept, or whole pictures, and why.

Features wherever something is frozen, so that an epoch costs only what it trains. Whole pictures where nothing is
frozen, where new random views in every epoch were asked for, and where the features would take too much disk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from tlcore import cache, disk, pins, workspace
from tlcore.images.split import Split
from tlcore.training import augmentation, engine, features
from tlcore.training.batches import Batches, ShuffledFeatures, ShuffledViews, TrainingBatches
from tlcore.training.boundary import Boundary, cut
from tlcore.training.classifier import Classifier
from tlcore.training.engine import Engine
from tlcore.training.features import Features, Source
from tlcore.training.recipe import Recipe

BUDGET_S = 45.0
"""How long the random views of a phase may take on their way through the frozen stages, if we choose their number."""
LEAST_VIEWS, MOST_VIEWS = 4, 16
"""Of each picture, the clean one among them. Chosen, not measured: with fewer than 4 the views hardly differ from none,
and 16 are most of what an ordinary number of epochs would draw."""
WORTH = 12
"""How many times as much disk as the decoded picture the features of one view may take. What crosses behind the first
stage of VGG16 takes 11 times as much and saves an eighth of the multiply-adds."""

CHECK_BATCH = 64


@dataclass(frozen=True, eq=False)
class Material:
    """What a training is made of.

    Args:
        source: Pictures, and what random views may do.
        split: Their parts.
        targets: (N,) int32 labels, or (N, 1) float32 of 0 and 1 for sigmoid; of all pictures.
        parts: The classifier, on which stages were frozen.
        backbone: Name of its row in the table.
    """

    source: Source
    split: Split
    targets: np.ndarray
    parts: Classifier
    backbone: str


@dataclass(frozen=True, eq=False)
class Supply:
    """What one phase trains, and on what.

    Args:
        model: Takes what the batches give; it shares its layers with the whole classifier.
        training: One epoch of training batches.
        validation: The check pictures.
        reason: One sentence for the person who trains; empty where there is nothing to say.
    """

    model: keras.Model
    training: TrainingBatches
    validation: Batches
    reason: str = ""


class Supplier:
    """Prepares phases, one after the other.

    Args:
        material: What the training is made of.
        recipe: Settled.
        progress: Told how far the pictures are on their way through the frozen stages.
        note: Told one sentence about what was chosen or went otherwise than planned.
        run: Whose kept features stay until it is over; see ``pins.py``.
    """

    def __init__(self, material: Material, recipe: Recipe, progress: features.Progress,
                 note: Callable[[str], None], run: Path) -> None:  # fmt: skip
        self.material = material
        self.recipe = recipe
        self.progress = progress
        self.note = note
        self.run = run

    def _pin(self, file: Path) -> None:
        pins.pin(self.run, file)

    def phase(self, frozen_stages: int, first_epoch: int, is_kept: bool | None = None) -> Supply:
        """Return what a phase learns from; call it after ``freezing.freeze``.

        Args:
            frozen_stages: Of the phase.
            first_epoch: Its first one, from 1.
            is_kept: Whether features are kept, where that was settled before; else disk and recipe decide.
        """
        if is_kept is False or frozen_stages == 0 or (self.recipe.views == 0 and self._is_augmented):
            return self._pictures(first_epoch)
        boundary = cut(self.material.parts, frozen_stages)
        too_much = "" if is_kept else self._too_much(boundary)
        if too_much:
            self.note(too_much)
            return self._pictures(first_epoch)
        return self._features(boundary, first_epoch)

    @property
    def _is_augmented(self) -> bool:
        return self.material.source.strengths != augmentation.PRESETS["none"]

    def _pictures(self, first_epoch: int) -> Supply:
        """Whole pictures through the whole network."""
        of, split = self.material, self.material.split
        training = ShuffledViews(
            of.source.array, split.train, of.targets, int(self.recipe.batch_size or 1),
            strengths=of.source.strengths, seed=self.recipe.seed, epoch=first_epoch,
        )  # fmt: skip
        return Supply(of.parts.model, training, Batches(of.source.array, split.validation, of.targets, CHECK_BATCH))

    def _features(self, boundary: Boundary, first_epoch: int) -> Supply:
        """Kept features through the open part of the network."""
        of, batch_size = self.material, int(self.recipe.batch_size or 1)
        train, validation = sorted(of.split.train), sorted(of.split.validation)
        run_pass = self._engine(boundary, train)
        kept = Features(of.source, boundary, run_pass.for_a_file, run_pass.precision, self.progress, self._pin)
        check = Batches(kept.of(validation), range(len(validation)), of.targets[validation], CHECK_BATCH)
        clean = kept.of(train)  # timed on the way
        self.recipe = replace(self.recipe, engine=run_pass.settle())
        n_views = self._settle_views(run_pass.pictures_per_s) if self._is_augmented else 1
        training = ShuffledFeatures(
            lambda number: kept.of(train, number) if number else clean, of.targets[train], batch_size,
            views=n_views, seed=self.recipe.seed, epoch=first_epoch, first_epoch=first_epoch,
        )  # fmt: skip
        size = cache.in_words(features.size_bytes(len(train) * n_views + len(validation), boundary.shape))
        views = f", {n_views} views of each training picture" if n_views > 1 else ""
        reason = f"What the frozen stages answer is kept ({size}{views}), so an epoch costs only what it trains."
        return Supply(boundary.learning, training, check, reason)

    def _engine(self, boundary: Boundary, rows: Sequence[int]) -> Engine:
        """Return the engine for the frozen side."""
        of = self.material
        passes = len(rows) * ((self.recipe.views or LEAST_VIEWS) if self._is_augmented else 1)
        run_pass = Engine(boundary, f"{of.backbone} {self.recipe.pooling}", passes, self.note, self.recipe.engine)
        some = rows[:: max(1, len(rows) // engine.TRIED)][: engine.TRIED]
        labels = [of.source.dataset.pictures[row].label for row in some]
        run_pass.try_reduced(np.stack([of.source.array[row] for row in some]), labels)
        return run_pass

    def _settle_views(self, pictures_per_s: float | None) -> int:
        """Return how many views each training picture has, chosen by the time they take unless the recipe says it."""
        if self.recipe.views is None:
            affordable = int(BUDGET_S * (pictures_per_s or 0.0) / max(1, len(self.material.split.train)))
            most = max(2, min(MOST_VIEWS, int(self.recipe.epochs or 1)))
            chosen = min(most, max(LEAST_VIEWS, affordable))
            self.recipe = replace(self.recipe, views=chosen)
            self.note(f"{chosen} views of each training picture: as many as pass the frozen stages in about "
                      f"{BUDGET_S:.0f} seconds, and no fewer than {LEAST_VIEWS}.")  # fmt: skip
        return int(self.recipe.views or 1)

    def _too_much(self, boundary: Boundary) -> str:
        """Return why features are not kept at a cut; empty where they may be."""
        of = self.material
        decoded = int(np.prod(of.source.array.shape[1:]))
        one = features.size_bytes(1, boundary.shape)
        if one > WORTH * decoded:
            return (
                f"What the frozen stages answer would take {one / decoded:.0f} times as much disk as the pictures, so "
                "it is not kept: every epoch computes it again. Freeze more stages to avoid that."
            )
        n_views = (self.recipe.views or LEAST_VIEWS) if self._is_augmented else 1
        needed = one * (len(of.split.train) * n_views + len(of.split.validation))
        workspace.cache_folder().mkdir(parents=True, exist_ok=True)
        # What this run has kept already counts as room: who goes on has to come to what was decided at first.
        own = frozenset(pins.pinned_by(self.run))
        of_others = cache.pinned_bytes(but=own)
        on_disk = disk.free_bytes(workspace.cache_folder()) + sum(file.stat().st_size for file in own if file.exists())
        room = max(0, min(workspace.cache_bytes() - of_others, on_disk)) // 2
        if needed > room:
            others = f" Runs that are not over need {cache.in_words(of_others)} themselves." if of_others else ""
            return (
                f"What the frozen stages answer would take {cache.in_words(needed)}, and {cache.in_words(room)} may be "
                "used for it, so it is not kept: every epoch computes it again. Freeze more stages, choose fewer "
                f"views, or raise THAW_CACHE_GB.{others}"
            )
        return ""

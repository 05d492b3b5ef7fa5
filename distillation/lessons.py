"""What one round feeds to the student: every view of the bank once, in random order, with what it should answer."""

import keras
import numpy as np
from PIL import Image

from distillation.answers import Answers
from distillation.bank import OpenBank, Targets
from distillation.plan import VIEW_SIDE, Plan

Answer = dict[str, np.ndarray]


class Lessons(keras.utils.PyDataset):
    """Batches of one round.

    Args:
        bank: The shards of the round.
        targets: Mean and deviation of the teacher's answers.
        plan: All settings.
        round_number: Which round, from 0; settles order and mirroring.
    """

    def __init__(self, bank: OpenBank, targets: Targets, plan: Plan, round_number: int) -> None:
        super().__init__(workers=1, max_queue_size=4)
        self._bank, self._targets, self._plan = bank, targets, plan
        self._side = plan.sizes[round_number]
        draws = np.random.default_rng((plan.seed, 1 << 20, round_number))
        self._order = draws.permutation(len(bank))
        self._mirrored = draws.random(len(bank)) < 0.5

    def __len__(self) -> int:
        return len(self._order) // self._plan.batch_size

    def __getitem__(self, number: int) -> tuple[np.ndarray, Answer]:
        """Return views, (N, S, S, 3) uint8 at the round's picture size, and the answers by name of the output."""
        size = self._plan.batch_size
        places = self._order[number * size : (number + 1) * size]
        batch = self._bank.batch(places)
        mirrored = self._mirrored[places]
        # A view that comes again comes as its mirror image every second time, and so do the teacher's tensors: its
        # answer to the mirror image is nearly the mirror image of its answer, because it was trained on both.
        for values in (batch.views, batch.answers.middle, batch.answers.final):
            values[mirrored] = values[mirrored, :, ::-1]
        return _shrunk(batch.views, self._side), as_targets(batch.answers, self._targets, self._plan.temperature)


def as_targets(answers: Answers, targets: Targets, temperature: float) -> Answer:
    """Return what the student should answer, by name of its output, float32.

    ``middle`` and ``final`` have mean 0 and deviation 1 in every channel; ``pooled`` is the mean over the picture, on
    its own scale; ``scores`` are probabilities.
    """
    final = np.asarray(answers.final, "float32") - targets.final_mean
    scores = np.asarray(answers.scores, "float32") / temperature
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    return {
        "middle": (np.asarray(answers.middle, "float32") - targets.middle_mean) / targets.middle_deviation,
        "final": final / targets.final_deviation,
        "pooled": final.mean((1, 2)) / targets.pooled_deviation,
        "scores": chances / chances.sum(axis=1, keepdims=True),
    }


def _shrunk(views: np.ndarray, side: int) -> np.ndarray:
    """Average views down to a smaller side."""
    if side == VIEW_SIDE:
        return views
    box = Image.Resampling.BOX
    return np.stack([np.asarray(Image.fromarray(view).resize((side, side), box)) for view in views])

"""The first answer: final layers fitted in closed form to features that are there, before any gradient step.

Least squares with a penalty (ridge regression) on the features of the training pictures, its strength and the sharpness
of the probabilities chosen by leaving each training picture out once, which has a closed form too. It takes about as
long as one epoch, is a model that can be used, and a line that training has to beat. The check pictures only judge it.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeCV

from tlcore.training.batches import ShuffledFeatures, TrainingBatches
from tlcore.training.recipe import Recipe

MOST = 10_000
"""Training pictures that are asked: with more the answer hardly changes and memory grows."""
PENALTIES = tuple(10.0**power for power in range(-2, 5))
"""Strengths that are tried, on features scaled to deviation 1."""
SHARPNESS = tuple(2.0 ** (power / 2) for power in range(0, 17))
"""Factors by which scores are multiplied before the softmax, 1 to 256, of which the likeliest is taken."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Weights of a final layer.

    Args:
        kernel: (D, C) float32, or (D, 1) for sigmoid.
        bias: (C,) float32, or (1,).
    """

    kernel: np.ndarray
    bias: np.ndarray


def fit(features: np.ndarray, labels: np.ndarray, n_classes: int, weights: np.ndarray | None = None) -> Answer:
    """Fit a final layer with softmax.

    Args:
        features: (n, D) of the training pictures, any float.
        labels: (n,) integers from 0.
        n_classes: C, 2 or more.
        weights: (n,) how much each picture counts; equally if not given.
    """
    values = np.asarray(features, "float64")
    mean, deviation = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    values = (values - mean) / deviation
    wanted = np.eye(n_classes)[labels]
    fitted = RidgeCV(PENALTIES, gcv_mode="eigen", store_cv_results=True).fit(values, wanted, sample_weight=weights)
    chosen = PENALTIES.index(fitted.alpha_)
    left_out = _left_out(fitted, values, wanted, weights, chosen)
    sharpness = min(SHARPNESS, key=lambda factor: _loss(left_out * factor, labels, weights))
    kernel = fitted.coef_.T * sharpness / deviation[:, None]
    bias = fitted.intercept_ * sharpness - mean @ kernel
    return Answer(kernel.astype("float32"), bias.astype("float32"))


def is_possible(recipe: Recipe, training: TrainingBatches) -> bool:
    """Return whether the head is one layer on one row of numbers per picture: only then there is a closed form."""
    return isinstance(training, ShuffledFeatures) and training.pixels.ndim == 2 and recipe.hidden_units == 0


def fit_to(
    training: ShuffledFeatures, n_classes: int, of_classes: dict[int, float] | None, is_sigmoid: bool, seed: int
) -> Answer:
    """Fit a final layer to the clean training pictures of a phase, or to ``MOST`` of them.

    Args:
        training: Its batches.
        n_classes: Number of classes.
        of_classes: How much a picture of each label counts; equally if not given.
        is_sigmoid: Whether one number answers, for two classes.
        seed: Start of the draw where there are more than ``MOST``.
    """
    labels = training.targets.ravel().astype(int)
    rows = np.arange(len(labels))
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST, replace=False))
    weights = np.array([of_classes[label] for label in labels[rows]]) if of_classes else None
    found = fit(training.pixels[rows], labels[rows], n_classes, weights)
    return as_sigmoid(found) if is_sigmoid else found


def as_sigmoid(answer: Answer) -> Answer:
    """Return the same answer for two classes as one score: class 1 against class 0."""
    return Answer(answer.kernel[:, 1:] - answer.kernel[:, :1], answer.bias[1:] - answer.bias[:1])


def _left_out(
    fitted: RidgeCV, values: np.ndarray, wanted: np.ndarray, weights: np.ndarray | None, chosen: int
) -> np.ndarray:
    """Return what each picture scores when it is left out: (n, C).

    ``cv_results_`` holds squared errors only; their sign is that of the error of the whole fit, which leaving a point
    out makes larger and never turns round. Weighted fits hold errors times the square root of the weight.
    """
    errors = np.sqrt(fitted.cv_results_[..., chosen])
    if weights is not None:
        errors = errors / np.sqrt(weights)[:, None]
    return wanted - np.sign(wanted - fitted.predict(values)) * errors


def _loss(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the mean cross-entropy of scores."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    likely = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))
    return -float(np.average(likely, weights=weights))

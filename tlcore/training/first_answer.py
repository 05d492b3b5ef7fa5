"""The first answer: final layers fitted in closed form to features that are there, before any gradient step.

Least squares with a penalty (ridge regression) on the features of the training pictures, its strength and the sharpness
of the probabilities chosen by leaving each training picture out once, which has a closed form too. It takes about as
long as one epoch, is a model that can be used, and a line that training has to beat. The check pictures only judge it.
"""

from dataclasses import dataclass

import numpy as np
import threadpoolctl

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
    fitted = _ridge((values - mean) / deviation, np.eye(n_classes)[labels], weights)
    sharpness = min(SHARPNESS, key=lambda factor: _loss(fitted.left_out * factor, labels, weights))
    kernel = fitted.kernel * sharpness / deviation[:, None]
    bias = fitted.bias * sharpness - mean @ kernel
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


@dataclass(frozen=True, eq=False)
class _Ridge:
    """A fit by least squares with a penalty: ``values @ kernel + bias``.

    Args:
        penalty: The strength that does best when each picture is left out once.
        kernel: (D, C) float64.
        bias: (C,) float64.
        left_out: (n, C) what each picture scores when it is left out.
    """

    penalty: float
    kernel: np.ndarray
    bias: np.ndarray
    left_out: np.ndarray


def _ridge(
    values: np.ndarray, wanted: np.ndarray, weights: np.ndarray | None, penalties: tuple[float, ...] = PENALTIES
) -> _Ridge:
    """Fit (n, D) values to (n, C) wanted scores; each strength of the penalty costs two small products only.

    One eigendecomposition on the smaller side, min(n, D), serves all strengths. What a fit changes at a row divided by
    one less its leverage is what it errs by without that row (Hastie, Tibshirani and Friedman, The Elements of
    Statistical Learning, 2nd edition, 7.10). scikit-learn's ``RidgeCV`` finds the same, but multiplies by the whole of
    the values again for every strength: 2.1 s against 0.8 s of one core for 3,000 pictures and 1,280 numbers each.
    """
    counts = np.ones(len(values)) if weights is None else np.asarray(weights, "float64")
    share, root = counts / counts.sum(), np.sqrt(counts)[:, None]
    middle, usual = share @ values, share @ wanted
    inputs, outputs = (values - middle) * root, (wanted - usual) * root
    basis, strengths = _principal(inputs)
    along = basis.T @ outputs
    squares = basis**2
    best, errors = penalties[0], np.full_like(outputs, np.inf)
    for penalty in penalties:
        kept = strengths / (strengths + penalty)
        found = (outputs - basis @ (kept[:, None] * along)) / (1 - share - squares @ kept)[:, None]
        if np.square(found).mean() < np.square(errors).mean():
            best, errors = penalty, found
    kernel = inputs.T @ (basis @ (along / (strengths + best)[:, None]))
    return _Ridge(best, kernel, usual - middle @ kernel, wanted - errors / root)


def _principal(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the left singular vectors of (n, D) as columns, and the squares of their singular values, above zero."""
    is_wide = len(inputs) <= inputs.shape[1]
    products = inputs @ inputs.T if is_wide else inputs.T @ inputs
    # One thread: more of them wait for each other at every column. Where other programs kept both cores busy, 350
    # pictures took 2 to 3 s with two threads and 0.09 s with one.
    with threadpoolctl.threadpool_limits(1, "blas"):
        strengths, vectors = np.linalg.eigh(products)
    counted = strengths > strengths[-1] * 1e-12
    strengths, vectors = strengths[counted], vectors[:, counted]
    return (vectors if is_wide else inputs @ (vectors / np.sqrt(strengths))), strengths


def _loss(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the mean cross-entropy of scores."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    likely = shifted[np.arange(len(labels)), labels] - np.log(np.exp(shifted).sum(axis=1))
    return -float(np.average(likely, weights=weights))

"""The first answer: as good as least squares can be, sharp as leaving out says, and in the shape of the final layer."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from tlcore.training import first_answer


def clusters(n: int, n_classes: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 20) features around one centre per class, and the labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    return rng.normal(3, 1, (n, 20)) + apart * np.eye(20)[labels], labels


def probabilities(answer: first_answer.Answer, features: np.ndarray) -> np.ndarray:
    scores = features @ answer.kernel + answer.bias
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def test_classes_that_lie_apart_are_told_and_probabilities_are_neither_timid_nor_rash():
    answer = first_answer.fit(*clusters(400, 4, 4.0), 4)
    features, labels = clusters(400, 4, 4.0, seed=1)
    found = probabilities(answer, features)
    right = found.argmax(axis=1) == labels
    assert answer.kernel.shape == (20, 4) and answer.kernel.dtype == np.float32
    assert right.mean() > 0.95
    assert abs(found.max(axis=1).mean() - right.mean()) < 0.06


def test_where_nothing_tells_the_classes_apart_it_says_so():
    features, labels = clusters(300, 3, 0.0)
    found = probabilities(first_answer.fit(features, labels, 3), clusters(300, 3, 0.0, seed=1)[0])
    assert found.max(axis=1).mean() < 0.6


@pytest.mark.parametrize("is_weighted", [False, True])
def test_leaving_one_out_is_what_fitting_without_it_gives(is_weighted):
    features, labels = clusters(60, 3, 2.0)
    weights = np.random.default_rng(2).uniform(0.5, 2, 60) if is_weighted else None
    wanted = np.eye(3)[labels]
    left_out = first_answer._ridge(features, wanted, weights, (10.0,)).left_out
    for row in (0, 17, 59):
        rest = np.arange(60) != row
        again = Ridge(10.0).fit(features[rest], wanted[rest], None if weights is None else weights[rest])
        assert left_out[row] == pytest.approx(again.predict(features[row : row + 1])[0], abs=1e-6)


@pytest.mark.parametrize("n", [15, 60])  # fewer and more than there are numbers per picture
@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_fit_is_the_one_that_scikit_learn_finds(n, is_weighted):
    features, labels = clusters(n, 3, 1.0)
    weights = np.random.default_rng(2).uniform(0.5, 2, n) if is_weighted else None
    found = first_answer._ridge(features, np.eye(3)[labels], weights)
    expected = RidgeCV(first_answer.PENALTIES).fit(features, np.eye(3)[labels], sample_weight=weights)
    assert found.penalty == expected.alpha_
    assert found.kernel == pytest.approx(expected.coef_.T, abs=1e-9)
    assert found.bias == pytest.approx(expected.intercept_, abs=1e-9)


def test_more_features_than_pictures_and_features_that_never_change_are_no_obstacle():
    features, labels = clusters(12, 3, 6.0)
    wide = np.concatenate([features, np.ones((12, 500))], axis=1).astype("float16")
    answer = first_answer.fit(wide, labels, 3)
    assert np.isfinite(answer.kernel).all()
    assert (probabilities(answer, wide.astype("float64")).argmax(axis=1) == labels).all()


def test_one_number_for_two_classes_says_the_same():
    features, labels = clusters(100, 2, 2.0)
    two = first_answer.fit(features, labels, 2)
    one = first_answer.as_sigmoid(two)
    assert one.kernel.shape == (20, 1) and one.bias.shape == (1,)
    chance = 1 / (1 + np.exp(-(features @ one.kernel + one.bias)[:, 0]))
    assert chance == pytest.approx(probabilities(two, features)[:, 1], abs=1e-5)

"""How steps are computed: candidates are tried on real steps, remembered, and leave no trace in the weights."""

import keras
import numpy as np
import pytest

from tlcore.training import precision, step
from tlcore.training.batches import TrainingBatches
from tlcore.training.recipe import Recipe
from tlcore.training.step import Steps, Tried


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


def small_network() -> keras.Model:
    """Return a network with everything that a step may change: weights and the seeds of random drops."""
    layers = [
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(0.5, seed=1),
        keras.layers.Dense(2, activation="softmax"),
    ]
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


@pytest.fixture
def steps():
    """Steps of a small network whose work is said to be long, and the recipes it was compiled for."""
    model, compiled_for = small_network(), []

    def compiled(asked: Recipe) -> None:
        compiled_for.append(asked)
        model.compile(precision.scaled(keras.optimizers.SGD(0.1), asked.precision), "sparse_categorical_crossentropy",
                      metrics=["accuracy"], jit_compile=asked.xla)  # fmt: skip

    pictures = np.random.default_rng(0).integers(0, 255, (16, 8, 8, 3), "uint8")
    training = TrainingBatches(pictures, range(16), np.arange(16) % 2, 8, seed=0, epoch=1)
    return Steps(model, training, compiled, 1e6, ("small network",)), compiled_for


@pytest.mark.parametrize("numbers", ["bfloat16", "float16"])
def test_layers_compute_in_a_precision_inside_the_block_only_and_the_last_one_never_does(numbers):
    model = small_network()
    pictures = np.random.default_rng(0).uniform(0, 1, (8, 8, 8, 3)).astype("float32")
    expected = model(pictures).numpy()
    with precision.computing_in(numbers, model):
        kinds = [layer.compute_dtype for layer in model.layers]
        found = model(pictures).numpy()
    assert kinds == [numbers, numbers, numbers, "float32"]
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert {variable.dtype for variable in model.weights} == {"float32"}
    assert not np.array_equal(found, expected) and np.allclose(found, expected, atol=0.02)
    assert np.array_equal(model(pictures).numpy(), expected)


def test_an_unknown_precision_is_named():
    with pytest.raises(ValueError, match="Received: int4"), precision.computing_in("int4", small_network()):
        raise AssertionError


def test_the_loss_is_scaled_for_float16_alone():
    plain = keras.optimizers.SGD()
    assert precision.scaled(plain, "bfloat16") is plain
    assert isinstance(precision.scaled(plain, "float16"), keras.optimizers.LossScaleOptimizer)


def test_little_work_is_begun_at_once_in_float32(steps):
    work, compiled_for = steps
    short = Steps(work.model, work.training, work.compiled, 1.0, work.what)
    settled = step.settle(Recipe(), short, pytest.fail)
    assert (settled.precision, settled.xla, settled.step_parts) == ("float32", False, 1)
    assert compiled_for == []


def test_much_work_is_tried_first_and_weights_and_seeds_are_as_they_were(steps):
    work, compiled_for = steps
    before = [np.array(variable) for variable in work.model.variables]
    settled = step.settle(Recipe(), work, lambda said: None)
    assert compiled_for[0].precision == "float32"
    assert settled.precision in ("float32", "bfloat16") and settled.step_parts == 1 and settled.xla is False
    assert all(np.array_equal(old, new) for old, new in zip(before, work.model.variables, strict=True))


def test_nothing_is_tried_where_only_float32_is_fast_and_the_training_itself_can_be_timed(steps):
    work, compiled_for = steps
    small = TrainingBatches(work.training.pixels, range(16), work.training.targets, 4, seed=0, epoch=1)
    long = Steps(work.model, small, work.compiled, 1e6, ("small network in small steps",))
    settled = step.settle(Recipe(precision="float32"), long, pytest.fail)
    assert (settled.precision, settled.step_parts) == ("float32", None) and compiled_for == []


class WorksAhead:
    """The loss of a device that works ahead: time passes only when somebody asks for it."""

    def __init__(self, now: list[float], taken: float) -> None:
        self.now, self.taken = now, taken

    def __float__(self) -> float:
        self.now[0] += self.taken
        return 0.5


def timed(seconds: list[float], monkeypatch, count: int = 10_000) -> list[float]:
    """Let a watcher see steps that take so long, of so many; return what it settled."""
    settled: list[float] = []
    watcher, now = step.WatchSteps(settled.append, count), [0.0]
    monkeypatch.setattr(step.time, "perf_counter", lambda: now[0])
    for batch, taken in enumerate(seconds):
        watcher.on_train_batch_begin(batch)
        watcher.on_train_batch_end(batch, {"loss": WorksAhead(now, taken)})
    return settled


def test_short_steps_are_settled_once_whatever_the_traced_first_one_and_one_hiccup_took(monkeypatch):
    assert timed([20.0, 1.5, 0.5, 9.0], monkeypatch) == [0.5]


@pytest.mark.parametrize(("seconds", "found"), [([3.0, 1.5, 1.25], 1.25), ([40.0, 17.0], 17.0)])
def test_long_steps_end_the_try_the_slowest_ones_after_the_second_one(seconds, found, monkeypatch):
    with pytest.raises(step.StepsAreTimed) as ended:
        timed(seconds, monkeypatch)
    assert ended.value.seconds == pytest.approx(found)


def test_a_training_with_few_long_steps_is_not_begun_once_more(monkeypatch):
    assert timed([40.0, 17.0], monkeypatch, count=10) == [17.0]


def test_what_was_found_is_remembered_on_this_computer(steps):
    work, compiled_for = steps
    first = step.settle(Recipe(), work, lambda said: None)
    tried = len(compiled_for)
    assert step.settle(Recipe(), work, pytest.fail) == first and len(compiled_for) == tried
    other = Steps(work.model, work.training, work.compiled, work.seconds, ("another cut",))
    step.settle(Recipe(), other, lambda said: None)
    assert len(compiled_for) > tried


def test_what_the_recipe_says_is_not_tried(steps):
    work, compiled_for = steps
    asked = Recipe(precision="bfloat16", xla=False, step_parts=2)
    assert step.settle(asked, work, pytest.fail) == asked and compiled_for == []
    assert step.settle(Recipe(precision="bfloat16"), work, lambda said: None).precision == "bfloat16"


def test_what_somebody_asked_for_is_not_remembered_as_what_was_found_best(steps):
    work, compiled_for = steps
    step.settle(Recipe(precision="bfloat16"), work, lambda said: None)
    tried = len(compiled_for)
    step.settle(Recipe(), work, lambda said: None)
    assert compiled_for[tried].precision == "float32" and len(compiled_for) > tried


def test_losses_that_leave_those_of_float32_are_not_sound():
    expected = Tried((0.70, 0.60), 1.0)
    assert Tried((0.705, 0.605), 0.5).is_sound(expected)
    assert not Tried((0.70, 0.70), 0.5).is_sound(expected)
    assert not Tried((0.70, float("nan")), 0.5).is_sound(expected)
    assert not Tried((), float("inf")).is_sound(expected)


@pytest.mark.parametrize(
    ("seconds", "batch_size", "parts"),
    [(0.9, 32, 1), (1.1, 32, 2), (3.1, 32, 4), (100.0, 32, 8), (100.0, 7, 1), (3000.0, 1024, 64)],
)
def test_a_step_of_over_a_second_is_computed_in_parts_of_four_pictures_or_more(seconds, batch_size, parts):
    said = []
    assert step.parts(seconds, batch_size, said.append) == parts
    assert [f"in {parts} parts" in sentence for sentence in said] == [True] * (parts > 1)

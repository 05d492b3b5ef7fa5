"""One run from its recipe to its results, in this very process, on a tiny network with random weights."""

import json

import keras
import numpy as np
import pytest
from drawn_runs import random_weights

from tlcore.results import prediction, report
from tlcore.runs import events, position
from tlcore.runs import run as runs
from tlcore.training import phase, training
from tlcore.training.recipe import Recipe


@pytest.fixture(scope="module")
def trained(drawn_dataset, tmp_path_factory):
    """A finished run with both phases, and everything it said."""
    from tlcore.images import split

    recipe = Recipe(backbone="mobilenet_050", image_size=32, epochs=6, frozen_stages=3, patience=6, head_lr=1e-2,
                    backbone_lr=1e-3, augment="none", batch_size=8)  # fmt: skip
    folder = tmp_path_factory.mktemp("trained") / "run"
    run = runs.create(folder, recipe, drawn_dataset, split.draw(drawn_dataset, 0.2, 0.3, 0))
    weights = random_weights(tmp_path_factory.mktemp("keras_home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(weights))
        training.train(run)
    return run


def test_a_run_ends_with_model_report_and_package(trained):
    assert runs.state(trained) == "finished"
    assert trained.model_file.is_file() and trained.report_file.is_file()
    assert (trained.exports / "keras.zip").is_file()
    assert not list(trained.folder.glob(".*"))  # nothing half written is left behind


def test_the_head_learns_first_and_then_the_open_stages_too(trained):
    phases = events.of_type(trained.events.all(), events.PhaseStarted)
    assert [(phase.phase, phase.first_epoch, phase.last_epoch) for phase in phases] == [
        ("head", 1, 2),
        ("fine-tuning", 3, 6),
    ]
    assert phases[0].learning_parameters < phases[1].learning_parameters < phases[1].total_parameters


def test_epochs_count_on_over_both_phases_and_batches_are_reported_within_each(trained):
    history = trained.events.all()
    assert [event.epoch for event in events.of_type(history, events.EpochEnd)] == [1, 2, 3, 4, 5, 6]
    last_steps = {event.epoch: event.step for event in events.of_type(history, events.BatchEnd)}
    steps = events.last(history, events.PhaseStarted).steps_per_epoch
    assert last_steps == dict.fromkeys(range(1, 7), steps)


def test_means_over_batches_agree_with_the_mean_of_the_epoch(trained):
    history = trained.events.all()
    n_train = len(trained.split().train)
    for epoch in events.of_type(history, events.EpochEnd):
        seen, total = 0, 0.0
        for batch in (event for event in events.of_type(history, events.BatchEnd) if event.epoch == epoch.epoch):
            now = min(batch.step * 8, n_train)
            total += batch.loss * (now - seen)
            seen = now
        assert total / n_train == pytest.approx(epoch.loss, rel=1e-4)


def losses_of(run) -> dict[int, float]:
    """Return the check loss after each epoch; that of the first answer, if there is one, stands at 0."""
    history = run.events.all()
    found = events.last(history, events.FirstAnswer)
    first = {0: found.val_loss} if found else {}
    return first | {event.epoch: event.val_loss for event in events.of_type(history, events.EpochEnd)}


def loss_of_model(run) -> float:
    """Return the loss of the saved model on the check pictures themselves."""
    rows = list(run.split().validation)
    labels = np.array([run.dataset().pictures[row].label for row in rows])
    answers = prediction.probabilities(keras.saving.load_model(run.model_file), training.pixels_of(run)[rows])
    return float(-np.log(answers[np.arange(len(rows)), labels]).mean())


def test_the_model_has_the_weights_of_what_had_the_lowest_check_loss(trained):
    losses = losses_of(trained)
    best = min(losses, key=losses.get)
    assert events.last(trained.events.all(), events.Finished).kept_epoch == best
    assert position.epoch_of(trained.best_checkpoint) == best
    # The curve's comes from features kept in float16.
    assert loss_of_model(trained) == pytest.approx(losses[best], rel=1e-2)


def test_the_saved_model_answers_the_same_for_bytes_and_floats_and_as_the_rebuilt_one(trained, recwarn):
    model, rebuilt = keras.saving.load_model(trained.model_file), training.rebuild(trained)
    pictures = np.asarray(training.pixels_of(trained)[:5])
    assert np.array_equal(model(pictures), model(pictures.astype("float32")))
    assert np.array_equal(model(pictures), rebuilt(pictures))
    assert not model.compiled
    assert not [warning for warning in recwarn if warning.category is UserWarning]


def test_the_report_holds_what_it_promises(trained):
    value = json.loads(trained.report_file.read_text())
    assert {"test_accuracy", "per_class", "confusion", "n_test"} <= set(value)
    scores = report.load(trained.report_file)
    assert scores.n_test == len(trained.split().test) == sum(map(sum, scores.confusion))
    right = sum(scores.confusion[i][i] for i in range(len(scores.class_names)))
    assert scores.test_accuracy == pytest.approx(right / scores.n_test)


def test_what_was_settled_is_written_down_with_its_reasons(trained):
    settled = json.loads(trained.resolved_file.read_text())
    assert settled["class_weights"] is False and settled["seed"] == 0
    assert trained.recipe().epochs == 6
    assert json.loads(trained.recipe_file.read_text())["class_weights"] is None


@pytest.fixture(scope="module")
def twice(drawn_dataset, tmp_path_factory):
    """Two finished runs of the same recipe: random views, random drops, a head of two layers."""
    from tlcore.images import split

    recipe = Recipe(backbone="mobilenet_025", weights="random", image_size=32, epochs=2, frozen_stages="all",
                    augment="strong", hidden_units=4, dropout=0.5, batch_size=8)  # fmt: skip
    drawn = split.draw(drawn_dataset, recipe.validation_share, recipe.test_share, recipe.seed)
    made = [runs.create(tmp_path_factory.mktemp("twice") / "run", recipe, drawn_dataset, drawn) for _ in range(2)]
    for run in made:
        training.train(run)
    return made


def test_the_same_seed_gives_the_same_curve(twice):
    first, second = (
        [(event.loss, event.val_loss) for event in events.of_type(run.events.all(), events.EpochEnd)] for run in twice
    )
    assert first == second and len(first) == 2


def test_a_head_of_two_layers_has_no_first_answer(twice):
    assert events.last(twice[0].events.all(), events.FirstAnswer) is None


def test_a_sigmoid_head_for_two_classes_trains_and_is_examined(new_run):
    run = new_run(epochs=1, activation="sigmoid", hidden_units=4, pooling="flatten", class_weights=True)
    training.train(run)
    assert keras.saving.load_model(run.model_file).output_shape == (None, 1)
    assert report.load(run.report_file).n_test == len(run.split().test)


@pytest.mark.parametrize(
    ("asked", "phases"),
    [
        (Recipe(epochs=10, frozen_stages="all"), [("head", 5, 10)]),
        (Recipe(epochs=10, frozen_stages=4), [("head", 5, 3), ("fine-tuning", 4, 10)]),
        (Recipe(epochs=10, frozen_stages="none"), [("head", 5, 3), ("fine-tuning", 0, 10)]),
        (Recipe(epochs=1, frozen_stages=4), [("fine-tuning", 4, 1)]),
        (Recipe(epochs=10, frozen_stages="none", weights="random"), [("fine-tuning", 0, 10)]),
    ],
)
def test_the_plan_gives_the_head_its_time_before_stages_open(asked, phases):
    assert [(p.name, p.frozen_stages, p.last_epoch) for p in phase.plan(asked, 5)] == phases


def test_a_package_that_cannot_be_made_does_not_cost_the_finished_training(new_run, tmp_path):
    import shutil

    from tlcore.images import pixels

    run = new_run(epochs=1, resize="stretch")
    dataset = run.dataset()
    moved = shutil.copytree(dataset.root, tmp_path / "copy")
    runs.datasets.save(dataset.__class__(moved, dataset.class_names, dataset.pictures), run.dataset_file)
    pixels.pixels(run.dataset(), 32, "stretch")  # kept, so that training itself never misses the files
    shutil.rmtree(moved)
    run.exports.mkdir()
    (run.exports / "keras.zip").write_bytes(b"of an earlier end, with other weights than this one's report is about")
    training.train(run)
    assert runs.state(run) == "finished" and run.model_file.is_file() and run.report_file.is_file()
    assert not (run.exports / "keras.zip").exists()
    assert "is no longer there" in events.last(run.events.all(), events.NotPacked).message


def test_the_first_answer_is_there_before_any_epoch_and_is_kept_until_an_epoch_is_better(new_run):
    run = new_run(epochs=2, head_lr=10.0, optimizer="sgd", augment="none")  # so fast that no epoch comes near it
    training.train(run)
    history, losses = run.events.all(), losses_of(run)
    kinds = [type(event) for event in history]
    assert kinds.index(events.FirstAnswer) < kinds.index(events.BatchEnd)
    assert losses[0] < min(losses[1], losses[2])
    assert events.last(history, events.Finished).kept_epoch == 0
    assert not any(event.is_best for event in events.of_type(history, events.EpochEnd))
    assert loss_of_model(run) == pytest.approx(losses[0], rel=1e-2)


def test_a_head_that_starts_fitted_begins_where_the_first_answer_is(new_run, tmp_path):
    for start in ("random", "fitted"):
        run = new_run(epochs=1, head_lr=1e-8, head_start=start, dropout=0.0, augment="none")
        training.train(run)
        losses = losses_of(run)
        assert (losses[1] == pytest.approx(losses[0], rel=1e-4)) == (start == "fitted")
        run.folder.rename(tmp_path / start)

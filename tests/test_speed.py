"""The benchmark of speed on a few drawn pictures: what it rests on is proven, its timings are printed only."""

import numpy as np
import pytest

from benchmarks import speed
from tlcore import cache
from tlcore.runs import events
from tlcore.runs.run import Run
from tlcore.training import boundary, training

WORK = speed.Work("last stage open", "mobilenet_025", "4", size=32, epochs=2)


@pytest.fixture(scope="module")
def measured(drawn_dataset, tmp_path_factory):
    """Seconds of the three ways, Thaw's two runs, and the features that were kept: those of most pictures first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THAW_HOME", str(tmp_path_factory.mktemp("home")))
        place = tmp_path_factory.mktemp("speed")
        speed.lay_out(place, drawn_dataset)
        seconds = speed.thaw(place, WORK) | speed.guide(place, WORK) | speed.limit(place, WORK)
        kept = sorted(cache.folder("features").glob("*.npy"), key=lambda file: -file.stat().st_size)
        yield seconds, [Run(folder) for folder in sorted(place.glob("run *"))][:2], kept


def test_all_three_ways_train_and_what_they_took_is_printed(measured):
    seconds, _, _ = measured
    print({name: f"{value:.2f} s" for name, value in seconds.items()})
    assert set(seconds) == {"guide", "thaw", "thaw again", "limit", "building"}


def passes(run: Run) -> list[int]:
    """Return how many pictures passed the frozen stages, each time that they did."""
    progress = events.of_type(run.events.all(), events.Progress)
    return [event.total for event in progress if event.task == "Running the frozen stages"]


def test_the_frozen_pass_happens_once(measured):
    _, (first, second), kept = measured
    assert sorted(passes(first)) == sorted(map(len, (first.split().train, first.split().validation)))
    assert events.last(second.events.all(), events.Trained) and passes(second) == []
    assert len(kept) == 2  # of the training and of the check pictures


def test_kept_features_answer_what_the_whole_network_answers(measured):
    _, (_, second), kept = measured
    rows = sorted(second.split().train)
    parts = training.rebuilt(second)
    features = np.load(kept[0])
    assert len(features) == len(rows)
    found = boundary.cut(parts, 4).learning(features.astype("float32")).numpy()
    whole = parts.model(training.pixels_of(second)[rows]).numpy()
    assert np.abs(found - whole).max() < 2e-3

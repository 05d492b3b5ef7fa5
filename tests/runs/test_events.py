"""The event stream: what is written is what is read, whatever happened to the file in between."""

import json

import pytest

from tlcore.runs import events
from tlcore.runs.events import Event, EventLog

EXAMPLES = [
    events.Queued(),
    events.Started("CPU", "A processor", {"keras": "3.15.1"}),
    events.Note("Backbone vgg16: a reason with “quotes” and 日本語."),
    events.Progress("Reading pictures", 3, 10),
    events.PhaseStarted("head", 1, 6, 40, 1_282, 2_259_266),
    events.BatchEnd(1, 7, 0.69, 0.5, 120.5),
    events.EpochEnd(1, "head", 0.6, 0.7, 0.5, 0.8, 1e-3, 2.5, True),
    events.FirstAnswer(0.9, 0.6),
    events.Trained(1),
    events.NotPacked("An exam picture is gone."),
    events.Stopped(None),
    events.Interrupted(4, "A problem.", "An advice.", "Traceback ..."),
    events.Failed("A problem.", "An advice.", "Traceback ..."),
    events.Finished(0.875, 40, 1),
    events.Paused(2),
    events.Resumed(),
    events.WentOn(1, 3),
]


def test_after_a_run_was_resumed_its_earlier_ends_count_no_longer_but_what_it_learned_does(tmp_path):
    log = events.EventLog(tmp_path / "events.jsonl")
    learned = events.BatchEnd(1, 1, 0.5, 0.5, 10.0)
    for event in (events.Queued(), events.Started("CPU", "a"), learned, events.Paused(1), events.Resumed()):
        log.write(event)
    kinds = [type(event) for event in log.all()]
    assert kinds == [events.Queued, events.BatchEnd, events.Resumed]
    log.write(events.Started("CPU", "a"))
    assert events.last(log.all(), events.Started)


def test_a_training_that_goes_on_after_all_is_not_over():
    history = [events.Queued(), events.Started("CPU", "a"), events.Trained(3), events.Resumed(), events.WentOn(0, 0)]
    assert events.last(events.in_force(history[:4]), events.Trained)
    assert events.last(events.in_force(history), events.Trained) is None


def test_what_happened_since_a_run_was_handed_over_last_begins_with_that():
    note = events.Note("a")
    assert events.since_handed_over([note]) == [note]
    handed = [events.Queued(), note, events.Resumed(), events.Note("b")]
    assert events.since_handed_over(handed) == handed[2:]


def test_every_kind_of_event_comes_back_as_it_was_written(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    for event in EXAMPLES:
        log.write(event)
    assert log.read()[0] == EXAMPLES


def test_the_examples_cover_every_kind_of_event():
    assert {type(event) for event in EXAMPLES} == set(Event.__subclasses__())


def test_the_event_that_ends_an_epoch_carries_keras_own_keys(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.write(EXAMPLES[6])
    line = json.loads(log.file.read_text())
    assert line["type"] == "epoch_end"
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(line)


def test_a_last_line_without_its_end_is_ignored_and_read_once_it_is_whole(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.write(events.Queued())
    whole = log.file.read_bytes()
    log.write(events.Note("later"))
    later = log.file.read_bytes()
    log.file.write_bytes(later[:-5])
    first, offset = log.read()
    assert [type(event) for event in first] == [events.Queued]
    assert offset == len(whole)
    log.file.write_bytes(later)
    assert [event.message for event in log.read(offset)[0]] == ["later"]


def test_an_event_after_a_half_written_line_starts_on_a_line_of_its_own(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.write(events.Queued())
    with log.file.open("ab") as stream:
        stream.write(b'{"type": "note", "mess')
    log.write(events.Stopped(3))
    assert [type(event) for event in log.all()] == [events.Queued, events.Stopped]


@pytest.mark.parametrize(
    "line", ['{"type": "from_the_future", "x": 1}', '{"type": "note"}', "[1, 2]", "not json", "{}"]
)
def test_a_line_that_is_not_known_is_skipped(tmp_path, line):
    log = EventLog(tmp_path / "events.jsonl")
    log.file.write_text(line + "\n")
    log.write(events.Trained(2))
    assert [type(event) for event in log.all()] == [events.Trained]


def test_fields_of_a_newer_thaw_are_left_out(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.file.write_text('{"type": "trained", "time": 1.0, "kept_epoch": 4, "colour": "blue"}\n')
    assert log.all() == [events.Trained(4, time=1.0)]


def test_thousands_of_steps_can_be_left_out_before_they_are_parsed(tmp_path):
    log = events.EventLog(tmp_path / "events.jsonl")
    told = [events.Queued(), events.BatchEnd(1, 1, 1.0, 0.5, 9.0), events.Note("batch_end"), events.Progress("a", 1, 2)]
    for event in told:
        log.write(event)
    assert log.read(without=(events.BatchEnd, events.Progress))[0] == [told[0], told[2]]
    assert log.read()[0] == told

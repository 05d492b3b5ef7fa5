"""A distillation from the first round to the last, in one folder, going on where it was. Imports Keras.

In the folder: ``plan.json`` (all settings), ``targets.npz``, ``bank/`` (views and answers of the current round),
``state.npz`` (everything the next round needs), ``rounds.csv`` (a line for each finished round). A session that is
ended loses at most the round it was in.
"""

import csv
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from distillation import plan as plans
from distillation import student, views
from distillation.averaging import Averaging
from distillation.bank import Bank, Targets
from distillation.lessons import Lessons
from distillation.plan import Plan
from distillation.teacher import Teacher
from tlcore import atomic

COLUMNS = ("round", "picture_size", "views_seen", "seconds", "loss", "middle", "final", "pooled", "scores")


class Distillation:
    """One distillation.

    Args:
        folder: Where everything is kept; created, or gone on with.
        plan: Settings of a new one; None goes on with those of the folder.

    Raises:
        ValueError: See ``plan.of_folder``.
    """

    def __init__(self, folder: Path, plan: Plan | None) -> None:
        self.folder = folder
        self.plan = plans.of_folder(folder, plan)
        atomic.write_json(folder / plans.FILE, plans.as_dict(self.plan))
        self._bank = Bank(folder / "bank")

    @property
    def rounds_done(self) -> int:
        """Number of finished rounds."""
        if not self._state.is_file():
            return 0
        with np.load(self._state, allow_pickle=False) as arrays:
            return int(arrays[student.ROUNDS_DONE])

    def run(self, teacher: Teacher, files: Sequence[Path]) -> None:
        """Do all rounds that are left."""
        for number in range(self.rounds_done, len(self.plan.sizes)):
            began = time.monotonic()
            self._fill(number, teacher, files)
            losses = self._learn(number)
            self._note(number, time.monotonic() - began, losses)

    def averages(self) -> dict[str, np.ndarray]:
        """Return the averaged weights of the backbone after the last finished round, by path."""
        return student.averages_in(self._state)

    @property
    def _state(self) -> Path:
        return self.folder / "state.npz"

    def _fill(self, number: int, teacher: Teacher, files: Sequence[Path]) -> None:
        """Bring the bank to what a round needs."""
        needed = self.plan.shards_of(number)
        self._bank.keep_only(needed)
        for shard in needed:
            if not self._bank.has(shard):
                seen = views.shard(files, self.plan, shard)
                self._bank.add(shard, seen, teacher.answer(seen))

    def _targets(self) -> Targets:
        """Return the scales of the teacher's answers, measured once, on the first shard."""
        file = self.folder / "targets.npz"
        if not file.is_file():
            measured = self._bank.targets(0)
            with atomic.replacing(file) as beside:
                np.savez(beside, **dataclasses.asdict(measured))
        with np.load(file, allow_pickle=False) as arrays:
            return Targets(**{name: arrays[name] for name in arrays.files})

    def _learn(self, number: int) -> dict[str, float]:
        """Do one round, keep its state, return its losses."""
        targets = self._targets()
        keras.backend.clear_session()
        model = student.build(self.plan, targets, self.plan.sizes[number])
        averages = student.load(model, self._state) if number else {}
        averaging = Averaging(averages, self.plan.averaging, self.plan.averaging_every)
        with self._bank.open(self.plan.shards_of(number)) as opened:
            lessons = Lessons(opened, targets, self.plan, number)
            history = model.fit(lessons, epochs=1, shuffle=False, verbose=0, callbacks=[averaging])
        student.save(model, averaging.averages, number + 1, self._state)
        return {name: values[-1] for name, values in history.history.items()}

    def _note(self, number: int, seconds: float, losses: dict[str, float]) -> None:
        """Add the line of a round."""
        seen = (number + 1) * self.plan.steps_per_round * self.plan.batch_size
        named = [losses["loss"], *(losses[f"{name}_loss"] for name in COLUMNS[5:])]
        line = [number, self.plan.sizes[number], seen, round(seconds), *(f"{value:.4f}" for value in named)]
        lines = [*self._lines(), dict(zip(COLUMNS, map(str, line), strict=True))]
        with atomic.replacing(self.folder / "rounds.csv") as beside, beside.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(lines)
        print(" ".join(f"{name}={value}" for name, value in lines[-1].items()), flush=True)

    def _lines(self) -> list[dict[str, str]]:
        file = self.folder / "rounds.csv"
        if not file.is_file():
            return []
        with file.open(newline="") as lines:
            return list(csv.DictReader(lines))

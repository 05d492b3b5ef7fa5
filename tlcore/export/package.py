"""The zip a stranger can use: model, program, pins, plain words, examples, and proof that it answers the same.

``python predict.py --selftest`` in the unzipped folder repeats the proof on the stranger's machine.
"""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tlcore import atomic
from tlcore.errors import ExportError
from tlcore.export import formats, metadata, parity, script
from tlcore.images.dataset import Picture
from tlcore.results import prediction
from tlcore.results.prediction import Answer
from tlcore.runs.run import Run

if TYPE_CHECKING:
    import keras

# Enough that a wrong scaling or a swapped channel cannot hide, few enough to take seconds.
PARITY_PICTURES = 64

# The same content gives the same bytes: neither the clock nor the disk is written into the zip.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(
    run: Run,
    out: Path,
    *,
    file_format: str = "keras",
    model: "keras.Model | None" = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the package of a finished run and return its path; at no time is half a zip at ``out``.

    Before it is handed over the written file is opened again and its answers on exam pictures are compared with
    those of the run's own model; the result is ``parity.json`` in the zip.

    Args:
        run: A run with model and report.
        out: Where the zip goes; replaced if it exists.
        file_format: One of ``formats.FORMATS``.
        model: The run's own model where ``prediction.load`` has opened it already.
        progress: Called with steps done and steps in all (3: answers, zip, proof).

    Raises:
        ExportError: There is no such format, the run has no finished model, its exam pictures are gone, or the
            written file answers differently.
    """
    chosen_format, described = formats.get(file_format), metadata.of_run(run)
    say = progress or (lambda _done, _total: None)
    own, n_examples = _own_answers(run, model)
    say(1, 3)
    example_files, expected = script.examples(own[:n_examples])
    texts = script.texts(described) | {"examples/expected.json": expected}
    with atomic.replacing(out, durable=True) as beside:
        _write_zip(beside, chosen_format.files(run) | example_files, texts)
        say(2, 3)
        proof = parity.check(beside, chosen_format, described["resize"], own, run.exports)
        with zipfile.ZipFile(beside, "a") as archive:
            _add_text(archive, "parity.json", script.as_json(asdict(proof)))
    say(3, 3)
    return out


def _own_answers(run: Run, model: "keras.Model | None") -> tuple[list[Answer], int]:
    """Return what the run's own model says about exam pictures, examples first, and the number of examples."""
    root, candidates = run.dataset().root, _exam_pictures(run)
    missing = [picture for picture in candidates if not (root / picture.file).is_file()]
    if missing:
        raise _pictures_gone(f"{root / missing[0].file} is no longer there.")
    example_pictures = script.choose_examples(root, candidates)
    others = [picture for picture in candidates if picture not in example_pictures]
    wanted = example_pictures + _spread(others, PARITY_PICTURES - len(example_pictures))
    files = [root / picture.file for picture in wanted]
    answers = prediction.answers(model or prediction.load(run.model_file), files, run.recipe().resize)
    for answer in answers:
        if answer.problem:
            raise _pictures_gone(f"{answer.file} {answer.problem}.")
    return answers, len(example_pictures)


def _exam_pictures(run: Run) -> list[Picture]:
    """Return the pictures to prove the model with: those of the exam, or where there is none those for checking."""
    dataset, split = run.dataset(), run.split()
    return [dataset.pictures[row] for row in split.test or split.validation or split.train]


def _spread(pictures: Sequence[Picture], count: int) -> list[Picture]:
    """Return up to ``count`` pictures, evenly spread over all of them (they are sorted by class)."""
    if len(pictures) <= count:
        return list(pictures)
    return [pictures[i * len(pictures) // count] for i in range(count)]


def _pictures_gone(problem: str) -> ExportError:
    """Return the error of a run whose exam pictures changed since its training."""
    return ExportError(
        f"{problem} The exam pictures are needed to prove that the written file answers correctly.",
        "Put the pictures back where they were during the training, and try again.",
    )


def _write_zip(path: Path, files: dict[str, Path], texts: dict[str, bytes]) -> None:
    """Write a zip whose bytes depend on nothing but names and content.

    The model and pictures are stored as they are: they are compressed already, or nearly incompressible numbers.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in sorted(texts.items()):
            _add_text(archive, name, content)
        for name, file in sorted(files.items()):
            entry = _entry(name, zipfile.ZIP_STORED)
            entry.file_size = file.stat().st_size
            with file.open("rb") as source, archive.open(entry, "w") as target:
                while block := source.read(1 << 20):
                    target.write(block)


def _add_text(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add one small file, compressed."""
    archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), content)


def _entry(name: str, compression: int) -> zipfile.ZipInfo:
    """Return the head of one file in the zip: readable by everybody, made on "Unix" wherever it is made."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = compression
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry

"""What a person answered to findings: leave out, keep, move. Both ends of ``answers.json``. No TensorFlow here.

Answers change nothing on disk: applied to the looked-over dataset they give the one that is trained on. A picture is
named by its content, so answers survive a second look-over; among several copies the one with the same file counts.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import filelock

from tlcore import atomic
from tlcore.errors import DatasetError
from tlcore.images import health
from tlcore.images.dataset import Dataset, Picture
from tlcore.images.finding import Finding
from tlcore.project import Project

Verdict = Literal["leave out", "keep", "move"]


@dataclass(frozen=True)
class Named:
    """A picture as an answer names it: content, file and the class in which it was found."""

    content: str
    file: str
    class_name: str


@dataclass(frozen=True)
class Answer:
    """One answer to one finding.

    Args:
        kind: ``Finding.kind``.
        verdict: "leave out" of training, check and exam; "keep" says that the finding is no matter; "move".
        pictures: The pictures concerned; none means the finding as a whole, which can only be kept.
        class_name: Where to; only with "move".
    """

    kind: str
    verdict: Verdict
    pictures: tuple[Named, ...] = ()
    class_name: str = ""


def file_of(project: Project) -> Path:
    """Return the file of a project's answers."""
    return project.folder / "answers.json"


def load(file: Path) -> tuple[Answer, ...]:
    """Return all answers, the oldest first."""
    if not file.is_file():
        return ()
    return tuple(
        Answer(**entry | {"pictures": tuple(Named(**named) for named in entry["pictures"])})
        for entry in atomic.read_json(file)
    )


def about(dataset: Dataset, kind: str, verdict: Verdict, files: Iterable[str], class_name: str = "") -> Answer:
    """Return an answer about some files of a looked-over dataset, to which no answers were applied."""
    by_file = {picture.file: picture for picture in dataset.pictures}
    named = (Named(by_file[file].content, file, dataset.class_names[by_file[file].label]) for file in files)
    return Answer(kind, verdict, tuple(named), class_name)


def give(project: Project, dataset: Dataset, answer: Answer) -> None:
    """Add an answer.

    Args:
        project: Whose answers.
        dataset: Its looked-over pictures, to which no answers were applied.
        answer: The new one.

    Raises:
        DatasetError: It would leave fewer than two classes.
    """
    file = file_of(project)
    with filelock.FileLock(file.with_suffix(".lock")):
        given = (*load(file), answer)
        left = applied(dataset, given).class_names
        if answer.verdict != "keep" and len(left) < 2:
            raise DatasetError(
                f"That would leave {'only “' + left[0] + '”' if left else 'no class'}, and a classifier needs two.",
                "Keep some pictures of each class.",
            )
        _save(given, file)


def take_back(project: Project, number: int, answer: Answer) -> None:
    """Undo the answer at a place in the list, if it is still the one that stands there."""
    file = file_of(project)
    with filelock.FileLock(file.with_suffix(".lock")):
        given = load(file)
        if number < len(given) and given[number] == answer:
            _save(given[:number] + given[number + 1 :], file)


def applied(dataset: Dataset, answers: Iterable[Answer]) -> Dataset:
    """Return the pictures that are trained on: without those left out, with those moved in their new class."""
    labels = {name: label for label, name in enumerate(dataset.class_names)}
    now: dict[int, int] = {row: picture.label for row, picture in enumerate(dataset.pictures)}
    rows_of = _Finder(dataset)
    for answer in answers:
        for row in rows_of.find(answer.pictures):
            if answer.verdict == "leave out":
                now.pop(row, None)
            elif answer.verdict == "move" and answer.class_name in labels and row in now:
                now[row] = labels[answer.class_name]
    used = sorted(set(now.values()))
    new_label = {old: new for new, old in enumerate(used)}
    pictures = tuple(replace(dataset.pictures[row], label=new_label[label]) for row, label in sorted(now.items()))
    return replace(dataset, class_names=tuple(dataset.class_names[old] for old in used), pictures=pictures)


def standing(dataset: Dataset, found: Iterable[Finding], answers: tuple[Answer, ...]) -> tuple[Finding, ...]:
    """Return the findings that still stand after the answers, the gravest first.

    What counting tells is counted anew without the pictures that someone wants to keep; what took seconds is taken from
    ``found``, as it was when the pictures were looked over.
    """
    rest = applied(dataset, answers)
    dismissed = {answer.kind for answer in answers if answer.verdict == "keep" and not answer.pictures}
    kept: dict[str, set[str]] = {}
    finder = _Finder(dataset)
    for answer in answers:
        if answer.verdict == "keep" and answer.pictures:
            files = {dataset.pictures[row].file for row in finder.find(answer.pictures)}
            kept.setdefault(answer.kind, set()).update(files)
    still = [finding for finding in health.counted_findings(rest) if finding.kind not in kept]
    for kind, files in kept.items():
        others = replace(rest, pictures=tuple(p for p in rest.pictures if p.file not in files))
        still += [finding for finding in health.counted_findings(others) if finding.kind == kind]
    still += [finding for finding in found if finding.kind in health.SLOW]
    return health.ranked(finding for finding in still if finding.kind not in dismissed)


class _Finder:
    """Finds the rows that answers name: content first, then the same file, else the same name in the same class."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.by_content: dict[str, list[int]] = {}
        for row, picture in enumerate(dataset.pictures):
            self.by_content.setdefault(picture.content, []).append(row)

    def find(self, pictures: Iterable[Named]) -> list[int]:
        """Return a row for each picture that is there."""
        found: list[int] = []
        for named in pictures:
            rows = [row for row in self.by_content.get(named.content, []) if row not in found]
            if rows:
                best = max(rows, key=lambda row: self._fit(named, self.dataset.pictures[row]))
                if self._fit(named, self.dataset.pictures[best])[1] or len(self.by_content[named.content]) == 1:
                    found.append(best)
        return found

    def _fit(self, named: Named, picture: Picture) -> tuple[bool, bool, bool]:
        in_class = self.dataset.class_names[picture.label] == named.class_name
        same_name = picture.file.rpartition("/")[2] == named.file.rpartition("/")[2]
        return picture.file == named.file, in_class, same_name


def _save(answers: tuple[Answer, ...], file: Path) -> None:
    atomic.write_json(file, [asdict(answer) for answer in answers], durable=True)

"""What a person should know about a dataset before training on it. No TensorFlow here.

A ``Dataset`` comes in, findings come out; a finding is there only when it is raised. Kinds so far:

    unreadable  files that could not be opened        conflict    the same picture in two classes
    empty       class folders without any picture     leak        the same picture for training and for the exam
    few         classes with very few pictures        imbalance   one class is much larger than another
    duplicate   the same picture more than once           parts       classes that look like parts of a split
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic
from tlcore.images.dataset import Dataset, Picture

FEW = 10
"""Fewer different pictures in a class give poor results: after the split not even 7 are left to learn from."""
IMBALANCE = 5.0
"""Largest class divided by the smallest one, from which on the smallest is easily overlooked in training."""
_NAMED = 5  # classes or files named in a message; all files are in ``Finding.files``


@dataclass(frozen=True)
class Finding:
    """One thing found in the whole dataset.

    Args:
        kind: One word, see the head of this file.
        message: What we found, what it means, what to do.
        files: The files concerned, below the dataset's root; equal pictures stand next to each other.
    """

    kind: str
    message: str
    files: tuple[str, ...] = ()


def findings(dataset: Dataset) -> tuple[Finding, ...]:
    """Return everything worth saying about a dataset, the gravest first; nothing for a healthy one."""
    checks: tuple[Callable[[Dataset], Finding | None], ...] = (
        _unreadable,
        _parts,
        _empty,
        _few,
        _conflict,
        _leak,
        _imbalance,
        _duplicate,
    )
    found = (check(dataset) for check in checks)
    return tuple(finding for finding in found if finding is not None)


def save(found: tuple[Finding, ...], file: Path) -> None:
    """Write findings as JSON."""
    atomic.write_json(file, [asdict(finding) for finding in found])


def load(file: Path) -> tuple[Finding, ...]:
    """Read findings that ``save`` wrote."""
    return tuple(Finding(entry["kind"], entry["message"], tuple(entry["files"])) for entry in atomic.read_json(file))


def _unreadable(dataset: Dataset) -> Finding | None:
    entries = [entry for entry in dataset.set_aside if entry.kind in ("unreadable", "unpacked")]
    if not entries:
        return None
    total = len(dataset.pictures) + len(entries)
    examples = ", ".join(f"{entry.file} ({entry.reason})" for entry in entries[:3])
    more = ", …" if len(entries) > 3 else ""
    message = (
        f"{len(entries)} of {total} files could not be opened: {examples}{more}. They are left out. You can go on, or "
        "replace them and bring the pictures in again."
    )
    return Finding("unreadable", message, tuple(entry.file for entry in entries))


def _empty(dataset: Dataset) -> Finding | None:
    folders = tuple(entry.file for entry in dataset.set_aside if entry.kind == "empty")
    if not folders:
        return None
    message = (
        f"No picture that can be used lies in {_listed(folders)}, so the model will not know this class. Put pictures "
        "in and bring them in again, or go on without."
    )
    return Finding("empty", message, folders)


def _parts(dataset: Dataset) -> Finding | None:
    """Two "classes" with the same folders inside are most likely two parts, and the true classes lie inside."""
    inside: dict[str, set[str]] = {name: set() for name in dataset.class_names}
    for picture in dataset.pictures:
        class_name, folders = dataset.class_names[picture.label], picture.file.split("/")[:-1]
        below = folders[folders.index(class_name) + 1 :] if class_name in folders else []
        inside[class_name].update(below[:1])
    alike = [name for name, names in inside.items() if len(names) > 1 and list(inside.values()).count(names) > 1]
    if not alike:
        return None
    message = (
        f"{_listed([f'“{name}”' for name in alike])} have the same folders inside ("
        f"{', '.join(sorted(inside[alike[0]])[:_NAMED])}): they look like parts of a data set, not like classes, and "
        "the model would learn which part a picture is from. Name the parts train, validation and test."
    )
    return Finding("parts", message)


def _few(dataset: Dataset) -> Finding | None:
    contents: dict[int, set[str]] = {}
    for picture in dataset.pictures:
        contents.setdefault(picture.label, set()).add(picture.content)
    small = {label: len(different) for label, different in contents.items() if len(different) < FEW}
    if not small:
        return None
    counts = [f"“{dataset.class_names[label]}” has {_counted(small[label])}" for label in sorted(small)]
    message = (
        f"{_listed(counts)}. With fewer than {FEW} different pictures in a class the results will be poor: add at "
        f"least {FEW - min(small.values())} more, better 50."
    )
    return Finding("few", message, tuple(p.file for p in dataset.pictures if p.label in small))


def _imbalance(dataset: Dataset) -> Finding | None:
    counts = dataset.counts()
    if not counts:
        return None
    largest, smallest = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    ratio = counts[largest] / counts[smallest]
    if ratio < IMBALANCE:
        return None
    message = (
        f"“{largest}” has {counts[largest]} pictures, “{smallest}” only {counts[smallest]}: {ratio:.0f} times fewer. "
        "Pictures of small classes can be made to count more in training; more pictures of them are better."
    )
    return Finding("imbalance", message)


def _duplicate(dataset: Dataset) -> Finding | None:
    groups = _equal_pictures(dataset)
    if not groups:
        return None
    spare = sum(len(group) - 1 for group in groups)
    message = (
        f"{_lying(len(groups))} in the data set more than once ({spare} spare, equal to the last byte). Copies "
        "always stand on the same side of the split, so they do not flatter the score; removing them loses nothing."
    )
    return Finding("duplicate", message, _files(groups))


def _conflict(dataset: Dataset) -> Finding | None:
    groups = [group for group in _equal_pictures(dataset) if len({picture.label for picture in group}) > 1]
    if not groups:
        return None
    names = _listed([f"“{dataset.class_names[label]}”" for label in sorted({p.label for p in groups[0]})], " and ")
    message = (
        f"{_lying(len(groups))} in two or more classes at once, the first one in {names}. The model cannot learn "
        "what such a picture shows: remove it from the wrong class."
    )
    return Finding("conflict", message, _files(groups))


def _leak(dataset: Dataset) -> Finding | None:
    groups = [group for group in _equal_pictures(dataset) if len({picture.part or "train" for picture in group}) > 1]
    if not groups:
        return None
    message = (
        f"{_lying(len(groups))} in more than one of the folders for training, check and exam. Learning from such "
        "a picture would flatter the score, so it is left out: of training first, then of the check pictures."
    )
    return Finding("leak", message, _files(groups))


def _equal_pictures(dataset: Dataset) -> list[list[Picture]]:
    """Return the groups of two or more pictures with equal bytes."""
    groups: dict[str, list[Picture]] = {}
    for picture in dataset.pictures:
        groups.setdefault(picture.content, []).append(picture)
    return [group for group in groups.values() if len(group) > 1]


def _files(groups: list[list[Picture]]) -> tuple[str, ...]:
    return tuple(picture.file for group in groups for picture in group)


def _counted(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def _lying(count: int) -> str:
    return f"{_counted(count)} {'lies' if count == 1 else 'lie'}"


def _listed(names: list[str] | tuple[str, ...], last: str = ", ") -> str:
    """Return names for a sentence, the first few of many."""
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return last.join(names)

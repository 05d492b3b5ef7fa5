"""What a person should know about a dataset before training on it. No TensorFlow here.

A ``Dataset`` comes in, findings come out; a finding is there only when it is raised. Kinds so far:

    unreadable     files that could not be opened        near_conflict  pictures that look the same in two classes
    empty          class folders without any picture     leak           the same look for training and for the exam
    few            classes with very few pictures        tiny           fewer than 32 pixels
    imbalance      one class is much larger              dark, bright   hardly anything can be seen
    parts          classes that look like parts          blurry         nothing on it is sharp
    duplicate      the same picture more than once       mixed_colour   grey pictures in one class, colour in others
    near_copy      pictures that look the same           shortcut       the class can be told from the file's outside
    conflict       the same picture in two classes       border         the class can be told from the rim
    hash_only      cropped copies could not be looked for

``shortcut`` and ``border`` need the pixels and take seconds, ``hash_only`` is known while pictures are looked over; the
others are counting and take no time.
"""

from collections.abc import Callable, Iterable

import numpy as np

from tlcore.images import copies, quality, shortcut
from tlcore.images.dataset import Dataset
from tlcore.images.finding import NAMED, Finding, counted, listed

FEW = 10
"""Fewer different pictures in a class give poor results: after the split not even 7 are left to learn from."""
EXAM_SHARE = 0.15
"""Share of exam pictures that training draws unless told otherwise."""
IMBALANCE = 5.0
"""Largest class divided by the smallest one, from which on the smallest is easily overlooked in training."""

SLOW = ("shortcut", "border", "hash_only")
"""Kinds that ``counted_findings`` does not look for."""
_GRAVITY = (
    *("unreadable", "parts", "empty", "few", "shortcut", "conflict", "leak", "near_conflict", "imbalance"),
    *("tiny", "dark", "bright", "blurry", "mixed_colour", "duplicate", "near_copy", "border", "hash_only"),
)


def findings(dataset: Dataset, tiles: np.ndarray, hash_only: str = "") -> tuple[Finding, ...]:
    """Return everything worth saying about a dataset, the gravest first; nothing for a healthy one.

    Args:
        dataset: Looked-over pictures.
        tiles: (N, S, S, 3) uint8, as in ``Inspection``.
        hash_only: As in ``Inspection``.
    """
    by_hash = (_hash_only(hash_only),) if hash_only else ()
    return ranked((*counted_findings(dataset), *shortcut.findings(dataset, tiles), *by_hash))


def counted_findings(dataset: Dataset) -> tuple[Finding, ...]:
    """Return what counting tells: all kinds but ``SLOW``, the gravest first."""
    checks: tuple[Callable[[Dataset], Finding | None], ...] = (_unreadable, _parts, _empty, _few, _imbalance)
    found = (check(dataset) for check in (*checks, *copies.CHECKS, *quality.CHECKS))
    return ranked(finding for finding in found if finding is not None)


def ranked(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the gravest first."""
    return tuple(sorted(found, key=lambda finding: _GRAVITY.index(finding.kind)))


def _hash_only(reason: str) -> Finding:
    message = (
        f"The pictures were compared by their perceptual hashes only, because {reason}, so copies of which more than "
        "5 % is cut off a side, or that stand in a frame, may stay unnoticed."
    )
    return Finding("hash_only", message)


def _unreadable(dataset: Dataset) -> Finding | None:
    entries = [entry for entry in dataset.set_aside if entry.kind in ("unreadable", "unpacked")]
    if not entries:
        return None
    total = len(dataset.pictures) + len(entries)
    examples = ", ".join(f"{entry.file} ({entry.reason})" for entry in entries[:3])
    more = ", …" if len(entries) > 3 else ""
    left_out = (
        "It is left out. You can go on, or replace it"
        if len(entries) == 1
        else ("They are left out. You can go on, or replace them")
    )
    message = (
        f"{len(entries)} of {total} files could not be opened: {examples}{more}. {left_out} and bring the pictures in "
        "again."
    )
    return Finding("unreadable", message, tuple(entry.file for entry in entries))


def _empty(dataset: Dataset) -> Finding | None:
    folders = tuple(entry.file for entry in dataset.set_aside if entry.kind == "empty")
    if not folders:
        return None
    message = (
        f"No picture that can be used lies in {listed(folders)}, so the model will not know this class. Put pictures "
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
        f"{listed([f'“{name}”' for name in alike])} have the same folders inside ("
        f"{', '.join(sorted(inside[alike[0]])[:NAMED])}): they look like parts of a data set, not like classes, and "
        "the model would learn which part a picture is from. Name the parts train, validation and test."
    )
    return Finding("parts", message)


def _few(dataset: Dataset) -> Finding | None:
    different: dict[int, set[str]] = {}
    for picture in dataset.pictures:
        different.setdefault(picture.label, set()).add(picture.kin)
    small = {label: len(kin) for label, kin in different.items() if len(kin) < FEW}
    if not small:
        return None
    counts = [f"“{dataset.class_names[label]}” has {counted(small[label])}" for label in sorted(small)]
    exam = max(1, round(EXAM_SHARE * min(small.values())))
    expected = "can only be 0 % or 100 %" if exam == 1 else f"moves in steps of {100 / exam:.0f} %"
    message = (
        f"{listed(counts)}. With fewer than {FEW} different pictures in a class the results will be poor, and hardly "
        f"measured: with {exam} in the exam, the share of right answers {expected}. Add at least "
        f"{FEW - min(small.values())} more, better 50."
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

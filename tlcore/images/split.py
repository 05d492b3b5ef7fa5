"""Training, check and exam pictures. No TensorFlow here."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic
from tlcore.errors import DatasetError
from tlcore.images.dataset import Dataset


@dataclass(frozen=True)
class Split:
    """Row numbers into ``Dataset.pictures``; the parts do not overlap and each is sorted.

    Args:
        train: Training pictures.
        validation: Check pictures, looked at after every epoch.
        test: Exam pictures, looked at once after training.
        left_out: Training pictures that look like one in a given ``validation/`` or ``test/``, and check pictures that
            look like one in a given ``test/``: learning from them would flatter the score.
        seed: Seed of the draw.
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    left_out: tuple[int, ...] = ()
    seed: int = 0


def save(split: Split, file: Path) -> None:
    """Write a split as JSON."""
    atomic.write_json(file, asdict(split), durable=True)


def load(file: Path) -> Split:
    """Read a split that ``save`` wrote."""
    value = atomic.read_json(file)
    parts = {name: tuple(value[name]) for name in ("train", "validation", "test", "left_out")}
    return Split(**parts, seed=value["seed"])


def keep(dataset: Dataset, split: Split, file: Path) -> None:
    """Write down who stands where, by content, so that it stays so when pictures are added, or go and come back."""
    rows = {part: getattr(split, part) for part in ("train", "validation", "test")}
    parts = {dataset.pictures[row].content: part for part, numbers in rows.items() for row in numbers}
    before = kept(file)
    if before != before | parts:
        atomic.write_json(file, before | parts)


def kept(file: Path) -> dict[str, str]:
    """Return the part of each content that ``keep`` wrote; nothing if it never did."""
    return atomic.read_json(file) if file.is_file() else {}


def draw(
    dataset: Dataset, validation_share: float, test_share: float, seed: int, before: Mapping[str, str] | None = None
) -> Split:
    """Divide the pictures into training, check and exam pictures.

    Parts that the folder gives (``test/``, ``validation/``) stay as they are; a missing part is drawn from the other
    pictures, class by class. Pictures that look the same always stand on one side. Who stands where is decided by a
    hash of the seed and of the picture's content: the same on every computer, whatever the files are called.

    Args:
        dataset: Looked-over pictures.
        validation_share: Share of the pictures of a class for checking, 0 to 1; at least one picture.
        test_share: Share of the pictures of a class for the exam, 0 to 1; at least one picture.
        seed: Another seed, another draw.
        before: Where pictures stood before, by content: who was drawn for the exam or for checking stays there, and
            what is missing is drawn from new pictures first.

    Raises:
        DatasetError: A class has too few different pictures; names it and the number needed.
    """
    rows: dict[str, list[int]] = {part: [] for part in ("", "train", "validation", "test")}
    for row, picture in enumerate(dataset.pictures):
        rows[picture.part].append(row)
    test, validation, pool = rows["test"], rows["validation"], sorted(rows[""] + rows["train"])
    validation, seen_in_exam = _apart(dataset, validation, test)
    pool, seen_elsewhere = _apart(dataset, pool, test + validation)
    shares = {
        "test": 0.0 if rows["test"] else test_share,
        "validation": 0.0 if rows["validation"] else validation_share,
    }
    drawn = _drawn(dataset, pool, shares, seed, before or {})
    split = Split(
        train=tuple(sorted(drawn["train"])),
        validation=tuple(sorted(validation + drawn["validation"])),
        test=tuple(sorted(test + drawn["test"])),
        left_out=tuple(sorted(seen_in_exam + seen_elsewhere)),
        seed=seed,
    )
    _check(dataset, split, [part for part, share in shares.items() if share])
    return split


def _apart(dataset: Dataset, rows: list[int], others: list[int]) -> tuple[list[int], list[int]]:
    """Return the rows that look like none of ``others``, and those that do."""
    there = {dataset.pictures[row].kin for row in others}
    apart = [row for row in rows if dataset.pictures[row].kin not in there]
    return apart, [row for row in rows if dataset.pictures[row].kin in there]


def _drawn(
    dataset: Dataset, pool: list[int], shares: dict[str, float], seed: int, before: Mapping[str, str]
) -> dict[str, list[int]]:
    """Draw the parts with a share above 0 from the pool, class by class; the rest is for training."""
    by_kin: dict[str, list[int]] = {}
    for row in pool:
        by_kin.setdefault(dataset.pictures[row].kin, []).append(row)
    by_label: dict[int, list[_Kin]] = {}
    for name, rows in by_kin.items():
        stood = {before.get(dataset.pictures[row].content, "") for row in rows}
        stays = next((part for part in ("test", "validation", "train") if part in stood), "")
        kin = _Kin(rows, stays if stays == "train" or shares.get(stays) else "", _rank(seed, name))
        by_label.setdefault(dataset.pictures[rows[0]].label, []).append(kin)
    drawn: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for groups in by_label.values():
        for part, kin in _dealt(sorted(groups, key=lambda kin: (kin.stays == "train", kin.rank)), shares):
            drawn[part].extend(kin.rows)
    return drawn


@dataclass(frozen=True)
class _Kin:
    """Rows of pictures that look the same, the part they stood in before ("" for none), and their place in the draw."""

    rows: list[int]
    stays: str
    rank: str


def _rank(seed: int, content: str) -> str:
    """Return where a picture stands in the draw. A hash instead of a generator: no library can change its order."""
    return hashlib.sha256(f"{seed}:{content}".encode()).hexdigest()


def _dealt(groups: list[_Kin], shares: dict[str, float]) -> list[tuple[str, _Kin]]:
    """Give each group of pictures of one class to a part: first what the exam needs, then the check pictures.

    A group is given only where it fits, so that a picture that is there many times does not fill the exam. A part
    that is still empty in the end gets the smallest group.
    """
    total = sum(len(kin.rows) for kin in groups)
    wanted = {part: max(1, round(share * total)) for part, share in shares.items() if share}
    while sum(wanted.values()) >= total and max(wanted.values()) > 1:
        largest = max(wanted, key=lambda part: wanted[part])
        wanted[largest] -= 1  # a training picture has to remain
    dealt = [(kin.stays, kin) for kin in groups if kin.stays in wanted]
    left = [kin for kin in groups if kin.stays not in wanted]
    for part, room in wanted.items():
        there = [kin for stays, kin in dealt if stays == part]
        mine, left = _fill(left, room - sum(len(kin.rows) for kin in there), at_least_one=not there)
        dealt += [(part, kin) for kin in mine]
    return dealt + [("train", kin) for kin in left]


def _fill(groups: list[_Kin], room: int, at_least_one: bool) -> tuple[list[_Kin], list[_Kin]]:
    """Return the first groups that fit into ``room`` pictures, if need be the smallest one, and the other groups."""
    mine, others = [], []
    for kin in groups:
        if len(kin.rows) <= room:
            mine.append(kin)
            room -= len(kin.rows)
        else:
            others.append(kin)
    if at_least_one and not mine and others:
        mine.append(others.pop(min(range(len(others)), key=lambda place: len(others[place].rows))))
    return mine, others


def _check(dataset: Dataset, split: Split, drawn_parts: list[str]) -> None:
    """Raise ``DatasetError`` for the first class that has no training picture, or none in a part that was drawn."""
    parts = {"train": split.train, **{part: getattr(split, part) for part in drawn_parts}}
    labels = {part: {dataset.pictures[row].label for row in rows} for part, rows in parts.items()}
    for label, name in enumerate(dataset.class_names):
        if all(label in present for present in labels.values()):
            continue
        usable = {p.kin for p in dataset.pictures if p.label == label and p.part in ("", "train")}
        needed = [_NEEDED[part] for part in ("train", "validation", "test") if part in parts]
        found = "only 1 picture" if len(usable) == 1 else f"{len(usable)} different pictures"
        why = ""
        if len({p.content for p in dataset.pictures if p.label == label}) > len(usable):
            why = " Pictures that look the same count as one."
        if len(usable) >= len(needed):
            why += " Pictures that also lie in another class, or among given check or exam pictures, do not count."
        raise DatasetError(
            f"“{name}” has {found} to draw from, but at least {len(needed)} are needed: {', '.join(needed)}.{why}",
            f"Add pictures of “{name}” (10 or more give a usable result), or leave this class out.",
        )


_NEEDED = {"train": "one for training", "validation": "one check picture", "test": "one exam picture"}

"""What was understood from folders or a table, to be shown before the pictures are opened. No TensorFlow here.

Where it can be read in one way only, the look over the pictures goes straight on. Otherwise there are questions:

    one_class   all pictures are in one class                 a second class has to come
    no_class    pictures, but neither folders nor a table     a name for them, or other files, have to come
    inner       the class folders hold folders that may be    the outer ones are classes, or the inner ones
                the classes: north/cats, south/cats
    case        Cats and cats                                 one class, or two
    outside     pictures lie beside the class folders         they stay out, or other files have to come
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tlcore import atomic
from tlcore.images import layout
from tlcore.images.dataset import Part
from tlcore.images.layout import Layout

PICTURES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif"),
        *(".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"),
    }
)
"""Endings of files that their owner takes for pictures, whether Thaw can read them or not."""
PARTS: tuple[Part, ...] = ("train", "validation", "test", "")


@dataclass(frozen=True)
class Row:
    """One class.

    Args:
        class_name: Its name.
        folder: One folder of it below the root; of several parts the first.
        files: Number of files in it by part, "" for those that no part was given to. Files, not pictures: none of them
            was opened yet.
    """

    class_name: str
    folder: str
    files: dict[str, int]


@dataclass(frozen=True)
class Question:
    """Something that only the owner of the pictures can say.

    Args:
        kind: As in the head of this file.
        names: What it is about: classes, inner folders, or files; a few of them.
        count: How many of them there are.
    """

    kind: str
    names: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Mapping:
    """What was understood.

    Args:
        rows: The classes, in natural order.
        table: The table of labels that they come from; empty if they come from folders.
        left_out: Number of files that have no place in it.
        questions: What has to be said before the pictures can be used; empty if it can be read in one way only.
    """

    rows: tuple[Row, ...]
    table: str = ""
    left_out: int = 0
    questions: tuple[Question, ...] = ()

    @property
    def can_go_on(self) -> bool:
        """Return whether the pictures can be used as they are, once it is said how."""
        return not {"one_class", "no_class"} & {question.kind for question in self.questions}


def of(found: Layout) -> Mapping:
    """Return what was understood from a layout."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for placed in found.placed:
        counts[placed.class_name][placed.part] += 1
    rows = tuple(
        Row(name, found.class_folders.get(name, ""), {part: counts[name][part] for part in PARTS if counts[name][part]})
        for name in sorted(counts, key=layout.natural_order)
    )
    return Mapping(rows, found.table, len(found.set_aside), _questions(found, rows))


def save(mapping: Mapping, file: Path) -> None:
    """Write a mapping as JSON."""
    atomic.write_json(file, asdict(mapping))


def load(file: Path) -> Mapping | None:
    """Read a mapping that ``save`` wrote; None if there is none."""
    if not file.is_file():
        return None
    value = atomic.read_json(file)
    rows = tuple(Row(**row) for row in value["rows"])
    asked = tuple(Question(each["kind"], tuple(each["names"]), each["count"]) for each in value["questions"])
    return Mapping(rows, value["table"], value["left_out"], asked)


def _questions(found: Layout, rows: tuple[Row, ...]) -> tuple[Question, ...]:
    """Return what has to be asked."""
    outside = [entry.file for entry in found.set_aside if entry.reason == layout.OUTSIDE and _is_picture(entry.file)]
    if not rows:
        return (_question("no_class", outside),) if outside else ()
    if len(rows) == 1:
        return (_question("one_class", [rows[0].class_name]),)
    spelled: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        spelled[row.class_name.casefold()].append(row.class_name)
    doubtful = [name for names in spelled.values() if len(names) > 1 for name in names]
    asked = (("inner", _inner(found)), ("case", doubtful if not found.table else []), ("outside", outside))
    return tuple(_question(kind, names) for kind, names in asked if names)


def _inner(found: Layout) -> list[str]:
    """Return the folders inside class folders that may be the classes themselves, or nothing.

    In doubt are class folders that hold no picture themselves but several folders with pictures, if there are two such
    class folders; a single folder inside (``cats/2024``) is nobody's class.
    """
    if found.table:
        return []
    depth = len(next(iter(found.class_folders.values()), "").split("/"))
    inside: dict[str, set[str]] = defaultdict(set)
    for placed in found.placed:
        if _is_picture(placed.file):
            parts = placed.file.split("/")
            inside[placed.class_name].add(parts[depth] if len(parts) > depth + 1 else "")
    divided = [names for names in inside.values() if len(names) > 1 and "" not in names]
    return sorted(set().union(*divided), key=layout.natural_order) if len(divided) > 1 else []


def _is_picture(file: str) -> bool:
    return Path(file).suffix.lower() in PICTURES


def _question(kind: str, names: Iterable[str]) -> Question:
    listed = list(names)
    return Question(kind, tuple(listed[:5]), len(listed))

"""A labelled set of pictures, as a value. No TensorFlow here."""

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tlcore import atomic

Part = Literal["", "train", "validation", "test"]
SetAsideKind = Literal["unreadable", "misplaced", "empty", "unpacked"]


@dataclass(frozen=True)
class Picture:
    """One usable picture.

    Args:
        file: Path below the dataset's root, with forward slashes.
        label: Index into ``Dataset.class_names``.
        content: SHA-256 of the file's bytes, in hex. Equal content means the same picture.
        width: Pixels after EXIF rotation.
        height: Pixels after EXIF rotation.
        part: The part that the folder itself assigned (``train/``, ``validation/``, ``test/``), or "" for none.
        frames: Number of frames; above 1 only the first is used.
        stored: How the file keeps it: format and colour mode, "JPEG RGB".
        size_bytes: Bytes of the file.
        look: Perceptual hash in hex, or "" for a picture of nearly one colour.
        group: The same for all pictures that look the same (near-copies, shots of one thing moments apart); "" if no
            other one does. Equal bytes alone need no group.
        remarks: What stands out, of "dark", "bright", "blurry", "grey".
        taken: When the photo was taken by the camera's own clock, ISO 8601, "2024-05-17T09:30:01.250"; "" if the file
            does not say it.
        camera: Maker and model of the camera, or "".
    """

    file: str
    label: int
    content: str
    width: int
    height: int
    part: Part = ""
    frames: int = 1
    stored: str = ""
    size_bytes: int = 0
    look: str = ""
    group: str = ""
    remarks: tuple[str, ...] = ()
    taken: str = ""
    camera: str = ""

    @property
    def kin(self) -> str:
        """Return what this picture shares with all that show the same, and with no other."""
        return self.group or self.content


@dataclass(frozen=True)
class SetAside:
    """A file that cannot be used, and why, in words for the user.

    Args:
        file: Path below the dataset's root; of a class folder or, with kind "unpacked", of an entry of a zip.
        reason: Goes on after the file's name: "is empty (0 bytes)".
        kind: "unreadable" could not be opened as a picture, "misplaced" lies where no class can be told, "empty" is a
            class folder without a usable picture, "unpacked" could not be taken out of its zip.
    """

    file: str
    reason: str
    kind: SetAsideKind = "unreadable"


@dataclass(frozen=True)
class Dataset:
    """Labelled pictures below one folder.

    Args:
        root: The folder below which every ``Picture.file`` lies.
        class_names: Folder names in natural sort order (2 before 10); a label is an index into it.
        pictures: Usable pictures, sorted by file; their order is the row order of every pixel array.
        set_aside: Files that cannot be used.
    """

    root: Path
    class_names: tuple[str, ...]
    pictures: tuple[Picture, ...]
    set_aside: tuple[SetAside, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Return a hex digest of what the pictures show and in which order, whatever their folder is called."""
        contents = "\n".join(picture.content for picture in self.pictures)
        return hashlib.sha256(contents.encode()).hexdigest()

    def counts(self) -> dict[str, int]:
        """Return the number of usable pictures of each class, in the order of ``class_names``."""
        by_label = Counter(picture.label for picture in self.pictures)
        return {name: by_label[label] for label, name in enumerate(self.class_names)}


def save(dataset: Dataset, file: Path) -> None:
    """Write a dataset as JSON."""
    atomic.write_json(file, asdict(dataset) | {"root": str(dataset.root)}, durable=True)


def load(file: Path) -> Dataset:
    """Read a dataset that ``save`` wrote."""
    value = atomic.read_json(file)
    return Dataset(
        root=Path(value["root"]),
        class_names=tuple(value["class_names"]),
        pictures=tuple(_picture(entry) for entry in value["pictures"]),
        set_aside=tuple(SetAside(**entry) for entry in value["set_aside"]),
    )


def _picture(value: dict[str, Any]) -> Picture:
    """Return a picture as it was before JSON made lists of its tuples."""
    return Picture(**value | {"remarks": tuple(value.get("remarks", ()))})

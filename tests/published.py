"""The public sets as tiny archives of the same shape, on a server of this computer."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse

import drawing
import offering
import pytest

from tlcore import download
from tlcore.samples import public

PER_FOLDER = 6
BESIDE = {  # what lies beside the photos
    "flower_photos": {"flower_photos/LICENSE.txt": b"All images in this archive are licensed ..."},
    "cats_and_dogs": {"cats_and_dogs_filtered/vectorize.py": b"import tensorflow as tf"},
    "cats_and_dogs_large": {
        "CDLA-Permissive-2.0.pdf": b"%PDF-1.7",
        "readme[1].txt": b"Kaggle Cats and Dogs",
        "PetImages/Cat/Thumbs.db": b"\xd0\xcf\x11\xe0",
        "PetImages/Cat/666.jpg": b"",
        "PetImages/Dog/11702.jpg": b"",
    },
}


def contents_of(chosen: public.PublicSet) -> dict[str, bytes]:
    """Return the files of an archive of the same shape."""
    contents = dict(BESIDE[chosen.name])
    for place, folder in enumerate(chosen.folders):
        for number in range(PER_FOLDER):
            made = io.BytesIO()
            drawing.scene(100 * place + number, (120, 90)).save(made, "JPEG")
            contents[f"{folder}/{number}.jpg"] = made.getvalue()
    return contents


def pack(file: Path, contents: dict[str, bytes]) -> None:
    """Write an archive of the kind that its name says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".tgz":
        with tarfile.open(file, "w:gz") as tar:
            for name, content in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    else:
        with zipfile.ZipFile(file, "w") as packed:
            for name, content in contents.items():
                packed.writestr(name, content)


def publish(server: offering.FileServer, name: str, contents: dict[str, bytes]) -> Path:
    """Put an archive where the server gives it in the place of the real one, and its size and hash into the table."""
    chosen = public.SETS[name]
    file = server.folder / urlparse(chosen.address).path.lstrip("/")
    pack(file, contents)
    is_hashed = bool(chosen.sha256)
    public.SETS[name] = replace(
        chosen,
        # The mirror stands for one server only; the set of the other one gets its own address here.
        address=chosen.address
        if chosen.address.startswith(download.ORIGIN)
        else f"{server.url}{urlparse(chosen.address).path}",
        size_bytes=file.stat().st_size,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest() if is_hashed else "",
    )
    return file


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[offering.FileServer]:
    """A mirror with the public sets, as tiny archives; the table knows their sizes and hashes for one test."""
    monkeypatch.setattr(public, "SETS", dict(public.SETS))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with offering.serving(tmp_path / "internet") as server:
        monkeypatch.setenv("THAW_WEIGHTS_URL", server.url)
        for name, chosen in list(public.SETS.items()):
            publish(server, name, contents_of(chosen))
        yield server

"""Public sets of pictures: which there are, and how one comes from the internet into a folder. No TensorFlow here.

An archive is fetched once for all projects, into ``cache/public``, and may be deleted there at any time. One that is
put there by hand under its name is taken. Before it is used its size and, where somebody has published one, its hash
are compared; and what came out of it has to have the folders that are known.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import filelock

from tlcore import download, workspace
from tlcore.download import Progress
from tlcore.errors import DiskFull, FetchError, UploadError, UserError
from tlcore.images import archive, disk
from tlcore.images.dataset import SetAside
from tlcore.images.intake_record import About
from tlcore.images.origin import Origin
from tlcore.samples import sample

_LOOK_EVERY_S = 0.5
_PHOTOS_TWICE = 2  # the archive and what comes out of it: photos hardly shrink


@dataclass(frozen=True)
class PublicSet:
    """One public set.

    Args:
        name: Lower case, for the command line and the page.
        sentence: What it shows, for people.
        class_names: As its folders are called, in alphabetical order.
        pictures: How many there are.
        address: Of the archive.
        size_bytes: Of the archive.
        sha256: Of the archive; empty where we know of nobody who has published it.
        folders: That the archive must hold, with forward slashes.
        origin: Who made it, and what they allow.
    """

    name: str
    sentence: str
    class_names: tuple[str, ...]
    pictures: int
    address: str
    size_bytes: int
    sha256: str
    folders: tuple[str, ...]
    origin: Origin

    @property
    def file(self) -> Path:
        """Return where the archive lies, or will lie, on this computer."""
        return workspace.cache_folder() / "public" / self.address.rsplit("/", 1)[1]


_FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
SETS: dict[str, PublicSet] = {
    public.name: public
    for public in (
        # Size and hash: tensorflow_datasets/url_checksums/tf_flowers.txt in github.com/tensorflow/datasets. The licence
        # is in the archive, in LICENSE.txt, with a line for each photo.
        PublicSet(
            name="flower_photos",
            sentence="Five kinds of flowers, in gardens and vases, near and far.",
            class_names=_FLOWERS,
            pictures=3670,
            address=f"{download.ORIGIN}/download.tensorflow.org/example_images/flower_photos.tgz",
            size_bytes=228_813_984,
            sha256="4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
            folders=tuple(f"flower_photos/{name}" for name in _FLOWERS),
            origin=Origin(
                title="Flower photos",
                made_by="many people on Flickr, collected by the TensorFlow team",
                licence="Creative Commons Attribution 2.0",
                licence_url="https://creativecommons.org/licenses/by/2.0/",
                allows="You may use, change and share them if you name the photographers: LICENSE.txt, among the "
                "files, lists them.",
            ),
        ),
        # Of https://www.tensorflow.org/tutorials/images/transfer_learning. Size: as its server reports it. We found no
        # hash; a zip keeps a sum of each file, and these are compared when it is unpacked.
        PublicSet(
            name="cats_and_dogs",
            sentence="The photos of Keras' and TensorFlow's lessons on transfer learning.",
            class_names=("cats", "dogs"),
            pictures=3000,
            address=f"{download.ORIGIN}/mledu-datasets/cats_and_dogs_filtered.zip",
            size_bytes=68_606_236,
            sha256="",
            folders=tuple(
                f"cats_and_dogs_filtered/{part}/{name}" for part in ("train", "validation") for name in ("cats", "dogs")
            ),
            origin=Origin(
                title="Cats and dogs",
                made_by="animal shelters, through Petfinder.com and Microsoft Research",
                licence="",
                licence_url="https://www.kaggle.com/c/dogs-vs-cats",
                allows="Use them to try things out, and ask before you do more. The large set has a clear licence.",
            ),
        ),
        # Size: as Microsoft's server reports it. Hash: the example dogsvscats of github.com/gomlx/gomlx. The licence is
        # in the archive, as CDLA-Permissive-2.0.pdf.
        PublicSet(
            name="cats_and_dogs_large",
            sentence="Many more cats and dogs. A few files cannot be opened; Thaw sets them aside.",
            class_names=("Cat", "Dog"),
            pictures=25_000,
            address="https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/"
            "kagglecatsanddogs_5340.zip",
            size_bytes=824_887_076,
            sha256="b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
            folders=("PetImages/Cat", "PetImages/Dog"),
            origin=Origin(
                title="Cats and dogs, large",
                made_by="animal shelters, through Petfinder.com and Microsoft Research",
                licence="Community Data License Agreement, Permissive 2.0",
                licence_url="https://cdla.dev/permissive-2-0/",
                allows="You may use, change and share them; whoever gets them from you has to get the licence too.",
            ),
        ),
    )
}


def get(name: str) -> PublicSet:
    """Return a public set by its name.

    Raises:
        UserError: There is none of this name.
    """
    if name in SETS:
        return SETS[name]
    raise UserError(f"There is no public set named “{name}”.", f"Choose one of: {', '.join(SETS)}.")


def write(chosen: PublicSet, folder: Path, about: About) -> tuple[SetAside, ...]:
    """Fetch a public set, unless it is on this computer, and unpack it into a new folder.

    Args:
        chosen: Which.
        folder: Where its files go, with the folders that the archive has; nothing may be in it.
        about: Told how far it has come: fetching in MB (10**6 bytes), unpacking in files.

    Returns:
        Files that could not be unpacked, with the reason.

    Raises:
        FetchError: It cannot be had, or is not what it should be. What has come stays, as far as it can be used.
        DiskFull: There is no room for it.
        UserError: The folder is there already and not empty.
    """
    sample.refuse_taken(folder)
    with disk.explained():
        if folder.is_dir():
            folder.rmdir()
        file = fetch(chosen, about)
        try:
            set_aside = archive.unpack(file, folder, about("Unpacking"))
        except DiskFull:
            raise
        except UploadError as error:
            file.unlink()
            raise _different(chosen, "it cannot be unpacked") from error
        missing = [name for name in chosen.folders if not (folder / name).is_dir()]
        if missing:
            shutil.rmtree(folder)
            file.unlink()
            raise _different(chosen, f"it holds no folder {missing[0]}")
    return set_aside


def fetch(chosen: PublicSet, about: About) -> Path:
    """Return the archive of a public set, fetched first where it is not on this computer.

    Raises:
        FetchError: As in ``write``.
        DiskFull: There is no room for the archive and what comes out of it.
        OSError: The disk refuses it otherwise.
    """
    file = chosen.file
    part = file.with_name(f"{file.name}.part")
    file.parent.mkdir(parents=True, exist_ok=True)
    in_megabytes = about(f"Fetching {chosen.origin.title.lower()}", "MB")

    def tell(done: int, total: int) -> None:
        in_megabytes(round(done / 1e6), round(total / 1e6))

    with _alone(chosen, part, tell):
        if file.is_file() and not _what_is_wrong(file, chosen):
            return file
        file.unlink(missing_ok=True)
        _refuse_without_room(chosen, part)
        try:
            download.receive(download.mirrored(chosen.address), part, tell, chosen.size_bytes)
        except download.Unreachable as error:
            raise FetchError(
                f"{chosen.origin.title} could not be fetched from {_server(chosen)}: {error}.",
                "Check the internet connection of the computer on which Thaw runs, and try again: it goes on where it "
                "was. Without internet, take a set that Thaw draws itself.",
                f"{download.mirrored(chosen.address)}: {error.__cause__!r}",
            ) from error
        except download.Unexpected as error:
            part.unlink(missing_ok=True)
            raise _different(chosen, str(error)) from error
        found = _what_is_wrong(part, chosen)
        if found:
            part.unlink()
            raise _different(chosen, found)
        part.replace(file)
    return file


@contextlib.contextmanager
def _alone(chosen: PublicSet, part: Path, tell: Progress) -> Iterator[None]:
    """Keep others from the archive while the block runs; as long as another one fetches it, tell how far that is."""
    lock = filelock.FileLock(chosen.file.with_name(f"{chosen.file.name}.lock"))
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOOK_EVERY_S)
        except filelock.Timeout:
            tell(_here(part), chosen.size_bytes)
    try:
        yield
    finally:
        lock.release()


def _here(part: Path) -> int:
    """Return how many bytes of an archive have come."""
    return part.stat().st_size if part.is_file() else 0


def _what_is_wrong(file: Path, chosen: PublicSet) -> str:
    """Return what is wrong with an archive in a half sentence, or ""."""
    size_bytes = file.stat().st_size
    if size_bytes != chosen.size_bytes:
        return f"it has {size_bytes:,} bytes instead of {chosen.size_bytes:,}"
    return download.difference(file, chosen.sha256) if chosen.sha256 else ""


def _refuse_without_room(chosen: PublicSet, part: Path) -> None:
    needed, free = _PHOTOS_TWICE * chosen.size_bytes - _here(part), shutil.disk_usage(part.parent).free
    if needed > free:
        raise DiskFull(
            f"{chosen.origin.title} need {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free on the disk.",
            "Free some space and try again.",
        )


def _server(chosen: PublicSet) -> str:
    """Return the name of the server that is asked."""
    return urlsplit(download.mirrored(chosen.address)).netloc


def _different(chosen: PublicSet, what: str) -> FetchError:
    """Return the error for an archive that is not the one that is known."""
    return FetchError(
        f"{_server(chosen)} gave something else than {chosen.origin.title.lower()}: {what}. It was not kept.",
        "Try again later, or check whether something in this network answers in its place, for example a page on which "
        "one has to log in.",
        download.mirrored(chosen.address),
    )

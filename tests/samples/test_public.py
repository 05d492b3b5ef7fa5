"""Public sets: fetched once, compared with what is known of them, unpacked in the shape they have."""

import re
import socket
from dataclasses import replace
from pathlib import Path

import filelock
import offering
import published as publishing
import pytest

from tlcore.errors import DiskFull, FetchError, UserError
from tlcore.images import inspection
from tlcore.samples import public, sample


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Told:
    """What was told of the progress: (task, unit, done, total)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, int, int]] = []

    def __call__(self, task: str, unit: str = ""):
        return lambda done, total: self.lines.append((task, unit, done, total))


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "counts", "parts", "aside"),
    [
        (
            "flower_photos",
            {"daisy": 6, "dandelion": 6, "roses": 6, "sunflowers": 6, "tulips": 6},
            {""},
            {"flower_photos/LICENSE.txt": "misplaced"},
        ),
        (
            "cats_and_dogs",
            {"cats": 12, "dogs": 12},
            {"train", "validation"},
            {"cats_and_dogs_filtered/vectorize.py": "misplaced"},
        ),
        (
            "cats_and_dogs_large",
            {"Cat": 6, "Dog": 6},
            {""},
            {
                "CDLA-Permissive-2.0.pdf": "misplaced",
                "readme[1].txt": "misplaced",
                "PetImages/Cat/666.jpg": "unreadable",
                "PetImages/Dog/11702.jpg": "unreadable",
            },
        ),
    ],
)
def test_each_set_comes_out_with_its_classes_and_parts(published, tmp_path, name, counts, parts, aside):
    chosen = public.get(name)
    assert public.write(chosen, tmp_path / "out", Told()) == ()
    dataset = inspection.inspect(tmp_path / "out").dataset
    assert dataset.counts() == counts
    assert tuple(counts) == chosen.class_names
    assert {picture.part for picture in dataset.pictures} == parts
    assert {entry.file: entry.kind for entry in dataset.set_aside} == aside


def test_progress_is_told_in_megabytes_and_then_in_files(published, tmp_path):
    contents = publishing.contents_of(public.get("cats_and_dogs_large"))
    publishing.publish(published, "cats_and_dogs_large", contents | {"PetImages/noise.bin": bytes(3_000_000)})
    told = Told()
    public.write(public.get("cats_and_dogs_large"), tmp_path / "out", told)
    fetching = [line for line in told.lines if line[0] == "Fetching cats and dogs, large"]
    assert fetching[-1] == ("Fetching cats and dogs, large", "MB", 3, 3)
    assert told.lines[-1][:2] == ("Unpacking", "")


def test_an_archive_is_fetched_once_for_all_projects(published, tmp_path):
    chosen = public.get("flower_photos")
    public.write(chosen, tmp_path / "one", Told())
    public.write(chosen, tmp_path / "two", Told())
    assert len(published.asked) == 1
    assert files_below(tmp_path / "one") == files_below(tmp_path / "two")
    chosen.file.unlink()  # it is a cache
    public.write(chosen, tmp_path / "three", Told())
    assert len(published.asked) == 2


def test_an_archive_put_there_by_hand_is_taken(published, tmp_path):
    chosen = public.get("flower_photos")
    publishing.pack(chosen.file, publishing.contents_of(chosen))
    given = replace(chosen, size_bytes=chosen.file.stat().st_size, sha256="")
    public.write(given, tmp_path / "out", Told())
    assert published.asked == []


def test_a_damaged_archive_in_the_cache_is_fetched_anew(published, tmp_path):
    chosen = public.get("flower_photos")
    public.write(chosen, tmp_path / "one", Told())
    content = bytearray(chosen.file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    chosen.file.write_bytes(content)
    public.write(chosen, tmp_path / "two", Told())
    assert len(published.asked) == 2
    assert files_below(tmp_path / "one") == files_below(tmp_path / "two")


def test_after_a_broken_connection_the_next_try_goes_on_where_it_was(published, tmp_path):
    chosen = public.get("flower_photos")
    published.cuts = 3
    with pytest.raises(FetchError, match="the connection broke off") as caught:
        public.write(chosen, tmp_path / "out", Told())
    assert "try again: it goes on where it was" in caught.value.advice
    assert not (tmp_path / "out").exists()
    public.write(chosen, tmp_path / "out", Told())
    assert published.ranges[3].startswith("bytes=")
    assert [path.name for path in chosen.file.parent.glob("*.part")] == []


def test_who_waits_for_another_project_sees_how_far_that_one_is(published, tmp_path):
    chosen = replace(public.get("flower_photos"), size_bytes=9_000_000)
    chosen.file.parent.mkdir(parents=True)
    chosen.file.with_name("flower_photos.tgz.part").write_bytes(bytes(4_000_000))

    class Enough(Exception):
        pass

    def about(task: str, unit: str = ""):
        def tell(done: int, total: int) -> None:
            assert (task, unit, done, total) == ("Fetching flower photos", "MB", 4, 9)
            raise Enough  # as a wish to stop does

        return tell

    with (
        filelock.FileLock(chosen.file.with_name("flower_photos.tgz.lock"), is_singleton=False),
        pytest.raises(Enough),
    ):
        public.write(chosen, tmp_path / "out", about)
    assert published.asked == []


def test_without_internet_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("THAW_WEIGHTS_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(FetchError, match="there is no connection") as caught:
        public.write(public.get("flower_photos"), tmp_path / "out", Told())
    assert "take a set that Thaw draws itself" in caught.value.advice


def test_another_size_than_the_published_one_is_refused_before_it_comes(published, tmp_path, monkeypatch):
    chosen = replace(public.get("flower_photos"), size_bytes=228_813_984)
    with pytest.raises(FetchError, match=r"bytes instead of 228,813,984. It was not kept"):
        public.write(chosen, tmp_path / "out", Told())
    assert files_below(chosen.file.parent) in ([], ["flower_photos.tgz.lock"])


def test_another_hash_than_the_published_one_is_not_kept(published, tmp_path):
    chosen = replace(public.get("flower_photos"), sha256="0" * 64)
    with pytest.raises(FetchError, match="its SHA256 is"):
        public.write(chosen, tmp_path / "out", Told())
    assert not chosen.file.exists() and not (tmp_path / "out").exists()
    assert not list(chosen.file.parent.glob("*.part"))


def test_without_a_hash_a_damaged_archive_is_found_while_it_is_unpacked_and_fetched_anew(published, tmp_path):
    chosen = public.get("cats_and_dogs")
    file = next(published.folder.rglob("cats_and_dogs_filtered.zip"))
    whole = file.read_bytes()
    damaged = bytearray(whole)
    damaged[len(damaged) // 3] ^= 0xFF
    file.write_bytes(damaged)
    with pytest.raises(FetchError, match="it cannot be unpacked"):
        public.write(chosen, tmp_path / "out", Told())
    file.write_bytes(whole)
    public.write(chosen, tmp_path / "out", Told())
    assert len(published.asked) == 2


def test_an_archive_with_other_folders_is_not_kept(published: offering.FileServer, tmp_path: Path):
    publishing.publish(published, "cats_and_dogs", {"elsewhere/cats/1.jpg": b"x"})
    chosen = public.get("cats_and_dogs")
    with pytest.raises(FetchError, match="it holds no folder cats_and_dogs_filtered/train/cats"):
        public.write(chosen, tmp_path / "out", Told())
    assert not (tmp_path / "out").exists() and not chosen.file.exists()


def test_without_room_nothing_is_fetched(published, small_disk, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(small_disk))
    chosen = replace(public.get("flower_photos"), size_bytes=2_000_000)
    with pytest.raises(DiskFull, match="Flower photos need 4 MB"):
        public.write(chosen, small_disk / "out", Told())
    assert published.asked == []


def test_nothing_is_ever_written_over(published, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        public.write(public.get("flower_photos"), tmp_path, Told())
    assert published.asked == []


def test_an_unknown_set_is_refused_with_the_names_there_are():
    with pytest.raises(UserError, match="flower_photos"):
        public.get("dinosaurs")


def test_the_table_says_of_each_set_whom_it_comes_from_and_what_is_allowed():
    assert not set(public.SETS) & set(sample.SAMPLES), "one name, one set"
    for chosen in public.SETS.values():
        assert chosen.address.startswith("https://") and chosen.origin.licence_url.startswith("https://")
        assert chosen.origin.made_by and chosen.origin.allows.endswith(".")
        assert re.fullmatch(r"([0-9a-f]{64})?", chosen.sha256)
        assert chosen.class_names == tuple(sorted(chosen.class_names))
        assert {folder.rsplit("/", 1)[1] for folder in chosen.folders} == set(chosen.class_names)

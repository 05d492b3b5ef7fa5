"""Archives in tests: what came out of one, and that a refused one has written nothing."""

from pathlib import Path

import pytest

from tlcore.errors import UploadError
from tlcore.images import archive


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def assert_refused(tmp_path: Path, file: Path, words: str) -> None:
    before = files_in(tmp_path)
    with pytest.raises(UploadError, match=words):
        archive.unpack(file, tmp_path / "deep" / "out")
    assert files_in(tmp_path) == before, "something was written"
    assert not list((tmp_path / "deep").glob(".*")), "a temporary folder stayed behind"

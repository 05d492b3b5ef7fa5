"""Damaged pictures and archives by chance: a short run; ``python -m benchmarks.damaged`` throws thousands."""

import secrets
from pathlib import Path

import damage
import pytest
from hypothesis import HealthCheck, given, settings

QUIET = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("inside") / "deep" / "deeper"
    place.mkdir(parents=True)
    return place


@settings(max_examples=150, **QUIET)
@given(damage.pictures())
def test_a_damaged_picture_is_read_or_refused_with_a_reason(place: Path, content: bytes) -> None:
    damage.look_at(content, place.parent.parent)


@settings(max_examples=70, **QUIET)
@given(damage.zips() | damage.tars())
def test_a_damaged_archive_is_taken_or_refused_and_nothing_lies_beside_its_folder(place: Path, content: bytes) -> None:
    place.mkdir(parents=True, exist_ok=True)
    damage.bring_in(content, place / secrets.token_hex(8))
    assert [path.name for path in place.parent.iterdir()] == ["deeper"]
    assert {path.name for path in place.parent.parent.iterdir()} <= {"deep", "sent"}


@pytest.mark.parametrize("name", damage.FORMATS)
def test_without_damage_every_format_is_read(name: str, tmp_path: Path) -> None:
    assert damage.look_at(damage.whole(name, 0), tmp_path)

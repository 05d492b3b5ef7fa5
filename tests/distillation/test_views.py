import numpy as np
import pytest
from PIL import Image

from distillation import drawn, views
from distillation.plan import Plan

PLAN = Plan((64,), shard_views=32, batch_size=8)


@pytest.fixture
def files(tmp_path):
    """Pictures of different sizes, formats and colours, some in folders; and what is none."""
    draws = np.random.default_rng(0)
    for number, (side, mode, suffix) in enumerate([(40, "RGB", "png"), (300, "L", "jpg"), (128, "RGBA", "webp")]):
        folder = tmp_path / f"folder {number}"
        folder.mkdir()
        Image.fromarray(draws.integers(0, 256, (side, 2 * side, 3), "uint8")).convert(mode).save(
            folder / f"{number}.{suffix}"
        )
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_text("no picture")
    return views.pictures_below([tmp_path])


def test_pictures_are_found_below_folders_and_nothing_else(files):
    assert [file.name for file in files] == ["0.png", "1.jpg", "2.webp"]


def test_a_folder_without_pictures_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"must have pictures below it\. Received: "):
        views.pictures_below([tmp_path])


def test_views_are_the_same_for_the_same_seed_and_place_and_differ_otherwise(files):
    one = views.shard(files, PLAN, 3)

    assert one.shape == (32, 128, 128, 3) and one.dtype == np.uint8
    assert np.array_equal(one, views.shard(files, PLAN, 3))
    assert np.array_equal(one[5], views.view(files, PLAN, 3, 5))
    assert not np.array_equal(one, views.shard(files, PLAN, 4))
    assert len({view.tobytes() for view in one}) == 32


def test_a_mixture_holds_something_of_both():
    black, white = np.zeros((128, 128, 3), "uint8"), np.full((128, 128, 3), 255, "uint8")
    for seed in range(20):
        mixed = views.mixed(black, white, np.random.default_rng(seed))
        assert 0.08 * 255 < mixed.mean() < 0.76 * 255


@pytest.mark.parametrize("seed", range(12))
def test_drawn_pictures_show_something_and_are_repeatable(seed):
    one, again = (drawn.picture(np.random.default_rng(seed), 96) for _ in range(2))

    assert one.shape == (96, 96, 3) and one.dtype == np.uint8
    assert np.array_equal(one, again)
    assert len(np.unique(one.reshape(-1, 3), axis=0)) > 5

import itertools

import pytest

from tlcore.backbones import generate, stage_table, table
from tlcore.errors import RecipeError

pytestmark = pytest.mark.usefixtures("garbage_of_others_stays")
ROWS = list(table.BACKBONES.values())
# One of every family, small; the other rows: python -m tlcore.backbones.generate --check
MEASURED = (
    "thawnet",
    "mobilenet_v2_035",
    "mobilenet_v3_small_075",
    "mobilenet_025",
    "efficientnet_v2_b0",
    "efficientnet_b0",
    "resnet50_v2",
    "resnet50",
    "densenet121",
    "convnext_tiny",
    "inception_v3",
    "xception",
    "vgg16",
)


@pytest.mark.parametrize("name", MEASURED)
def test_the_table_tells_what_the_real_network_is_like(name):
    assert generate.measure(name) == stage_table.anatomy(name)


def test_the_table_has_every_backbone_and_no_other():
    assert list(stage_table.read()) == list(table.BACKBONES)


def test_what_is_written_is_what_is_read(tmp_path):
    rows = {name: stage_table.anatomy(name) for name in ("vgg16", "mobilenet_025")}
    stage_table.write(rows, tmp_path / "stages.json")

    assert stage_table.read(tmp_path / "stages.json") == rows
    assert stage_table.to_text(stage_table.read()) == stage_table.STAGES_FILE.read_text(encoding="utf-8")


def test_the_table_stays_small_enough_for_a_page():
    assert stage_table.STAGES_FILE.stat().st_size < 500_000


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_stages_hold_every_weight_and_shrink_towards_the_end(row):
    parts = stage_table.stages(row.name)

    assert len(parts) == row.stage_count
    assert sum(stage.parameters for stage in parts) == row.parameters
    assert [stage.starts_at for stage in parts[1:]] == list(row.stage_starts)
    sides = [stage.shape[0] for stage in parts]
    assert sides == sorted(sides, reverse=True)
    assert all(stage.parameters for stage in parts)
    assert all(stage.title == f"Stage {number}" for number, stage in enumerate(parts, start=1))


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_every_stage_ends_at_a_cut_and_what_crosses_is_at_most_six_times_the_picture(row):
    cuts = {cut.index: cut for cut in stage_table.cuts(row.name)}
    parts = stage_table.stages(row.name)
    before = 0
    for stage, following in itertools.pairwise(parts):
        before += stage.parameters
        cut = cuts[following.first_index - 1]
        height, width, channels = cut.shape
        assert (cut.shape, cut.parameters_before) == (stage.shape, before)
        assert height * width * channels <= 6 * row.default_size**2 * 3


def test_cuts_are_ordered_and_never_named_automatically():
    for name in table.BACKBONES:
        cuts = stage_table.cuts(name)
        assert [cut.index for cut in cuts] == sorted({cut.index for cut in cuts})
        assert not [cut.layer for cut in cuts if cut.layer.startswith(("re_lu", "activation", "add", "conv2d"))]


def test_the_learning_share_of_mobilenet_is_the_one_measured_in_training():
    # Counted after setting every flag: 1,663,360 of 2,257,984 weights learn with the last stage open.
    assert stage_table.learning_share("mobilenet_v2_100", 4) == 1_663_360 / 2_257_984


def test_the_learning_share_falls_to_nothing_when_all_is_frozen():
    shares = [stage_table.learning_share("vgg16", frozen) for frozen in range(6)]

    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1]) == (1.0, 0.0)


@pytest.mark.parametrize("frozen", [-1, 6])
def test_more_stages_than_there_are_cannot_be_frozen(frozen):
    with pytest.raises(ValueError, match=r"must be 0 to 5\. Received"):
        stage_table.learning_share("vgg16", frozen)


def test_an_unknown_backbone_has_no_stages():
    with pytest.raises(RecipeError, match=r"Did you mean .*vgg16"):
        stage_table.stages("vgg61")


def test_check_says_which_row_does_not_fit(tmp_path, monkeypatch, capsys):
    rows = stage_table.read()
    rows["vgg16"] = rows["vgg19"]
    stage_table.write(rows, tmp_path / "stages.json")
    monkeypatch.setattr(stage_table.read, "__defaults__", (tmp_path / "stages.json",))

    assert generate.main(["--check", "vgg16", "mobilenet_025"]) == 1
    assert capsys.readouterr().err == "stages.json does not fit the networks: vgg16\n"

"""Choosing a backbone and how much of it stays frozen, and starting."""

import time
from dataclasses import replace

import pytest
from processes import until
from visiting import links, words

from tlcore import deletion, identity, lock, sharing
from tlcore.backbones import table, weights
from tlcore.overview import AT_WORK
from tlcore.runs import order, queue
from tlcore.runs import run as runs
from tlcore.training import recipe as recipes


def choose_button(page, name):
    return page.button(key=f"choose-{name}")


def test_without_pictures_the_page_leads_to_them(visit, empty):
    page = visit("train.py", project=empty.id)
    assert "There are no pictures in this project yet." in words(page)
    assert links(page)["Bring in pictures"].endswith(f"pictures?project={empty.id}")


def cards_of(page):
    return [each.proto.body for each in page.html if "thaw-card" in each.proto.body and "<h3>" in each.proto.body]


def test_the_first_card_needs_no_download_and_is_chosen_where_nothing_better_is_here(visit, filled):
    page = visit("train.py", project=filled.id)
    assert "on this computer, no download" in cards_of(page)[0]
    assert choose_button(page, "thawnet").label == "Chosen"
    assert "it comes with Thaw, and nothing that sees more is on this computer" in words(page)


def test_the_other_cards_say_what_they_gain_and_what_they_cost(visit, filled):
    _, *others = cards_of(visit("train.py", project=filled.id))
    assert len(others) == 6
    assert all("will be downloaded" in card and "ImageNet" in card and "times the time" in card for card in others)


def test_better_weights_on_this_computer_are_suggested_and_the_reason_is_said(visit, filled, tmp_path):
    row = table.get("mobilenet_v2_100")
    file = weights.path(row)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as content:
        content.truncate(row.parameters * 4 + 100_000)
    page = visit("train.py", project=filled.id)
    assert choose_button(page, "mobilenet_v2_100").label == "Chosen"
    assert "its weights are on this computer, and it sees more than thawnet" in words(page)
    assert "on this computer" in cards_of(page)[1] and "no download" not in cards_of(page)[1]


def test_the_address_keeps_the_chosen_backbone(visit, filled):
    page = visit("train.py", project=filled.id)
    choose_button(page, "vgg16").click().run()
    assert page.query_params["backbone"] == "vgg16"
    again = visit("train.py", project=filled.id, backbone="vgg16")
    assert choose_button(again, "vgg16").label == "Chosen"
    assert again.slider(key="depth-vgg16").max == 5


def test_the_address_keeps_the_chosen_depth(visit, filled):
    page = visit("train.py", project=filled.id, backbone="vgg16")
    assert "frozen" not in page.query_params
    page.slider(key="depth-vgg16").set_value(2).run()
    assert page.query_params["frozen"] == "2" and page.slider(key="depth-vgg16").value == 2
    again = visit("train.py", project=filled.id, backbone="vgg16", frozen="2")
    assert again.slider(key="depth-vgg16").value == 2
    again.slider(key="depth-vgg16").set_value(4).run()
    assert again.query_params["frozen"] == "4" and again.slider(key="depth-vgg16").value == 4
    choose_button(again, "mobilenet_v2_100").click().run()
    assert "frozen" not in again.query_params


@pytest.mark.parametrize(("frozen", "depth"), [("all", 5), ("none", 0), ("0", 0), ("5", 5)])
def test_a_depth_in_the_address_is_taken(visit, filled, frozen, depth):
    page = visit("train.py", project=filled.id, backbone="vgg16", frozen=frozen)
    assert page.slider(key="depth-vgg16").value == depth


@pytest.mark.parametrize("frozen", ["6", "-1", "auto", "2.5", "", "9" * 5000, "²"])
def test_nonsense_in_place_of_a_depth_leaves_what_thaw_suggests(visit, filled, frozen):
    usual = visit("train.py", project=filled.id, backbone="vgg16").slider(key="depth-vgg16").value
    page = visit("train.py", project=filled.id, backbone="vgg16", frozen=frozen)
    assert page.slider(key="depth-vgg16").value == usual and "thaw-problem" not in words(page)


def test_any_backbone_of_the_table_can_be_chosen(visit, filled):
    page = visit("train.py", project=filled.id)
    chooser = next(each for each in page.selectbox if each.label == "Backbone")
    chooser.select("densenet121").run()
    assert page.query_params["backbone"] == "densenet121"
    assert page.slider(key="depth-densenet121")


def test_the_depth_shows_what_is_frozen_and_how_much_learns(visit, filled):
    page = visit("train.py", project=filled.id, backbone="mobilenet_v2_100")
    slider = page.slider(key="depth-mobilenet_v2_100")
    slider.set_value(slider.max).run()
    assert "All 5 stages are frozen; only the new final layers learn." in words(page)
    slider.set_value(0).run()
    assert "Nothing frozen" in words(page) and 'class="thaw-frozen"' not in words(page)
    slider.set_value(4).run()
    assert words(page).count('class="thaw-frozen"') == 4 and words(page).count('class="thaw-learning"') == 2
    assert "of the backbone's weights will learn" in words(page)


def test_the_preview_shows_own_pictures_as_training_sees_them(visit, filled):
    page = visit("train.py", project=filled.id)
    gallery = next(each.proto.body for each in page.html if "Random view 1" in each.proto.body)
    shown = [part.split('"')[1] for part in gallery.split("<img ")[1:]]
    assert len(shown) == 8 and all(source.startswith("data:image/jpeg;base64,") for source in shown)
    assert len(set(shown)) > 1


def test_an_unknown_backbone_in_the_address_says_so(visit, filled):
    assert "There is no backbone named “vgg17”" in words(visit("train.py", project=filled.id, backbone="vgg17"))


def test_start_hands_over_what_was_chosen_and_opens_the_run(visit, filled):
    page = visit("train.py", project=filled.id, backbone="mobilenet_025")
    page.slider(key="depth-mobilenet_025").set_value(3)
    page.number_input(key="setting-epochs").set_value(2)
    page.number_input(key="setting-head_lr").set_value(0.01)
    page.run()
    page.button(key="start").click().run()
    (run,) = runs.runs_in(filled.runs)
    assert queue.is_in(run.folder)
    order.stop(run)
    asked = run.recipe()
    assert (asked.backbone, asked.frozen_stages, asked.epochs, asked.head_lr) == ("mobilenet_025", 3, 2, 0.01)
    assert (asked.batch_size, asked.rotation, asked.augment) == (None, None, "light")
    assert page.query_params["run"] == run.id
    assert "Stop" in words(page)
    while runs.state(run) in AT_WORK:
        time.sleep(0.1)
    assert runs.state(run) == "stopped"


def test_the_settings_of_an_earlier_run_can_be_used_again_and_changed(visit, filled, run):
    earlier = replace(run.recipe(), epochs=7, head_lr=0.02, optimizer="sgd", augment="strong", rotation=12.0, views=0,
                      class_weights=True, precision="float32", early_stopping=False, seed=5)  # fmt: skip
    recipes.save(earlier, run.recipe_file)
    page = visit("train.py", project=filled.id, again=run.id, backbone="mobilenet_v2_035", frozen="4")
    assert "begins with the settings of an earlier run" in words(page)
    page.number_input(key=f"setting-epochs-{run.id}").set_value(3).run()
    page.button(key="start").click().run()
    (made,) = (each for each in runs.runs_in(filled.runs) if each != run)
    assert made.recipe() == replace(earlier, epochs=3)


def test_where_the_earlier_run_was_deleted_meanwhile_what_was_changed_stays(visit, filled, run):
    page = visit("train.py", project=filled.id, again=run.id, backbone="mobilenet_v2_035", frozen="4")
    page.number_input(key=f"setting-epochs-{run.id}").set_value(3).run()
    deletion.delete_run(run)
    page.button(key="start").click().run()
    (made,) = runs.runs_in(filled.runs)
    assert made.recipe().epochs == 3
    page = visit("train.py", project=filled.id, again=run.id)
    assert "There is no such run in this project. What stands below is what Thaw would choose" in words(page)


def test_a_guest_who_may_only_look_trains_nothing(visit, filled):
    link = sharing.make(filled.folder, "read")
    guest = identity.new()
    page = visit("train.py", who=guest, project=filled.id, share=link.secret)
    assert "lets you look at this project, not change it" in words(page)
    assert "Train" not in links(page) and not [each for each in page.button if each.key == "start"]


def test_choices_that_do_not_fit_are_said_before_anything_starts(visit, filled):
    page = visit("train.py", project=filled.id)
    page.number_input(key="setting-validation_share").set_value(0.6)
    page.number_input(key="setting-test_share").set_value(0.6)
    page.run()
    page.button(key="start").click().run()
    assert "too few are left to learn from" in words(page)
    assert runs.runs_in(filled.runs) == ()


@pytest.mark.parametrize("page", ["train.py", "pictures.py"])
def test_while_someone_looks_at_a_page_a_worker_gets_ready_for_the_training(page, visit, filled, home, monkeypatch):
    monkeypatch.setenv("THAW_SPARE", "0.02")
    visit(page, project=filled.id)
    assert lock.is_held(home / "spare.lock")
    assert until(lambda: not lock.is_held(home / "spare.lock"))

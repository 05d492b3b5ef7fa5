"""The command ``sample`` with public sets, fetched from a server of this computer."""

import json
from pathlib import Path

import pytest
from commands_called import call

from tlcore import cli
from tlcore.samples import public, sample


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


def test_the_list_names_every_set_and_the_licence_of_those_of_others() -> None:
    listed = call("sample", "--list")
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*sample.SAMPLES, *public.SETS]
    assert "229 MB" in listed.stdout and "https://creativecommons.org/licenses/by/2.0/" in listed.stdout
    assert "We know of no licence" in listed.stdout
    rows = json.loads(call("sample", "--list", "--json").stdout)["public"]
    assert [(row["name"], row["licence"]) for row in rows] == [
        (each.name, each.origin.licence) for each in public.SETS.values()
    ]


def test_a_public_set_is_fetched_and_can_be_checked(published, tmp_path, capsys) -> None:
    out = str(tmp_path / "flowers")
    assert cli.main(["sample", "flower_photos", "--out", out]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Flower photos, 5 classes: {out}\n") and "Creative Commons Attribution 2.0" in said
    assert (tmp_path / "flowers" / "flower_photos" / "LICENSE.txt").is_file()
    assert cli.main(["check", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == dict.fromkeys(public.get("flower_photos").class_names, 6)


def test_what_was_fetched_is_told_to_machines(published, tmp_path, capsys) -> None:
    assert cli.main(["sample", "cats_and_dogs", "--out", str(tmp_path / "pets"), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["classes"] == ["cats", "dogs"] and value["licence"] == "" and value["set_aside"] == []


def test_without_internet_one_plain_line_says_so(tmp_path) -> None:
    nowhere = {"THAW_WEIGHTS_URL": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
    ended = call("sample", "flower_photos", "--out", tmp_path / "flowers", **nowhere)
    assert ended.returncode == 1 and ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1 and "there is no connection" in ended.stderr
    assert not (tmp_path / "flowers").exists()


def test_an_unknown_set_is_refused_with_all_the_names_there_are(tmp_path) -> None:
    ended = call("sample", "dinosaurs", "--out", tmp_path / "out")
    assert ended.returncode == 1
    assert "leaves" in ended.stderr and "flower_photos" in ended.stderr

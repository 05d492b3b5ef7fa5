"""The first minute without a network: pictures drawn, a model trained, nothing fetched."""

import json

from commands_called import call

NO_NETWORK = {"THAW_WEIGHTS_URL": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}


def test_sample_pictures_are_drawn_and_learned_without_any_network(tmp_path):
    nowhere = {**NO_NETWORK, "KERAS_HOME": str(tmp_path / "keras"), "THAW_HOME": str(tmp_path / "thaw")}
    assert call("sample", "signs", "--out", tmp_path / "signs", **nowhere).returncode == 0

    ended = call("train", tmp_path / "signs", "--out", tmp_path / "run", "--epochs", "3", "--json", **nowhere)

    assert ended.returncode == 0, ended.stderr
    value = json.loads(ended.stdout)
    assert value["recipe"]["backbone"] == "thawnet"
    assert value["test_accuracy"] > 0.6  # of four classes: a network that knows nothing comes to a fourth
    assert not list((tmp_path / "keras").rglob("*.h5"))
    notes = (tmp_path / "run" / "events.jsonl").read_text(encoding="utf-8")
    assert "it comes with Thaw, and nothing that sees more is on this computer" in notes

"""Devices: how many there are, and what a worker sees of them."""

import os

import pytest

from tlcore import detached
from tlcore.runs import local, slots


@pytest.mark.parametrize(
    ("allowed", "devices", "count", "seen"),
    [
        ("0,1,3", None, 3, ["0", "1", "3"]),
        ("GPU-a,GPU-b", "4", 4, ["GPU-a", "GPU-b", "GPU-a", "GPU-b"]),
        ("2", None, 1, [None]),
        ("-1", None, 1, [None]),
        ("", "2", 2, [None, None]),
    ],
)
def test_each_run_sees_its_own_card_of_those_that_may_be_used(monkeypatch, allowed, devices, count, seen):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    if devices:
        monkeypatch.setenv("THAW_DEVICES", devices)
    assert slots.count() == count
    assert [slots.environment(slot).get("CUDA_VISIBLE_DEVICES") for slot in range(count)] == seen


def test_each_device_has_a_lock_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path))
    assert len({slots.lock_file(slot) for slot in range(4)}) == 4


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for the maker's program is a shell script")
def test_a_program_that_fails_is_asked_again_and_one_that_has_answered_is_believed(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"

    def let_it(do: str) -> None:
        program.write_text(f"#!/bin/sh\n{do}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(slots, "_ASK_AGAIN_S", 1e-6)
    let_it("exit 9")  # its driver is not ready yet
    assert (slots.cards(), slots.count()) == (0, 1)
    let_it('echo "GPU 0: one"; echo "GPU 1: another"')
    assert (slots.cards(), slots.count(), slots.environment(1)) == (2, 2, {"CUDA_VISIBLE_DEVICES": "1"})
    let_it("exit 9")
    assert slots.cards() == 2


def test_a_supervisor_sees_no_other_card_than_the_one_of_its_run(new_run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    started = []
    monkeypatch.setattr(detached, "start", lambda *given, **options: started.append(options))
    for slot in range(2):
        local.start(new_run(), slot)
    assert [one["environment"] for one in started] == [{"CUDA_VISIBLE_DEVICES": "4"}, {"CUDA_VISIBLE_DEVICES": "7"}]

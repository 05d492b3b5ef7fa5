"""Pictures of many people at once: some are looked over, the others wait and can be stopped."""

import threading
from concurrent.futures import ThreadPoolExecutor

import bringing
import drawing
import filelock
import pytest
from processes import until

from tlcore import cores, project, workspace
from tlcore.images import intake, intake_place


@pytest.fixture
def brought(tmp_path, monkeypatch) -> project.Project:
    """A project with pictures that nobody has looked over yet."""
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    made = project.create("me", "Waiting")
    bringing.take(made, drawing.draw_folder(tmp_path / "pictures", per_class=4))
    return made


@pytest.mark.parametrize(("is_stopped", "state"), [(False, "ready"), (True, "failed")])
def test_who_comes_when_all_places_are_taken_waits_says_so_and_can_be_stopped(brought, is_stopped, state):
    folder = workspace.home() / "intake"
    folder.mkdir(parents=True)
    taken = [filelock.FileLock(folder / f"{number}.lock") for number in range(intake_place.PER_CORE * cores.count())]
    for place in taken:
        place.acquire()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(intake.main, [str(brought.folder)])
        assert until(lambda: intake.status(brought).task.startswith("Waiting"))
        if is_stopped:
            intake.stop(brought)
        else:
            taken[-1].release()
        assert working.result(timeout=60) == is_stopped
    assert intake.status(brought).state == state
    for place in taken:
        place.release()


def test_no_more_are_inside_than_there_are_places(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(intake_place, "_LOOK_EVERY_S", 0.001)
    inside, most, guard = 0, 0, threading.Lock()

    def look_over() -> None:
        nonlocal inside, most
        with intake_place.taken(lambda: None):
            with guard:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.02)
            with guard:
                inside -= 1

    with ThreadPoolExecutor(20) as pool:
        for ended in [pool.submit(look_over) for _ in range(40)]:
            ended.result()
    assert 1 <= most <= intake_place.PER_CORE * cores.count()

"""Turns go round between people, and nobody is forgotten."""

import threading
import time

import pytest

from tlcore.errors import UserError
from tlcore.runs import queue


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path / "home"))


@pytest.fixture
def order(tmp_path):
    """Return a function that lets a new run of a person wait, and returns its folder."""

    def enter(name: str, person: str):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        queue.enter(folder, person)
        return folder

    return enter


def names() -> list[str]:
    return [ticket.folder.name for ticket in queue.line()]


def serve() -> str:
    """Give the next one its turn, as the scheduler and a supervisor do."""
    ticket = queue.line()[0]
    queue.note_turn(ticket)
    assert queue.leave(ticket.folder)
    return ticket.folder.name


def test_one_persons_runs_come_in_the_order_in_which_they_were_asked_for(order):
    for name in ("b", "a", "c"):
        order(name, "me")
    assert names() == ["b", "a", "c"]


def test_who_orders_ten_runs_keeps_nobody_else_waiting_for_nine(order):
    for number in range(10):
        order(f"many {number}", "eager")
    order("one", "late")
    order("another", "later")
    assert [serve() for _ in range(4)] == ["many 0", "one", "another", "many 1"]


def test_who_had_a_turn_before_the_clock_was_put_back_does_not_wait_for_it_to_come_round(order, monkeypatch):
    order("a1", "a")
    with monkeypatch.context() as ahead:
        ahead.setattr(time, "time", lambda: 9e9)
        assert serve() == "a1"
    order("a2", "a")
    order("b1", "b")
    assert serve() == "b1"
    order("b2", "b")
    assert serve() == "a2"


def test_who_had_a_turn_long_ago_comes_before_who_had_one_just_now(order):
    for name, person in (("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b")):
        order(name, person)
    assert [serve() for _ in range(2)] == ["a1", "b1"]
    order("c1", "c")
    assert names() == ["c1", "a2", "b2"]
    assert [serve() for _ in range(3)] == ["c1", "a2", "b2"]


def test_a_run_leaves_the_line_once_and_one_that_is_gone_is_skipped(order):
    kept, gone = order("kept", "me"), order("gone", "me")
    gone.rmdir()
    assert names() == ["kept"] and not queue.is_in(gone)
    assert queue.leave(kept) and not queue.leave(kept) and names() == []


def test_a_ticket_that_a_loss_of_power_has_damaged_stops_nobody(order, tmp_path):
    order("good", "me")
    bad = order("bad", "you")
    next((tmp_path / "home" / "queue").glob("bad*.ticket")).write_text("")
    (tmp_path / "home" / "queue" / "served.json").write_text("{")
    assert names() == ["good"] and not queue.is_in(bad)
    assert serve() == "good"


def test_each_person_may_have_only_so_many_runs_waiting(order, monkeypatch):
    monkeypatch.setenv("THAW_WAITING", "2")
    order("a", "me")
    with queue.room("me"):
        order("b", "me")
    with pytest.raises(UserError, match="2 runs waiting"), queue.room("me"):
        raise AssertionError
    with queue.room("you"):
        order("c", "you")


def test_orders_at_the_same_moment_do_not_slip_past_the_limit(order, monkeypatch):
    monkeypatch.setenv("THAW_WAITING", "3")
    refused = []

    def press(number: int) -> None:
        try:
            with queue.room("me"):
                order(str(number), "me")
        except UserError:
            refused.append(number)

    hands = [threading.Thread(target=press, args=(number,)) for number in range(12)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert len(queue.line()) == 3 and len(refused) == 9


def test_the_name_of_a_person_in_line_does_not_give_the_identity_away():
    assert queue.name_of("secret") == queue.name_of("secret") != queue.name_of("other")
    assert "secret" not in queue.name_of("secret") and len(queue.name_of("secret")) == 16

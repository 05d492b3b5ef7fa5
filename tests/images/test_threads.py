import threading
import time

import pytest

from tlcore.images import threads


def test_results_come_in_the_order_of_the_items() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 if number % 7 == 0 else 0)
        return number * 2

    assert list(threads.in_order(slow_first, range(100))) == [number * 2 for number in range(100)]


@pytest.mark.parametrize(("options", "ahead"), [({}, 8), ({"ahead": 1}, 1)])
def test_only_a_few_items_are_taken_ahead(options: dict[str, int], ahead: int) -> None:
    taken = []

    def items() -> object:
        for number in range(10_000):
            taken.append(number)
            yield number

    results = threads.in_order(lambda number: number, items(), **options)
    assert next(results) == 0
    assert len(taken) <= threads.count() * ahead
    results.close()


def test_an_error_is_raised_and_the_rest_is_not_started() -> None:
    started: list[int] = []
    lock = threading.Lock()

    def fail_at_three(number: int) -> int:
        with lock:
            started.append(number)
        if number == 3:
            raise ValueError("three")
        return number

    with pytest.raises(ValueError, match="three"):
        list(threads.in_order(fail_at_three, range(10_000)))
    assert len(started) < 200

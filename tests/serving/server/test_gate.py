"""A bounded number of requests runs, a bounded number waits, and no one for ever."""

import threading
import time

import pytest

from serving.server.gate import Gate
from serving.server.limits import Limits
from serving.server.refusal import Refusal


def _soon(seconds=5.0):
    return time.monotonic() + seconds


def test_more_than_may_wait_are_turned_away_and_let_in_again():
    gate = Gate(Limits(parallel=1, max_queue=1))
    with gate.place(), gate.place(), pytest.raises(Refusal) as refused, gate.place():
        pass
    assert (refused.value.code.name, refused.value.http) == ("RESOURCE_EXHAUSTED", 429)
    assert str(refused.value) == ("The server is busy: 1 requests run and 1 wait; try again later")
    with gate.place(), gate.place():
        pass


def test_one_that_waits_longer_than_its_deadline_is_told_so():
    gate = Gate(Limits(parallel=1))
    with gate.turn(_soon()), pytest.raises(Refusal) as refused, gate.turn(_soon(0.01)):
        pass
    assert (refused.value.code.name, refused.value.http) == ("DEADLINE_EXCEEDED", 504)
    assert str(refused.value) == "The request could not be answered before its deadline"
    with gate.turn(_soon(0)):
        pass


def test_no_more_run_at_a_time_than_may():
    gate = Gate(Limits(parallel=2))
    lock, running, most = threading.Lock(), 0, 0

    def work():
        nonlocal running, most
        with gate.place(), gate.turn(_soon()):
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.005)
            with lock:
                running -= 1

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_failure_gives_its_place_and_its_turn_back():
    gate = Gate(Limits(parallel=1, max_queue=0))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate.place(), gate.turn(_soon()):
            _ = 1 / 0

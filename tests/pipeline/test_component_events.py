import subprocess
import sys
import time

from pipeline.component_events import ComponentEvents

BURN = "import time\nwhile time.process_time() < 0.2: pass"


def test_a_component_s_cpu_seconds_are_its_own_and_those_of_its_children():
    with ComponentEvents() as events:
        events.begin("Waits")
        time.sleep(0.1)
        events.end()
        events.begin("Works")
        subprocess.run([sys.executable, "-c", BURN], check=True)
        events.end()
    assert list(events.cpu_seconds) == list(events.seconds) == ["Waits", "Works"]
    assert events.seconds["Waits"] >= 0.1
    assert events.cpu_seconds["Waits"] < 0.1
    assert 0.2 <= events.cpu_seconds["Works"] < 2


def test_a_component_that_fails_is_timed_too():
    events = ComponentEvents()
    try:
        with events:
            events.begin("Trainer")
            raise ValueError("no")
    except ValueError:
        pass
    assert events.states == {"Trainer": "failed"}
    assert events.seconds.keys() == events.cpu_seconds.keys() == {"Trainer"}

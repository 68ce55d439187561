"""The `deploy.schedule:` block: what it takes, and what each mistake in it is answered with."""

import pytest
from pydantic import ValidationError

from pipeline.schedule_config import Schedule


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"start_time": "2027-01-01T00:00:00Z"},
        {"start_time": "2027-01-01T00:00:00+01:00", "end_time": "2026-12-31T23:30:00Z"},
    ],
)
def test_times_are_those_of_rfc_3339(times):
    assert Schedule(cron="*/15 3-5 1,15 JAN MON-FRI", **times).model_dump() == {
        "cron": "*/15 3-5 1,15 JAN MON-FRI",
        "timezone": None,
        "max_concurrent_runs": 1,
        "start_time": None,
        "end_time": None,
        **times,
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"cron": "0 3 * *"},
            "cron has five fields: minute hour day month weekday\n  Received: '0 3 * *'",
        ),
        (
            {"cron": "0 3 * * $"},
            "a field of cron has a sign that means nothing there\n  Received: '$'",
        ),
        ({"cron": "0 1-25 * * *"}, "the hour of cron is 23 at most\n  Received: '1-25'"),
        (
            {"start_time": "2027-01-01"},
            "a time is a date, hours, minutes, seconds and a zone\n"
            "  Received: '2027-01-01'\n"
            "  Valid: 2027-01-01T00:00:00Z, 2027-01-01T00:00:00+01:00\n"
            "  Did you mean '2027-01-01T00:00:00Z'?",
        ),
        (
            {"end_time": "next week"},
            "a time is a date, hours, minutes, seconds and a zone\n"
            "  Received: 'next week'\n"
            "  Valid: 2027-01-01T00:00:00Z, 2027-01-01T00:00:00+01:00",
        ),
        (
            {"start_time": "2027-01-01T00:00:00Z", "end_time": "2027-01-01T00:30:00+01:00"},
            "end_time is not after start_time, so no run would ever start\n"
            "  Received: '2027-01-01T00:30:00+01:00'",
        ),
    ],
)
def test_mistakes_are_found_before_a_platform_is_asked(change, said):
    with pytest.raises(ValidationError) as caught:
        Schedule(**{"cron": "0 3 * * 1", **change})
    (error,) = caught.value.errors()
    assert str(error["ctx"]["error"]) == said

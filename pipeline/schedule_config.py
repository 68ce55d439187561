"""When a platform runs a compiled pipeline by itself, as the user writes it."""

import contextlib
import datetime
import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from preprocessing.config import Record
from preprocessing.errors import explain

# The largest number in each field of cron.
_FIELDS = {"minute": 59, "hour": 23, "day": 31, "month": 12, "weekday": 7}


def _check_cron(cron: str) -> str:
    if len(cron.split()) != len(_FIELDS):
        raise ValueError(explain(f"cron has five fields: {' '.join(_FIELDS)}", cron))
    wrong = [part for part in cron.split() if not re.fullmatch(r"[\dA-Za-z*/,-]+", part)]
    if wrong:
        raise ValueError(explain("a field of cron has a sign that means nothing there", wrong[0]))
    for part, (name, largest) in zip(cron.split(), _FIELDS.items(), strict=True):
        if any(int(number) > largest for number in re.findall(r"\d+", part)):
            raise ValueError(explain(f"the {name} of cron is {largest} at most", part))
    return cron


def _check_time(text: str | None) -> str | None:
    if text is not None and _read_time(text) is None:
        what = "a time is a date, hours, minutes, seconds and a zone"
        raise ValueError(explain(what, text, ["2027-01-01T00:00:00Z", "2027-01-01T00:00:00+01:00"]))
    return text


def _read_time(text: str) -> datetime.datetime | None:
    """Reads a timestamp of RFC 3339, which both platforms want; None of another thing."""
    with contextlib.suppress(ValueError):
        # Python 3.10 knows no Z.
        time = datetime.datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text))
        return time if time.tzinfo else None
    return None


Time = Annotated[str | None, AfterValidator(_check_time)]


class Schedule(Record):
    """When the platform runs the pipeline by itself."""

    cron: Annotated[str, AfterValidator(_check_cron)] = Field(
        examples=["0 3 * * 1"], description="minute hour day month weekday"
    )
    timezone: str | None = Field(
        None, examples=["Europe/Berlin"], description="vertex; kubeflow has its server's"
    )
    max_concurrent_runs: int = Field(1, gt=0)
    start_time: Time = Field(None, examples=["2027-01-01T00:00:00Z"])
    end_time: Time = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Schedule":
        start, end = (_read_time(one or "") for one in (self.start_time, self.end_time))
        if start and end and end <= start:
            what = "end_time is not after start_time, so no run would ever start"
            raise ValueError(explain(what, self.end_time))
        return self

"""What the counts of departures must be, worked out in plain Python from the files it reads."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
LONG_AGO = datetime(1970, 1, 1)


def read(folder):
    """The events of each file, in the order of the files' modification times, as the file source takes them."""
    files = sorted(folder.glob("*.json"), key=lambda file: (file.stat().st_mtime_ns, file.name))
    return [[json.loads(line) for line in file.read_text().splitlines()] for file in files]


def window(event):
    """The hour an event was scheduled for, and its airport."""
    scheduled = datetime.fromisoformat(event["scheduled"])
    return scheduled.replace(minute=0, second=0), event["origin"]


def batch_counts(files):
    """Departures per hour and airport over all files at once."""
    return Counter(window(event) for file in files for event in file)


@dataclass
class Append:
    """What append mode makes of the files, one file per micro-batch."""

    written: dict = field(default_factory=dict)
    open: Counter = field(default_factory=Counter)
    late: Counter = field(default_factory=Counter)
    dropped_groups: int = 0


def append_counts(files, delay):
    """Follow the watermark through the files by the book.

    A micro-batch drops what is late by the watermark of the micro-batch before it, and writes and
    forgets what its own watermark has closed; its event times raise the watermark of the next. At
    the end one micro-batch without rows closes what the last file's watermark has passed.
    """
    result = Append()
    late_watermark = watermark = latest = LONG_AGO
    for file in [*files, []]:
        for (hour, origin), count in Counter(map(window, file)).items():
            if hour + HOUR <= late_watermark:
                result.late[hour, origin] += count
                result.dropped_groups += 1
            else:
                result.open[hour, origin] += count
        for hour, origin in list(result.open):
            if hour + HOUR <= watermark:
                assert (hour, origin) not in result.written
                result.written[hour, origin] = result.open.pop((hour, origin))
        latest = max([latest, *(datetime.fromisoformat(event["scheduled"]) for event in file)])
        late_watermark, watermark = watermark, max(watermark, latest - delay)
    return result

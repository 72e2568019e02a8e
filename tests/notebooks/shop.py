"""What the lessons say of the shop's clicks and payments, worked out in plain Python from the files."""

import json
from collections import Counter
from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)


def read(folder):
    """The rows of each file, in the order of the files' modification times, as the file source takes them."""
    files = sorted(folder.glob("*.json"), key=lambda file: (file.stat().st_mtime_ns, file.name))
    return [[json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] for file in files]


def rows(folder):
    """All rows of a folder, in the order in which they arrived."""
    return [row for file in read(folder) for row in file]


def ts(row):
    """The event time of a row."""
    return datetime.fromisoformat(row["ts"])


def windows(time, length, slide=None):
    """The starts of all windows that a time falls into, latest first."""
    slide = slide or length
    last = time - (time - EPOCH) % slide
    starts = (last - slide * i for i in range(-(-length // slide)))
    return [start for start in starts if start <= time < start + length]


def counts(rows, length, slide=None, *by):
    """Rows per window, and per value of other columns: (start, …) → count."""
    return Counter((start, *(row[name] for name in by)) for row in rows for start in windows(ts(row), length, slide))


def sessions(rows, gap, key):
    """The sessions of each key: (key, start, end, rows). Sessions that touch are one."""
    found = []
    for name in sorted({row[key] for row in rows}):
        times = sorted(ts(row) for row in rows if row[key] == name)
        start, end, count = times[0], times[0] + gap, 0
        for time in times:
            if time > end:
                found.append((name, start, end, count))
                start, count = time, 0
            end, count = max(end, time + gap), count + 1
        found.append((name, start, end, count))
    return found


def distinct_state(files, delay):
    """How many clicks DISTINCT with the event time holds after each micro-batch, one file each."""
    state, sizes = set(), []
    late_watermark = watermark = latest = EPOCH
    for file in [*files, []]:
        state |= {(row["event_id"], ts(row)) for row in file if ts(row) > late_watermark}
        state = {(id, time) for id, time in state if time > watermark}
        sizes.append(len(state))
        latest = max([latest, *map(ts, file)])
        late_watermark, watermark = watermark, max(watermark, latest - delay)
    return sizes


def first_copies(files, delay):
    """How many clicks come through if copies, and what is older than the watermark, are left out."""
    seen = set()
    late_watermark = watermark = EPOCH
    for file in files:
        seen |= {(row["event_id"], row["user_id"], ts(row)) for row in file if ts(row) > late_watermark}
        late_watermark, watermark = watermark, max(watermark, max(map(ts, file)) - delay)
    return len(seen)


def minutes(number):
    return timedelta(minutes=number)

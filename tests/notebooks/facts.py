"""Numbers that the lessons tell and no cell shows, counted in plain Python from the data."""

from collections import Counter
from datetime import datetime, timedelta

import departures
import shop

CLOCK = "%H:%M"


def of(data):
    """What may be said of the data in any lesson, as texts."""
    found = {**of_flights(departures.read(data / "departures")), **of_shop(data)}
    return {what: fact if isinstance(fact, str) else str(fact) for what, fact in found.items()}


def of_flights(files):
    append = departures.append_counts(files, timedelta(hours=2))
    latest = max(datetime.fromisoformat(flight["scheduled"]) for file in files for flight in file)
    first_hour = min(departures.window(flight)[0] for flight in files[0])
    return {
        "flights": total(files),
        "files of departures": len(files),
        "airlines": len({flight["carrier"] for file in files for flight in file}),
        "days of January": " ".join(str(day) for day in range(1, latest.day + 2)),
        "the first hour": f"{first_hour.hour} {first_hour.hour + 1}",
        "closed by a flight at": first_hour.hour + 3,
        "latest departure": f"{latest:{CLOCK}}",
        "last watermark": f"{latest - timedelta(hours=2):{CLOCK}}",
        "too late with two hours": sum(append.late.values()),
        "still open with two hours": sum(append.open.values()),
        "missing with two hours": sum(append.late.values()) + sum(append.open.values()),
    }


def of_shop(data):
    clicks, payments = shop.read(data / "clicks"), shop.read(data / "payments")
    copies = Counter(row["event_id"] for file in clicks for row in file)
    times = [shop.ts(row) for file in clicks for row in file]
    hour = timedelta(hours=1)
    opens = shop.EPOCH + (min(times) - shop.EPOCH) // hour * hour
    closes = shop.EPOCH + ((max(times) - shop.EPOCH) // hour + 1) * hour
    names = sorted(path.stem for path in (data / "payments").glob("*.json"))
    first_batch = max(shop.ts(row) for file in payments[:9] for row in file)
    state = shop.distinct_state(clicks, timedelta(minutes=10))
    return {
        "clicks": total(clicks),
        "files of clicks": len(clicks),
        "different clicks": len({row["event_id"] for file in clicks for row in file}),
        "most clicks in a file": max(map(len, clicks)),
        "seconds for them at five files a second": len(clicks) // 5,
        "opening hours": f"{opens:{CLOCK}} {closes:{CLOCK}}",
        "payments": total(payments),
        "files of payments": len(payments),
        "minutes of nine files": 9 * 5,
        "where nine files begin": " ".join(name[-5:].replace("-", ":") for name in names[::9]),
        "latest payment of nine files": f"{first_batch:{CLOCK}}",
        "watermark after nine files": f"{first_batch - timedelta(minutes=10):{CLOCK}}",
        "payments of clicks that were sent twice": sum(
            copies[row["event_id"]] > 1 for file in payments for row in file
        ),
        "customers who paid": len({row["user_id"] for file in payments for row in file}),
        "state of DISTINCT, at most and at the end": f"{max(state)} {state[-1]}",
        "where windows are cut from": shop.EPOCH.year,
    }


def total(files):
    return sum(map(len, files))

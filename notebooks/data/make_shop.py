#!/usr/bin/env python3
"""Make the clicks and payments of a web shop, which the notebooks read.

    python make_shop.py            write the folders anew
    python make_shop.py --touch    only set the files' times

A generator with a fixed seed: every run writes the same files. They hold two hours around noon of
one day in a shop with customers in three cities of Taiwan, as newline-delimited JSON, one file per
five minutes in which rows *arrived*, so reading the files in order replays the two hours.

What makes the rows lifelike, and the lessons possible: a phone that loses its connection sends its
clicks late; one that gets no answer sends a click twice; some clicks come from crawlers, which the
shop has blocked; and one click in four leads to a payment some minutes later.

A streaming file source takes files in the order of their modification times, and git does not
keep those. So each file gets the time its five minutes ended (its name says which, read as UTC).
"""

import argparse
import json
import os
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

SEED = 5
OPENS = datetime(2026, 3, 2, 11, 0)
MINUTES = 120
# What came in on a bad day: one line was cut off on its way.
BROKEN = {
    "2026-03-02T12-00": [
        '{"payment_id":"p1","user_id":"u01","amount":420}',
        '{"payment_id":"p2","user_id":"u02","amount":150}',
        '{"payment_id":"p3","user_id":"u03","amount":890}',
    ],
    "2026-03-02T12-05": [
        '{"payment_id":"p4","user_id":"u01","amount":330}',
        '{"payment_id":"p5","user_id":"u04","amo',
        '{"payment_id":"p6","user_id":"u05","amount":150}',
    ],
    "2026-03-02T12-10": [
        '{"payment_id":"p7","user_id":"u02","amount":420}',
        '{"payment_id":"p8","user_id":"u06","amount":1780}',
    ],
}
STEP = timedelta(minutes=5)
FILE_NAME = "%Y-%m-%dT%H-%M"
USERS = 60
CITIES = ("臺北", "臺中", "高雄")
PRICES = {"books": 420, "food": 150, "games": 890, "music": 330}
HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: beside this script)")
    parser.add_argument("--touch", action="store_true", help="only set the files' modification times from their names")
    arguments = parser.parse_args()
    if not arguments.touch:
        clicks, payments = make()
        write(by_arrival(clicks), arguments.out / "clicks")
        write(by_arrival(payments), arguments.out / "payments")
        write(BROKEN, arguments.out / "broken")
    for name in ("clicks", "payments", "broken"):
        touch(arguments.out / name)


class Dice:
    """Chance, from the one method of Python's generator whose numbers never change between versions."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, limit):
        return int(self.random() * limit)

    def one_of(self, choices):
        return choices[self.below(len(choices))]

    def happens(self, chance):
        return self.random() < chance

    def seconds(self, least, most):
        return timedelta(seconds=least + self.below(most - least))


def make():
    """Clicks and payments, each as (time of arrival, row)."""
    dice = Dice(SEED)
    clicks, payments = [], []
    for minute in range(MINUTES):
        for _ in range(clicks_in(minute)):
            ts = OPENS + timedelta(minutes=minute) + dice.seconds(0, 60)
            click = make_click(dice, len(clicks) + 1, ts)
            arrives = ts + (dice.seconds(600, 2700) if dice.happens(0.05) else dice.seconds(0, 30))
            clicks.append((arrives, click))
            if click["status"] == "active" and dice.happens(0.25):
                payments.append(make_payment(dice, click, ts))
    # Sent again: the same click, a few seconds to minutes later.
    again = [(arrives + dice.seconds(2, 400), click) for arrives, click in clicks if dice.happens(0.04)]
    payments.sort(key=lambda payment: payment[0])
    for number, (_, payment) in enumerate(payments, 1):
        payment["payment_id"] = f"p{number:03}"
    return clicks + again, payments


def clicks_in(minute):
    """The shop is busiest at noon."""
    return 14 - abs(minute - 60) // 6


def make_click(dice, number, ts):
    user = dice.below(USERS)
    return {
        "event_id": f"c{number:04}",
        "user_id": f"u{user:02}",
        "city": CITIES[user % 3],
        "category": dice.one_of(sorted(PRICES)),
        "status": "blocked" if user % 7 == 3 else "active",
        "ts": str(ts),
    }


def make_payment(dice, click, ts):
    paid = ts + dice.seconds(60, 1500)
    amount = PRICES[click["category"]] * (1 + dice.below(3))
    payment = {"payment_id": "", "event_id": click["event_id"], "user_id": click["user_id"], "amount": amount, "ts": str(paid)}
    return paid + dice.seconds(0, 20), payment


def by_arrival(rows):
    """The lines of each file: one file per five minutes of arrival."""
    files = {}
    for arrives, row in sorted(rows, key=lambda item: item[0]):
        start = OPENS + (arrives - OPENS) // STEP * STEP
        line = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
        files.setdefault(start.strftime(FILE_NAME), []).append(line)
    return files


def write(files, out):
    """Lines to files, replacing what the folder held."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.json"):
        old.unlink()
    for name, lines in files.items():
        (out / f"{name}.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


def touch(folder):
    """Give each file the time at which the five minutes in its name ended."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise SystemExit(f"no files in '{folder}'")
    for file in files:
        ended = datetime.strptime(file.stem, FILE_NAME).replace(tzinfo=timezone.utc) + STEP
        os.utime(file, (ended.timestamp(), ended.timestamp()))


if __name__ == "__main__":
    main()

"""Rows of generated streams: around a time that moves on, some late, some far ahead, some NULL; and the steps."""

KEYS = ["a", "b", "c"]


def steps(rng, sources, trigger):
    """Files for the sources, checks between them, restarts; at the end rows so late that all windows close."""
    streams = [source for source in sources if source.rows is None]
    made, time = [], 0
    for at in range(rng.randint(2, 4)):
        if at and rng.random() < 0.2:
            made.append(("restart",))
        time += rng.choice([0, 3, 8, 12, 25, 45])
        made += _files(rng, streams, time)
        made.append(("check",))
    if not trigger and rng.random() < 0.3:
        made.append(("restart",))
    if rng.random() < 0.8:
        last = [("data", source.name, (row(rng, source, 240),)) for source in streams]
        made += rng.sample(last, len(last)) + [("check",)]
        if rng.random() < 0.3:
            made += [("data", rng.choice(streams).name, ()) if rng.random() < 0.1 else _file(rng, streams[0], 250), ("check",)]
    return tuple(made)


def _files(rng, streams, time):
    """A file for one stream, or for all, or several."""
    chosen = streams if len(streams) > 1 and rng.random() < 0.55 else [rng.choice(streams)]
    made = [_file(rng, stream, time) for stream in chosen]
    if rng.random() < 0.12:
        made.append(_file(rng, rng.choice(streams), time + 5))
    return made


def _file(rng, source, time):
    return ("data", source.name, tuple(row(rng, source, time) for _ in range(rng.randint(1, 5))))


def row(rng, source, time):
    """One row of a source at about this minute."""
    return " ".join(_value(rng, column.split()[1], time) for column in source.schema.split(", "))


def _value(rng, kind, time):
    if kind == "timestamp":
        if rng.random() < 0.05:
            return "null"
        return _clock(rng, 720 + time + rng.choice([0, 0, 1, 2, 3, 4, 5, 7, 9, -1, -3, -8, -15, -30, 10]))
    if kind == "string":
        return "null" if rng.random() < 0.1 else rng.choice(KEYS)
    if kind == "int":
        return "null" if rng.random() < 0.1 else str(rng.randint(0, 5))
    return "null" if rng.random() < 0.1 else str(rng.randint(0, 20) / 4)


def _clock(rng, minutes):
    text = f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
    return text + (f":{rng.choice(['30', '59.999', '00.5'])}" if rng.random() < 0.15 else "")


def static_rows(rng):
    """Rows of a table of keys."""
    return tuple(f"{rng.choice(KEYS + ['null'])} {rng.randint(0, 5)}" for _ in range(rng.randint(1, 4)))

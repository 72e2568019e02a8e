"""A generated streaming script as a value: its text, and how it can be made smaller."""

from dataclasses import dataclass, field, replace

NO_RESTART = "a new run counts a watermark of which it has seen no row yet as 0, as Spark does"
NO_RESTART_ONCE = "a trigger of once runs a batch at every start"


@dataclass(frozen=True)
class Source:
    """A stream, or a table when it has rows of its own."""

    name: str
    schema: str
    watermark: tuple | None = None
    rows: tuple | None = None

    def __str__(self):
        if self.rows is not None:
            return "\n".join([f"static {self.name}({self.schema})", *self.rows])
        watermark = "" if self.watermark is None else f" watermark {self.watermark[0]} '{self.watermark[1]}'"
        return f"source {self.name}({self.schema}){watermark}"


@dataclass(frozen=True)
class Pipeline:
    """`from BASE | stage | …`; of a stage with several parts any but the last can go."""

    base: str
    stages: tuple = ()

    def __str__(self):
        return " | ".join([f"from {self.base}", *map(str, self.stages)])


@dataclass(frozen=True)
class Stage:
    """A stage: what it begins with, and lists of parts with the words before them."""

    head: str
    lists: tuple = ()

    def __str__(self):
        parts = [f"{word} {separator.join(items)}".strip() for word, separator, items in self.lists if items]
        return " ".join([self.head, *parts])


@dataclass(frozen=True)
class Case:
    """What a seed stands for."""

    title: str
    settings: tuple
    sources: tuple
    views: tuple
    query: Pipeline
    mode: str
    trigger: str
    # ("data", source, rows), ("restart",) or ("check",)
    steps: tuple = field(default=())

    def __str__(self):
        blocks = [f"# {self.title}"]
        header = []
        watermarks = sum(source.watermark is not None for source in self.sources)
        if self.trigger == "once":
            header = [f"no-restart: {NO_RESTART_ONCE}"]
        elif watermarks > 1:
            header = [f"no-restart: {NO_RESTART}", "no-kill: as above"]
        if header:
            blocks.append("\n".join(header))
        blocks += [f"set {key} {value}" for key, value in self.settings]
        blocks += map(str, self.sources)
        blocks += [f"view {name}\n{pipeline}" for name, pipeline in self.views]
        blocks.append(f"query {' '.join([self.mode, self.trigger]).strip()}\n{self.query}\n----")
        for step in self.steps:
            if step[0] == "data":
                blocks.append("\n".join([f"add-data {step[1]}", *step[2]]))
            else:
                blocks.append("restart" if step[0] == "restart" else "check-new-answer\n----")
        return "\n\n".join(blocks) + "\n"


def smaller(case):
    """Cases that are a step smaller, big steps first."""
    yield from _fewer_steps(case)
    if case.trigger:
        yield replace(case, trigger="")
    for at in range(len(case.settings)):
        yield replace(case, settings=_without(case.settings, at))
    for at, source in enumerate(case.sources):
        if not _used(case, source.name):
            kept = tuple(step for step in case.steps if step[1:2] != (source.name,))
            yield replace(case, sources=_without(case.sources, at), steps=kept)
    for at, (name, _) in enumerate(case.views):
        if not _used(case, name):
            yield replace(case, views=_without(case.views, at))
    for pipeline in _smaller_pipelines(case.query):
        yield replace(case, query=pipeline)
    for at, (name, view) in enumerate(case.views):
        for pipeline in _smaller_pipelines(view):
            yield replace(case, views=case.views[:at] + ((name, pipeline),) + case.views[at + 1 :])
    for at, step in enumerate(case.steps):
        if step[0] == "data" and len(step[2]) > 1:
            for row in range(len(step[2])):
                less = ("data", step[1], _without(step[2], row))
                yield replace(case, steps=case.steps[:at] + (less,) + case.steps[at + 1 :])
    for at, source in enumerate(case.sources):
        if source.rows:
            for row in range(len(source.rows)):
                less = replace(source, rows=_without(source.rows, row))
                yield replace(case, sources=case.sources[:at] + (less,) + case.sources[at + 1 :])


def _fewer_steps(case):
    """Without the steps after a check, then without one step."""
    checks = [at for at, step in enumerate(case.steps) if step[0] == "check"]
    for at in checks[:-1]:
        yield replace(case, steps=case.steps[: at + 1])
    for at, step in enumerate(case.steps):
        if at != len(case.steps) - 1:
            yield replace(case, steps=_without(case.steps, at))


def _smaller_pipelines(pipeline):
    for at, stage in enumerate(pipeline.stages):
        yield replace(pipeline, stages=_without(pipeline.stages, at))
        for which, (word, separator, items) in enumerate(stage.lists):
            for item in range(len(items)):
                if len(items) > 1:
                    less = (word, separator, _without(items, item))
                    lists = stage.lists[:which] + (less,) + stage.lists[which + 1 :]
                    stages = pipeline.stages[:at] + (replace(stage, lists=lists),) + pipeline.stages[at + 1 :]
                    yield replace(pipeline, stages=stages)


def _used(case, name):
    pipelines = [case.query, *(view for _, view in case.views)]
    return any(
        pipeline.base == name or any(f" {name} " in f"{stage} " for stage in pipeline.stages) for pipeline in pipelines
    )


def _without(items, at):
    return tuple(items[:at]) + tuple(items[at + 1 :])

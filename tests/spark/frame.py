"""Queries of scripts: SQL, or a pipeline `from NAME | stage | …` for what only frames can say."""

from pyspark.sql import functions as F

from script import split_top, words


def build(spark, body):
    """A DataFrame of a query's lines."""
    text = "\n".join(body)
    if not text.lstrip().startswith("from "):
        return spark.sql(text)
    first, *stages = split_top(" ".join(body), "|")
    frame = spark.table(first.split()[1])
    for stage in stages:
        verb, _, rest = stage.partition(" ")
        frame = _stage(spark, frame, verb, rest.strip())
    return frame


def _names(text):
    return [name.strip() for name in text.split(",")] if text else []


def _exprs(text):
    return [F.expr(part) for part in split_top(text)]


def _stage(spark, frame, verb, rest):
    if verb == "where":
        return frame.where(rest)
    if verb == "select":
        return frame.select(*_exprs(rest))
    if verb == "with":
        name, _, expression = rest.partition("=")
        return frame.withColumn(name.strip(), F.expr(expression))
    if verb == "drop":
        return frame.drop(*_names(rest))
    if verb == "rename":
        old, _, new = rest.split()
        return frame.withColumnRenamed(old, new)
    if verb == "columns":
        return frame.toDF(*_names(rest))
    if verb == "watermark":
        return frame.withWatermark(*words(rest))
    if verb == "dedup":
        return frame.dropDuplicates(_names(rest)) if rest else frame.dropDuplicates()
    if verb == "dedup-within-watermark":
        return frame.dropDuplicatesWithinWatermark(_names(rest) if rest else None)
    if verb == "distinct":
        return frame.distinct()
    if verb in ("group", "rollup", "cube"):
        keys, _, aggregates = rest.removeprefix("by").partition(" agg ")
        keys = _exprs(keys) if keys.strip() else []
        method = {"group": frame.groupBy, "rollup": frame.rollup, "cube": frame.cube}[verb]
        return method(*keys).agg(*_exprs(aggregates))
    if verb == "sort":
        return frame.orderBy(*_names(rest))
    if verb == "limit":
        return frame.limit(int(rest))
    if verb == "offset":
        return frame.offset(int(rest))
    if verb == "sample":
        return frame.sample(float(rest))
    if verb == "union":
        return frame.union(spark.table(rest))
    if verb == "intersect":
        return frame.intersect(spark.table(rest))
    if verb == "except":
        return frame.subtract(spark.table(rest))
    if verb == "join":
        how, name, *_ = rest.split()
        condition = rest.partition(" on ")[2]
        using = rest.partition(" using ")[2]
        if using:
            return frame.join(spark.table(name), _names(using), how)
        if how == "cross":
            return frame.crossJoin(spark.table(name))
        return frame.join(spark.table(name), F.expr(condition), how)
    raise ValueError(f"unknown stage '{verb}'")

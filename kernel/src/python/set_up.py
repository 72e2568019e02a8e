def _set_up():
    """Gives the cells `spark`, and gives it again after a program that ends with `spark.stop()`."""
    import os

    from IPython import get_ipython

    shell = get_ipython()
    remote = os.environ["SPARK_REMOTE"]

    def give_spark(*_):
        from pyspark.sql import SparkSession

        # Stopping a session forgets where it was.
        os.environ.setdefault("SPARK_REMOTE", remote)
        spark = shell.user_ns.get("spark")
        if spark is None or getattr(spark, "is_stopped", False):
            shell.user_ns["spark"] = SparkSession.builder.getOrCreate()

    shell.events.register("pre_run_cell", give_spark)
    give_spark()


_set_up()
del _set_up

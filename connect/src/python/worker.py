# Runs one function of a client of Spark Connect, as the server asks for it.
import json
import os
import socket
import struct
import sys
import threading
import time
import traceback

# PySpark takes a program without a file for one of its own tests.
__file__ = "worker.py"


def end_with_the_server():
    """A function that never comes back must not outlive the server."""
    server = os.getppid()
    while os.getppid() == server:
        time.sleep(1)
    os._exit(1)


def version(order):
    here = "%d.%d" % sys.version_info[:2]
    if order["version"] and order["version"] != here:
        from pyspark.errors import PySparkRuntimeError

        raise PySparkRuntimeError(
            errorClass="PYTHON_VERSION_MISMATCH",
            messageParameters={"worker_version": here, "driver_version": order["version"]},
        )


def session(order):
    """The client's own session."""
    from urllib.parse import quote

    from pyspark.sql.connect.session import SparkSession

    remote = order["remote"] + ";session_id=" + order["session"]
    if order["user"]:
        remote += ";user_id=" + quote(order["user"], safe="")
    spark = SparkSession.builder.remote(remote).create()
    SparkSession._default_session = spark
    SparkSession._active_session.session = spark
    return spark


def foreach_batch(order, command):
    """`foreachBatch`: the function gets the frame of a batch, which the server knows by an id."""
    from pyspark import cloudpickle

    spark = session(order)
    function = cloudpickle.loads(command)

    def run(order, _):
        function(spark._create_remote_dataframe(order["frame"]), order["batch"])
        return b""

    return run


def foreach(order, command):
    """`foreach`: the function gets an iterator over the rows of a part of a batch."""
    import pyarrow
    from pyspark import cloudpickle
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.taskcontext import TaskContext

    to_rows, _, _ = conversions()
    function = cloudpickle.loads(command)[0]

    def run(order, body):
        table = pyarrow.ipc.open_stream(body).read_all()
        rows = to_rows.convert(table, from_arrow_schema(table.schema))
        # The one of this process, which writers ask for the batch's number.
        context = TaskContext()
        context._localProperties = {"streaming.sql.batchId": str(order["batch"])}
        context._partitionId = order["part"]
        for _ in function(order["part"], iter(rows)):
            pass
        return b""

    return run


def conversions():
    """Between Arrow and values of Python, and types of Arrow for those of Spark."""
    from pyspark.sql.pandas.types import to_arrow_type

    try:
        from pyspark.sql.conversion import ArrowTableToRowsConversion, LocalDataToArrowConversion
    except ImportError:  # PySpark 4.0
        from pyspark.sql.connect.conversion import ArrowTableToRowsConversion, LocalDataToArrowConversion
    return ArrowTableToRowsConversion, LocalDataToArrowConversion, to_arrow_type


def written(column):
    """A column as Arrow's stream."""
    import pyarrow

    table = pyarrow.table({"_0": column})
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def checked(column, rows):
    if len(column) != rows:
        raise ValueError(f"the function returned {len(column)} values for {rows} rows")
    return column


def udf(order, command):
    """`udf`: the function is called for every row."""
    import pyarrow
    from pyspark import cloudpickle
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructField, StructType

    to_rows, to_arrow, _ = conversions()
    function, returns = cloudpickle.loads(command)
    schema = StructType([StructField("_0", returns)])

    def run(order, body):
        table = pyarrow.ipc.open_stream(body).read_all()
        if table.num_columns:
            rows = to_rows.convert(table, from_arrow_schema(table.schema))
        else:
            rows = [()] * order["rows"]
        values = [(function(*row),) for row in rows]
        return written(to_arrow.convert(values, schema, False).column(0))

    return run


def pandas_udf(order, command, of_iterators=False):
    """`pandas_udf`: the function is called with whole columns, or with an iterator over them."""
    import pandas
    import pyarrow
    from pyspark import cloudpickle

    _, _, to_arrow_type = conversions()
    function, returns = cloudpickle.loads(command)
    arrow_type = to_arrow_type(returns)

    def run(order, body):
        table = pyarrow.ipc.open_stream(body).read_all()
        columns = [column.to_pandas() for column in table.itercolumns()]
        if of_iterators:
            one = columns[0] if len(columns) == 1 else tuple(columns)
            values = pandas.concat(list(function(iter([one]))), ignore_index=True)
        else:
            values = function(*columns)
        return written(pyarrow.Array.from_pandas(checked(values, order["rows"]), type=arrow_type))

    return run


def arrow_udf(order, command):
    """`arrow_udf`: the function is called with arrays of Arrow."""
    import pyarrow
    from pyspark import cloudpickle

    function = cloudpickle.loads(command)[0]

    def run(order, body):
        table = pyarrow.ipc.open_stream(body).read_all().combine_chunks()
        columns = [column.chunk(0) for column in table.itercolumns()]
        return written(checked(function(*columns), order["rows"]))

    return run


KINDS = {
    "foreachBatch": foreach_batch,
    "foreach": foreach,
    "udf": udf,
    "pandas_udf": pandas_udf,
    "pandas_udf_of_iterators": lambda order, command: pandas_udf(order, command, of_iterators=True),
    "arrow_udf": arrow_udf,
}


def main():
    port, secret = os.environ.pop("TIDEBOOK_WORKER").split()
    threading.Thread(target=end_with_the_server, daemon=True).start()
    connection = socket.create_connection(("127.0.0.1", int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(secret.encode())
    stream = connection.makefile("rwb")

    def part():
        length = stream.read(8)
        if len(length) < 8:
            # The server needs this worker no more. No session is closed: it is the client's.
            os._exit(0)
        return stream.read(struct.unpack(">Q", length)[0])

    run = None
    while True:
        order, body = json.loads(part()), part()
        answer, result = {}, b""
        try:
            if run is None:
                version(order)
                run = KINDS[order["kind"]](order, body)
            else:
                result = run(order, body)
        except BaseException:
            answer = {"error": traceback.format_exc()}
        sys.stdout.flush()
        for sent in (json.dumps(answer).encode(), result):
            stream.write(struct.pack(">Q", len(sent)))
            stream.write(sent)
        stream.flush()


main()

"""One Spark session for the compaction benchmark: a line of JSON in, {"sql": ...}, a line of JSON out with the rows and the seconds that it took."""
import json
import os
import sys
import time

# Spark and its JVM write to standard output too: answers keep the real one for themselves.
answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)

from pyspark.sql import SparkSession  # noqa: E402

settings = json.loads(sys.argv[1])
builder = SparkSession.builder.master(settings['master']).appName('streamforge-bench')
for key, value in settings['conf'].items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel('ERROR')


def answer(value):
    print(json.dumps(value, default=str), file=answers, flush=True)


answer({'rows': [], 'seconds': 0})
for line in sys.stdin:
    began = time.monotonic()
    try:
        rows = [row.asDict() for row in spark.sql(json.loads(line)['sql']).collect()]
        answer({'rows': rows, 'seconds': time.monotonic() - began})
    except Exception as error:  # whatever it was, the benchmark is told
        answer({'error': str(error)})
spark.stop()

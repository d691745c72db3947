"""aiokafka as a peer. Modes: `handles` (a future per record, a window of them awaited in order),
`each` (one record at a time) and `tasks` (as many tasks as the window, each with one record). The
event loop is uvloop's, which aiokafka's own benchmarks offer: it is the faster one."""

import argparse
import asyncio
import collections
import importlib.metadata
import json
import platform
import resource
import time

import uvloop
from aiokafka import AIOKafkaProducer


def arguments():
    given = argparse.ArgumentParser(allow_abbrev=False)
    given.add_argument("--mode", choices=("handles", "each", "tasks"), required=True)
    for name in ("bootstrap", "topic", "payloads"):
        given.add_argument("--" + name, required=True)
    for name in ("partitions", "records", "size"):
        given.add_argument("--" + name, type=int, required=True)
    for name in ("batch-bytes", "linger-ms", "in-flight", "buffer-bytes"):
        given.add_argument("--" + name, type=int)
    given.add_argument("--warmup", type=int, default=0)
    given.add_argument("--window", type=int, default=20_000)
    spreads = ("explicit", "random", "automatic")
    given.add_argument("--spread", choices=spreads, default="explicit")
    given.add_argument("--keys", type=int, default=0)
    given.add_argument("--headers", type=int, default=0)
    # There is one thread, the event loop's.
    given.add_argument("--threads", type=int, choices=(1,), default=1)
    given.add_argument("--acks", choices=("all", "1", "0"), default="all")
    given.add_argument("--idempotence", choices=("true", "false"), default="true")
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")
    given.add_argument("--codec", choices=codecs, default="none")
    return given.parse_args()


def producer(run):
    """The run in aiokafka's words. It has one request in flight per broker and no limit of its
    memory but one open batch per partition, so neither can be set."""
    settings = {}
    if run.batch_bytes is not None:
        settings["max_batch_size"] = run.batch_bytes
    if run.linger_ms is not None:
        settings["linger_ms"] = run.linger_ms
    return AIOKafkaProducer(
        bootstrap_servers=run.bootstrap,
        acks="all" if run.acks == "all" else int(run.acks),
        enable_idempotence=run.idempotence == "true",
        compression_type=None if run.codec == "none" else run.codec,
        **settings,
    )


def spread_hash(number):
    """What spreads record numbers, with the same result in every language."""
    x = number * 2654435761 & 0xFFFFFFFF
    x ^= x >> 16
    x = x * 0x85EBCA6B & 0xFFFFFFFF
    return x ^ x >> 13


FIRST_HASHES = [0, 1678549374, 4256427940, 2630778099, 2170012909, 189464437]
if [spread_hash(number) for number in range(6)] != FIRST_HASHES:
    raise ValueError("the hash is not that of the other languages")


class Tally:
    """What came of the records of one stretch."""

    def __init__(self):
        self.errors = 0
        self.first = None
        self.latencies = []

    def fail(self, error):
        self.errors += 1
        self.first = self.first or f"{type(error).__name__}: {error}"


class Peer:
    def __init__(self, run, producer):
        self.run = run
        self.producer = producer
        with open(run.payloads, "rb") as file:
            data = file.read()
        if run.size < 1 or not data or len(data) % run.size:
            raise ValueError("the payload file holds no whole values")
        self.data = data
        self.at = 0
        numbers = range(max(run.records, run.warmup))
        # Of all records before any is sent: hashing in Python would be a good part of sending.
        self.partitions = self.keys = None
        if run.spread == "random":
            self.partitions = [spread_hash(number) % run.partitions for number in numbers]
        if run.keys:
            keys = [b"key-%012d" % at for at in range(run.keys)]
            self.keys = [keys[spread_hash(number) % run.keys] for number in numbers]
        value = b"0123456789abcdef"
        self.headers = [(f"header-{at}", value) for at in range(run.headers)] or None

    def value(self):
        """The next value, written once, as a program writes its own."""
        at = self.at
        end = at + self.run.size
        self.at = 0 if end == len(self.data) else end
        return self.data[at:end]

    def partition(self, number):
        if self.partitions is not None:
            return self.partitions[number]
        return number % self.run.partitions if self.run.spread == "explicit" else None

    def key(self, number):
        return None if self.keys is None else self.keys[number]

    async def send(self, records):
        modes = {"handles": self.handles, "each": self.each, "tasks": self.tasks}
        tally = Tally()
        await modes[self.run.mode](records, tally)
        return tally

    async def handles(self, records, tally):
        send, topic, window = self.producer.send, self.run.topic, self.run.window
        value, key, partition, headers = self.value, self.key, self.partition, self.headers
        handles = collections.deque()
        for number in range(records):
            try:
                handle = await send(
                    topic, value(), key(number), partition=partition(number), headers=headers
                )
                handles.append(handle)
                if len(handles) > window:
                    await handles.popleft()
            except Exception as error:
                tally.fail(error)
        while handles:
            try:
                await handles.popleft()
            except Exception as error:
                tally.fail(error)

    async def each(self, records, tally):
        await self.task(iter(range(records)), tally)

    async def tasks(self, records, tally):
        numbers = iter(range(records))
        await asyncio.gather(*(self.task(numbers, tally) for _ in range(self.run.window)))

    async def task(self, numbers, tally):
        for number in numbers:
            began = time.perf_counter_ns()
            try:
                await self.producer.send_and_wait(
                    self.run.topic,
                    self.value(),
                    self.key(number),
                    partition=self.partition(number),
                    headers=self.headers,
                )
            except Exception as error:
                tally.fail(error)
            tally.latencies.append(time.perf_counter_ns() - began)


def percentiles(nanos):
    if not nanos:
        return None
    nanos.sort()
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
    last = len(nanos) - 1
    return {name: nanos[int(share * last + 0.5)] / 1000 for name, share in shares.items()}


def line(run, before, after, wall, warm, tally):
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    versions = [importlib.metadata.version("aiokafka"), f"python {platform.python_version()}"]
    versions.append(f"uvloop {uvloop.__version__}")
    return {
        "peer": "aiokafka",
        "version": ", ".join(versions),
        "mode": run.mode,
        "records": run.records,
        "wall_s": wall,
        "cpu_ns_per_record": cpu * 1e9 / run.records,
        "us_per_record": wall * 1e6 / run.records,
        "records_per_s": run.records / wall,
        "voluntary_switches": after.ru_nvcsw - before.ru_nvcsw,
        "involuntary_switches": after.ru_nivcsw - before.ru_nivcsw,
        "peak_rss_bytes": after.ru_maxrss * 1024,
        "errors": warm.errors + tally.errors,
        "first_error": warm.first or tally.first,
        "latency_us": percentiles(tally.latencies),
    }


async def main():
    run = arguments()
    async with producer(run) as opened:
        peer = Peer(run, opened)
        warm = await peer.send(run.warmup)
        before = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        tally = await peer.send(run.records)
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps(line(run, before, after, wall, warm, tally)))


uvloop.run(main())

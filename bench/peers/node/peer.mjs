// @kafkats/client as a peer. A send of its is done when all that it holds is written, so a send of
// one record is a batch of one. Modes: `arrays` (arrays of records, no more records open than the
// window), `each` (one record at a time) and `tasks` (as many tasks as the window, each with one
// record).

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

import { KafkaClient } from '@kafkats/client';

// What a record adds to its value, and a batch to its records.
const OVERHEAD = 12;
const HEADER = 61;

function take() {
  const names = [
    'bootstrap', 'topic', 'partitions', 'records', 'warmup', 'size', 'payloads', 'spread',
    'batch-bytes', 'linger-ms', 'in-flight', 'buffer-bytes', 'acks', 'idempotence', 'codec',
    'mode', 'window',
  ];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options });
  const number = (name, absent) => (values[name] === undefined ? absent : Number(values[name]));
  return {
    bootstrap: values.bootstrap,
    topic: values.topic,
    partitions: number('partitions'),
    records: number('records'),
    warmup: number('warmup', 0),
    size: number('size'),
    payloads: values.payloads,
    isExplicit: (values.spread ?? 'explicit') === 'explicit',
    batchBytes: number('batch-bytes'),
    lingerMs: number('linger-ms'),
    inFlight: number('in-flight'),
    acks: values.acks ?? 'all',
    idempotent: (values.idempotence ?? 'true') === 'true',
    codec: values.codec ?? 'none',
    mode: values.mode,
    window: number('window', 20_000),
  };
}

/** The run in its words. What is not said stays its default; it has no limit of its memory. */
function config(run) {
  const config = {
    acks: { all: 'all', 1: 'leader', 0: 'none' }[run.acks],
    idempotent: run.idempotent,
    compression: run.codec,
  };
  if (run.batchBytes !== undefined) config.maxBatchBytes = run.batchBytes;
  if (run.lingerMs !== undefined) config.lingerMs = run.lingerMs;
  if (run.inFlight !== undefined) config.maxInFlight = run.inFlight;
  return config;
}

class Tally {
  errors = 0;
  first = null;
  latencies = [];

  fail(error, records = 1) {
    this.errors += records;
    this.first ??= String(error);
  }
}

class Peer {
  constructor(run, producer) {
    this.run = run;
    this.producer = producer;
    this.data = readFileSync(run.payloads);
    this.at = 0;
    if (!(run.size > 0) || this.data.length === 0 || this.data.length % run.size !== 0) {
      throw new Error('the payload file holds no whole values');
    }
  }

  /** The next value, written once, as a program writes its own. */
  message(number) {
    const end = this.at + this.run.size;
    const value = Buffer.from(this.data.subarray(this.at, end));
    this.at = end === this.data.length ? 0 : end;
    return this.run.isExplicit ? { value, partition: number % this.run.partitions } : { value };
  }

  async send(records) {
    const tally = new Tally();
    if (this.run.mode === 'arrays') await this.arrays(records, tally);
    else if (this.run.mode === 'each') await this.tasks(records, tally, 1);
    else if (this.run.mode === 'tasks') await this.tasks(records, tally, this.run.window);
    else throw new Error(`no mode \`${this.run.mode}\``);
    return tally;
  }

  /** An array fills a batch of each partition, if the window has room for two such arrays. */
  async arrays(records, tally) {
    const { run, producer } = this;
    const batch = Math.max(1, Math.floor(((run.batchBytes ?? 16_384) - HEADER) / (run.size + OVERHEAD)));
    const full = batch * (run.isExplicit ? run.partitions : 1);
    const length = Math.max(1, Math.min(full, Math.floor(run.window / 2)));
    const open = Math.max(1, Math.floor(run.window / length));
    const answers = [];
    for (let number = 0; number < records; ) {
      const array = [];
      for (const end = Math.min(records, number + length); number < end; number++) {
        array.push(this.message(number));
      }
      answers.push(producer.send(run.topic, array).catch((error) => tally.fail(error, array.length)));
      if (answers.length >= open) await answers.shift();
    }
    await Promise.all(answers);
  }

  async tasks(records, tally, tasks) {
    let next = 0;
    const task = async () => {
      while (next < records) {
        const began = process.hrtime.bigint();
        try {
          await this.producer.send(this.run.topic, this.message(next++));
        } catch (error) {
          tally.fail(error);
        }
        tally.latencies.push(Number(process.hrtime.bigint() - began));
      }
    };
    await Promise.all(Array.from({ length: tasks }, task));
  }
}

function percentiles(nanos) {
  if (nanos.length === 0) return null;
  nanos.sort((a, b) => a - b);
  const at = (share) => nanos[Math.round(share * (nanos.length - 1))] / 1000;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1) };
}

function version() {
  // It exports no version, and its package.json is not for import; it lies beside what is.
  const entry = createRequire(import.meta.url).resolve('@kafkats/client');
  const text = readFileSync(entry.replace(/dist[\\/].*$/, 'package.json'));
  return `${JSON.parse(text).version}, node ${process.versions.node}`;
}

const run = take();
const client = new KafkaClient({
  brokers: [run.bootstrap],
  clientId: 'bench',
  logLevel: 'silent',
  ...(run.inFlight === undefined ? {} : { maxInFlightRequests: run.inFlight }),
});
await client.connect();
const producer = client.producer(config(run));
const peer = new Peer(run, producer);
const warm = await peer.send(run.warmup);
const before = process.resourceUsage();
const began = process.hrtime.bigint();
const tally = await peer.send(run.records);
const wall = Number(process.hrtime.bigint() - began) / 1e9;
const after = process.resourceUsage();
const cpu = after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime;
console.log(JSON.stringify({
  peer: 'kafkats',
  version: version(),
  mode: run.mode,
  records: run.records,
  wall_s: wall,
  cpu_ns_per_record: (cpu * 1000) / run.records,
  us_per_record: (wall * 1e6) / run.records,
  records_per_s: run.records / wall,
  voluntary_switches: after.voluntaryContextSwitches - before.voluntaryContextSwitches,
  involuntary_switches: after.involuntaryContextSwitches - before.involuntaryContextSwitches,
  peak_rss_bytes: after.maxRSS * 1024,
  errors: warm.errors + tally.errors,
  first_error: warm.first ?? tally.first,
  latency_us: percentiles(tally.latencies),
}));
await producer.disconnect();
await client.disconnect();

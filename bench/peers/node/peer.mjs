// @kafkats/client as a peer. A send of its is done when all that it holds is written, so a send of
// one record is a batch of one. Modes: `arrays` (arrays of records, no more records open than the
// window), `each` (one record at a time) and `tasks` (as many tasks as the window, each with one
// record).

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

import { KafkaClient } from '@kafkats/client';

// What a record adds to its value, a header and a key to their record, and a batch to its records.
const OVERHEAD = 12;
const HEADER_BYTES = 26;
const KEY_BYTES = 16;
const BATCH_HEADER = 61;

const FIRST_HASHES = [0, 1678549374, 4256427940, 2630778099, 2170012909, 189464437];

/** What spreads record numbers, with the same result in every language. */
function hash(number) {
  let x = Math.imul(number, 2654435761);
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  return (x ^ (x >>> 13)) >>> 0;
}

if (FIRST_HASHES.some((expected, number) => hash(number) !== expected)) {
  throw new Error('the hash is not that of the other languages');
}

function take() {
  const names = [
    'bootstrap', 'topic', 'partitions', 'records', 'warmup', 'size', 'payloads', 'spread',
    'batch-bytes', 'linger-ms', 'in-flight', 'buffer-bytes', 'acks', 'idempotence', 'codec',
    'mode', 'window', 'keys', 'headers', 'threads',
  ];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options });
  const number = (name, absent) => (values[name] === undefined ? absent : Number(values[name]));
  const spread = values.spread ?? 'explicit';
  if (!['explicit', 'random', 'automatic'].includes(spread)) throw new Error(`no spread \`${spread}\``);
  if (number('threads', 1) !== 1) throw new Error('there is one thread, the event loop\'s');
  return {
    bootstrap: values.bootstrap,
    topic: values.topic,
    partitions: number('partitions'),
    records: number('records'),
    warmup: number('warmup', 0),
    size: number('size'),
    payloads: values.payloads,
    spread,
    keys: number('keys', 0),
    headers: number('headers', 0),
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
    this.keys = Array.from({ length: run.keys }, (_, at) => Buffer.from(`key-${String(at).padStart(12, '0')}`));
    const value = Buffer.from('0123456789abcdef');
    this.headers = Object.fromEntries(Array.from({ length: run.headers }, (_, at) => [`header-${at}`, value]));
    if (!(run.size > 0) || this.data.length === 0 || this.data.length % run.size !== 0) {
      throw new Error('the payload file holds no whole values');
    }
  }

  /** A record; its value is the next, written once, as a program writes its own. */
  message(number) {
    const { run } = this;
    const end = this.at + run.size;
    const value = Buffer.from(this.data.subarray(this.at, end));
    this.at = end === this.data.length ? 0 : end;
    const message = { value };
    if (run.spread === 'explicit') message.partition = number % run.partitions;
    else if (run.spread === 'random') message.partition = hash(number) % run.partitions;
    if (run.keys > 0) message.key = this.keys[hash(number) % run.keys];
    if (run.headers > 0) message.headers = this.headers;
    return message;
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
    const record = run.size + OVERHEAD + (run.keys > 0 ? KEY_BYTES : 0) + run.headers * HEADER_BYTES;
    const batch = Math.max(1, Math.floor(((run.batchBytes ?? 16_384) - BATCH_HEADER) / record));
    // Records with neither partition nor key stay on one partition until its batch is full.
    const isSpread = run.spread !== 'automatic' || run.keys > 0;
    const full = batch * (isSpread ? run.partitions : 1);
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

// What went wrong is the last line, instead of Node's version.
process.on('uncaughtException', (error) => {
  console.error(String(error));
  process.exit(1);
});
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

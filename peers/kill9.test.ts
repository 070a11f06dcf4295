// Stations charge; the server is killed with -9 at random moments and started again, on SQLite and on PostgreSQL, which is killed under
// it as well. Whatever was answered is in the database afterwards, once. `amperstand fleet --ledger` writes down every answer that its
// stations got. AMP_KILLS=20 AMP_STATIONS=2000 for 2,000 messages a second (a release build: AMP_BUILD=build/release).
import test from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { removeDir, run, serve, Server, stop, tempDir, until } from './amperstand.ts';
import { Postgres } from './postgres.ts';

const kills = Number(process.env.AMP_KILLS ?? 4);
const stations = Number(process.env.AMP_STATIONS ?? 200);
type Ask = (sql: string) => any[];

async function killed(data: string, database: string[], disturb: (round: number) => Promise<void>): Promise<string[]> {
  const ledger = join(data, 'ledger');
  const options = ['--accept-unknown-tags', 'true', '--heartbeat', '45', ...database];
  // Not a port of the range that connections are made from: a station that tries while nobody listens could meet itself there.
  const port = 20000 + Math.floor(Math.random() * 12000);
  let server: Server = await serve(join(data, 'server'), options, port);
  const fleet = run(['fleet', '--url', server.ocpp, '--count', String(stations), '--seed', '7', '--ledger', ledger,
    '--interval', '1', '--charge', '3-8', '--idle', '0-2', '--retry', '1-1', '--rate', String(stations)]);
  const bytes = () => (existsSync(ledger) ? statSync(ledger).size : 0); // one line an answer, some 100 bytes
  const more = async (what: string) => {
    const have = bytes();
    await until(what, async () => bytes() > have + 40_000, 90_000);
  };
  let seed = 20261121;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  let best = 0;
  try {
    for (let i = 0; i < kills; i++) {
      await more('acknowledgements');
      const [from, at] = [bytes(), Date.now()];
      await new Promise((r) => setTimeout(r, 500 + random() * 500)); // the random moment, not a wait for something
      best = Math.max(best, ((bytes() - from) / (Date.now() - at)) * 1000);
      await disturb(i);
      server.child.kill('SIGKILL');
      await server.exited;
      server = await serve(join(data, 'server'), options, port);
    }
    await more('acknowledgements after the last kill');
  } finally {
    await stop(fleet);
  }
  await stop(server);
  const lines = readFileSync(ledger, 'utf8').split('\n').slice(0, -1);
  console.log(`${kills} kills, ${stations} stations, ${lines.length} answers, up to ${Math.round(best / (bytes() / lines.length))} a second just before a kill`);
  return lines;
}

test(`SQLite: kill -9 of the server, ${kills} times, under ${stations} stations`, { timeout: 1_200_000 }, async () => {
  const data = tempDir();
  const lines = await killed(data, [], async () => {});
  const ask: Ask = (query) => {
    const out = execFileSync('sqlite3', ['-json', join(data, 'server', 'amperstand.db'), query], { maxBuffer: 1 << 30 }).toString();
    return out ? JSON.parse(out) : [];
  };
  const partitions = ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'reading_[0-9]*' AND name NOT GLOB '*_by'").map((r) => r.name);
  check(ask, partitions, lines);
  removeDir(data);
});

const skip = existsSync('/usr/lib/postgresql/15/bin/postgres') ? false : 'PostgreSQL 15 is not installed (script/setup test brings it)';
test(`PostgreSQL: kill -9 of the server, ${kills} times, and of the database, under ${stations} stations`, { timeout: 1_200_000, skip }, async () => {
  const data = tempDir();
  mkdirSync(join(data, 'server'));
  const postgres = new Postgres(join(data, 'pg'));
  await postgres.create();
  const restart = async (round: number) => {
    if (round % 2) return; // under the server's hands: it goes on by itself
    await postgres.end('SIGKILL');
    await new Promise((r) => setTimeout(r, 200)); // its children end a little later
    postgres.start();
    await postgres.ready();
  };
  const lines = await killed(data, ['--database', postgres.url], restart);
  check((query) => postgres.rows(query), ['reading'], lines);
  await postgres.end('SIGQUIT');
  removeDir(data);
});

type Line = { kind: string; [name: string]: string };

// `start station=CP001 transaction=17 ...`, see fleet/ledger.h
function parse(line: string): Line {
  const [kind, ...fields] = line.split(' ');
  return { kind, ...Object.fromEntries(fields.map((f) => [f.slice(0, f.indexOf('=')), decodeURIComponent(f.slice(f.indexOf('=') + 1))])) };
}

// Every acknowledged line must be in the database as it was acknowledged, and nothing may be there twice.
function check(sql: Ask, tables: string[], acknowledged: string[]): void {
  const readings = sql(tables.map((p) => `SELECT charger, connector, transaction_key AS tx, at_ms, hash, energy_wh FROM ${p}`).join(' UNION ALL '));
  const transactions = sql('SELECT t.*, c.id AS station FROM charging_transaction t JOIN charger c ON c.key = t.charger');

  const byKey = new Map(transactions.map((t) => [String(t.key), t]));
  const readingAt = new Map<string, any[]>();
  for (const r of readings) {
    const key = `${r.tx}@${r.at_ms}`;
    readingAt.set(key, [...(readingAt.get(key) ?? []), r]);
  }
  const lost: string[] = [];
  const counts: Record<string, number> = { start: 0, meter: 0, stop: 0 };
  for (const line of acknowledged) {
    const a = parse(line);
    const t = byKey.get(a.transaction);
    counts[a.kind]++;
    let kept = t !== undefined && t.station === a.station;
    if (kept && a.kind === 'start')
      kept = t.connector === Number(a.connector) && t.tag === a.tag && t.meter_start_wh === Number(a.meter) && t.start_ms === Number(a.at);
    if (kept && a.kind === 'stop') kept = t.meter_stop_wh === Number(a.meter) && t.stop_ms === Number(a.at);
    if (kept && a.kind === 'meter')
      kept = (readingAt.get(`${a.transaction}@${a.at}`) ?? []).some((r) => a.energy === undefined || r.energy_wh === Number(a.energy));
    if (!kept) lost.push(line);
  }
  assert.deepEqual(lost.slice(0, 5), [], `${lost.length} of ${acknowledged.length} acknowledged messages are not in the database`);

  const twice = (rows: any[], key: (r: any) => string) => {
    const seen = new Map<string, number>();
    for (const r of rows) seen.set(key(r), (seen.get(key(r)) ?? 0) + 1);
    return [...seen].filter(([, n]) => n > 1);
  };
  assert.deepEqual(twice(transactions, (t) => [t.charger, t.connector, t.tag, t.start_ms, t.meter_start_wh].join()).slice(0, 5), [], 'a transaction is there twice');
  assert.deepEqual(twice(readings, (r) => [r.charger, r.connector, r.tx, r.at_ms, r.hash].join()).slice(0, 5), [], 'a reading is there twice');
  assert.ok(counts.start > 50 && counts.meter > 500 && counts.stop > 50, `too little happened: ${JSON.stringify(counts)}`);
  console.log(`acknowledged and found: ${counts.start} starts, ${counts.meter} readings, ${counts.stop} stops; ${transactions.length} transactions and ${readings.length} readings in the database`);
}

// 200 stations charge; the server is killed with -9 at random moments and started again. Whatever was answered is in the
// database afterwards, once. `amperstand fleet --ledger` writes down every answer that its stations got.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { removeDir, run, serve, Server, stop, tempDir, until } from './amperstand.ts';

const kills = Number(process.env.AMP_KILLS ?? 6);

test(`kill -9 of the server, ${kills} times, under 200 stations`, { timeout: 280_000 }, async () => {
  const data = tempDir();
  const ledger = join(data, 'ledger');
  const options = ['--accept-unknown-tags', 'true', '--heartbeat', '45'];
  let server: Server = await serve(data, options);
  const port = server.port;
  const fleet = run(['fleet', '--url', server.ocpp, '--count', '200', '--seed', '7', '--ledger', ledger,
    '--interval', '1', '--charge', '3-8', '--idle', '0-2', '--retry', '1-1', '--rate', '200']);
  const lines = () => {
    try {
      return readFileSync(ledger, 'utf8').split('\n').slice(0, -1);
    } catch {
      return [];
    }
  };
  let seed = 20261121;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let i = 0; i < kills; i++) {
    const have = lines().length;
    await until('acknowledgements', async () => lines().length > have + 400, 60_000);
    await new Promise((r) => setTimeout(r, random() * 300)); // the random moment, not a wait for something
    server.child.kill('SIGKILL');
    await server.exited;
    server = await serve(data, options, port);
  }
  const have = lines().length;
  await until('acknowledgements after the last kill', async () => lines().length > have + 400, 60_000);
  await stop(fleet);
  await stop(server);

  check(data, lines());
  removeDir(data);
});

type Line = { kind: string; [name: string]: string };

// `start station=CP001 transaction=17 ...`, see fleet/ledger.h
function parse(line: string): Line {
  const [kind, ...fields] = line.split(' ');
  return { kind, ...Object.fromEntries(fields.map((f) => [f.slice(0, f.indexOf('=')), decodeURIComponent(f.slice(f.indexOf('=') + 1))])) };
}

// Every acknowledged line must be in the database as it was acknowledged, and nothing may be there twice.
function check(data: string, acknowledged: string[]): void {
  const sql = (query: string): any[] => {
    const out = execFileSync('sqlite3', ['-json', join(data, 'amperstand.db'), query], { maxBuffer: 1 << 28 }).toString();
    return out ? JSON.parse(out) : [];
  };
  const partitions = sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'reading_[0-9]*' AND name NOT GLOB '*_by'").map((r) => r.name);
  const readings = sql(partitions.map((p: string) => `SELECT charger, connector, transaction_key AS tx, at_ms, hash, energy_wh FROM ${p}`).join(' UNION ALL '));
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

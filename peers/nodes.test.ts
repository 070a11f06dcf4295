// Three nodes, one PostgreSQL, one Redis, HAProxy in front, 300 stations that charge all the time. Commands and live views work from
// any node. Nodes are killed with -9, Redis is killed, PostgreSQL is restarted, a node is frozen while its station goes elsewhere: no
// acknowledged fact is lost or doubled, no command is lost silently or sent twice. AMP_KILLS=20 for a long form.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RPCClient } from 'ocpp-rpc';
import { removeDir, run, Running, Server, stop, until } from './amperstand.ts';
import { ask, Daemon, folder, freePort, haproxy, key, listen, missing, node, Postgres, redis } from './cluster.ts';

const kills = Number(process.env.AMP_KILLS ?? 2);
const count = 300;
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
let seed = 20261128;
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)];
const say = (text: string) => console.log(`# ${text}`);

const skip = missing();
const dir = skip ? '' : folder();
const options = ['--accept-unknown-tags', 'true', '--heartbeat', '30', '--log-level', 'info'];
let postgres: Postgres, cache: Daemon, proxy: Daemon, fleet: Running;
let ports: number[], front: string, more: string[];
const nodes: Server[] = [];
const alive = () => nodes.filter((n) => n.child.exitCode === null && n.child.signalCode === null);

const start = async (i: number) => (nodes[i] = await node(dir, `n${i + 1}`, ports[i], more));
const kill = async (n: Server) => {
  n.child.kill('SIGKILL');
  await n.exited;
};
// Stations that are connected at living nodes, as the node `from` sees it.
async function connected(from: Server): Promise<number> {
  const { body } = await ask(from.http, 'GET', '/nodes');
  const here = new Set(alive().map((n) => `n${nodes.indexOf(n) + 1}`)); // a lease outlives its node
  return body.items.filter((n: any) => here.has(n.id)).reduce((sum: number, n: any) => sum + n.stations, 0);
}
const ready = (http: string) => fetch(`${http}/readyz`).then((a) => a.status === 200, () => false);
const ledger = () => {
  try {
    return readFileSync(join(dir, 'ledger'), 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
};
const progress = async (what: string, lines = 300) => {
  const have = ledger().length;
  await until(`acknowledgements ${what}`, async () => ledger().length > have + lines, 60_000);
};

// ---- commands without end: each with a text of its own, asked of any node ----
type Asked = { text: string; status: number; key?: number };
const asked: Asked[] = [];
let asking = true;
async function commands(): Promise<void> {
  for (let n = 0; asking; n++) {
    const text = `command-${n}-${Math.floor(random() * 1e9)}`;
    const one: Asked = { text, status: 0 };
    asked.push(one);
    const station = `CP${String(1 + Math.floor(random() * count)).padStart(3, '0')}`;
    const wait = random() < 0.3 ? '?wait=5' : '';
    const to = random() < 0.5 ? front : pick(alive()).http;
    ask(to, 'POST', `/chargers/${station}/commands${wait}`, { action: 'DataTransfer', payload: { vendorId: 'test', data: text } })
      .then((a) => {
        one.status = a.status;
        one.key = a.body?.id;
      })
      .catch(() => (one.status = -1)); // its node was killed under it
    await sleep(15);
  }
}

test('several nodes', { skip, timeout: 290_000 }, async (t) => {
  const [p1, p2, p3, pf, pr] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
  ports = [p1, p2, p3];
  front = `http://127.0.0.1:${pf}`;
  postgres = new Postgres(join(dir, 'pg'));
  await postgres.create();
  cache = redis(dir, pr);
  cache.start();
  proxy = haproxy(dir, pf, ports);
  more = ['--database', postgres.url, '--redis', `redis://127.0.0.1:${pr}`, ...options];
  try {
    await Promise.all([0, 1, 2].map(start));
    proxy.start();
    await until('the proxy', async () => ready(front));
    await scenario(t, pr);
  } finally {
    asking = false;
    if (fleet) await stop(fleet);
    for (const n of nodes) {
      n.child.kill('SIGCONT');
      await stop(n, 'SIGKILL');
    }
    await proxy.end('SIGKILL');
    await cache.end('SIGKILL');
    await postgres.end('SIGQUIT');
    if (process.env.AMP_KEEP) say(`kept: ${dir}`);
    else removeDir(dir);
  }
});

async function scenario(t: any, redisPort: number): Promise<void> {
  await t.test('300 stations through the proxy: every node sees all, one leads', async () => {
    fleet = run(['fleet', '--url', `${front.replace('http', 'ws')}/ocpp`, '--count', String(count), '--seed', '7', '--ledger', join(dir, 'ledger'),
      '--interval', '2', '--charge', '4-10', '--idle', '0-2', '--retry', '1-2', '--rate', '300']);
    for (const n of nodes) await until(`${count} stations seen by all`, async () => (await connected(n)) === count, 60_000);
    const lists = await Promise.all(nodes.map(async (n) => (await ask(n.http, 'GET', '/nodes')).body.items));
    for (const list of lists) {
      assert.equal(list.length, 3);
      assert.ok(list.every((n: any) => n.stations > 50), `spread by the proxy: ${list.map((n: any) => n.stations)}`);
    }
    await until('a leader', async () => (await ask(nodes[0].http, 'GET', '/nodes')).body.items.filter((n: any) => n.leads).length === 1);
    await progress('at first');
  });

  await t.test('a file is given out by the node that took it; another one says so and names it', async () => {
    const headers = { authorization: `Bearer ${key}` };
    const taken = await fetch(`${nodes[0].http}/api/v1/files?name=a.bin`, { method: 'POST', headers, body: 'the bytes' });
    const file: any = await taken.json();
    assert.equal(taken.status, 201, JSON.stringify(file));
    await until('the file is known everywhere', async () => (await ask(nodes[1].http, 'GET', `/files/${file.id}`)).status === 200);
    for (const path of [`/api/v1/files/${file.id}/content`, file.path]) {
      assert.equal(await (await fetch(nodes[0].http + path, { headers })).text(), 'the bytes');
      const answer = await fetch(nodes[1].http + path, { headers });
      const problem: any = await answer.json();
      assert.equal(answer.status, 503);
      assert.match(problem.detail, /n1 \(127\.0\.0\.1:/);
      assert.ok(problem.cure && answer.headers.get('retry-after'));
    }
  });

  await t.test('a command from any node to a station of any node, with its answer', async () => {
    for (let i = 1; i <= 30; i++) {
      const a = await ask(nodes[i % 3].http, 'POST', `/chargers/CP${String(i).padStart(3, '0')}/trigger?wait=20`, { requestedMessage: 'Heartbeat' });
      assert.equal(a.status, 200, JSON.stringify(a.body));
      assert.ok(['accepted', 'confirmed'].includes(a.body.state), JSON.stringify(a.body));
    }
  });

  await t.test('live views of any node: the present by PostgreSQL, messages and readings by Redis', async () => {
    const views = nodes.map((n) => listen(n.http, 'chargers,transactions,messages,commands'));
    for (const v of views)
      await until('events of many stations', async () => {
        const of = (kind: string) => new Set(v.seen.filter((e) => e.kind === kind).map((e) => e.data.charger)).size;
        return of('transaction') > count * 0.6 && of('reading') > count * 0.6 && of('message') > count * 0.9;
      });
    views.forEach((v) => v.stop());
  });

  await t.test('Redis has who is connected where, and the stream of what happened', async () => {
    const cli = (...args: string[]) => execFileSync('redis-cli', ['-p', String(redisPort), '--json', ...args], { maxBuffer: 1 << 28 }).toString();
    await until('all present', async () => JSON.parse(cli('KEYS', 'amperstand:presence:*')).length === count);
    assert.match(JSON.parse(cli('GET', 'amperstand:presence:CP001')), /^n[123]$/);
    assert.ok(Number(cli('TTL', 'amperstand:presence:CP001')) > 0, 'it expires');
    assert.equal(JSON.parse(cli('GET', 'amperstand:node:n2')), `127.0.0.1:${nodes[1].port}`);
    const read = (): Record<string, string>[] =>
      (JSON.parse(cli('XRANGE', 'amperstand:events', '-', '+')) as [string, string[]][]).map(([, f]) => Object.fromEntries(f.flatMap((x, i) => (i % 2 ? [] : [[x, f[i + 1]]]))));
    const ids = (type: string) => events.filter((e) => e.type === type).map((e) => JSON.parse(e.data).id);
    let events = read();
    await until('beginnings and ends', async () => ((events = read()), ids('transaction.started').length > count / 2 && ids('transaction.ended').length > count / 4));
    const begun = ids('transaction.started'), ended = ids('transaction.ended');
    assert.equal(new Set(begun).size, begun.length, 'each beginning once');
    assert.equal(new Set(ended).size, ended.length, 'each end once');
    for (const type of ['charger.connected', 'connector.status', 'command.accepted']) assert.ok(events.some((e) => e.type === type && e.charger && /^n[123]$/.test(e.node)), type);
  });

  await t.test('the same thing made at two nodes at once is there once', async () => {
    const [a, b, c] = nodes.map((n) => n.http);
    for (let i = 0; i < 10; i++) {
      const both = await Promise.all([
        ask(a, 'POST', '/chargers', { id: `Twin${i}`, registration: 'accepted' }),
        ask(b, 'POST', '/chargers', { id: `TWIN${i}`, registration: 'accepted' }),
        ask(a, 'PUT', `/tags/twin${i}`, { status: 'Accepted', note: 'a' }),
        ask(b, 'PUT', `/tags/TWIN${i}`, { status: 'Blocked', note: 'b' }),
        ask(b, 'POST', '/users', { login: `twin${i}`, password: 'a-long-password-1', role: 'OPERATOR' }),
        ask(c, 'POST', '/users', { login: `Twin${i}`, password: 'a-long-password-2', role: 'OPERATOR' }),
      ]);
      // 503: the other node took the charger over before it was stored, and said so
      assert.ok(both.every((x, k) => [200, 201, 409].includes(x.status) || (k < 2 && x.status === 503)), JSON.stringify(both));
      assert.ok(both[0].status === 201 || both[1].status === 201);
    }
    for (const [table, column] of [['charger', 'id'], ['tag', 'tag'], ['person', 'login']])
      assert.equal(postgres.rows(`SELECT count(*) AS n FROM ${table} WHERE lower(${column}) LIKE 'twin%'`)[0].n, 10, table);
    // all nodes agree with the database, whoever was last
    const rows = new Map(postgres.rows(`SELECT lower(tag) AS tag, status FROM tag WHERE lower(tag) LIKE 'twin%'`).map((r) => [r.tag, r.status]));
    for (const n of nodes)
      await until('the tags agree', async () => {
        for (const [tag, status] of rows) if ((await ask(n.http, 'GET', `/tags/${tag}`)).body?.status !== status) return false;
        return true;
      });
    // a charger of another node is changed by its owner
    for (const n of nodes) {
      const one = await ask(n.http, 'PATCH', '/chargers/CP001', { registration: 'accepted' });
      assert.equal(one.status, 200, JSON.stringify(one.body));
    }
  });

  const asks = commands();
  for (let i = 0; i < kills; i++)
    await t.test(`kill -9 of a node under load, ${i + 1} of ${kills}`, async () => {
      await progress('before the kill');
      await sleep(random() * 400); // the random moment
      // one that has stations: after its restart a node waits for new ones
      const stations = (await ask(nodes[0].http, 'GET', '/nodes')).body.items.map((n: any) => ({ at: Number(n.id.slice(1)) - 1, had: n.stations }));
      const { at, had } = pick(stations.filter((n: any) => n.had > 60)) as { at: number; had: number };
      const lonely = i === 0 ? await alone(nodes[at]) : null;
      const began = Date.now();
      await kill(nodes[at]);
      const other = alive()[0];
      await until('all stations elsewhere', async () => (await connected(other)) === count, 60_000);
      say(`node n${at + 1} killed: its ${had} stations were all at other nodes after ${Date.now() - began} ms`);
      await progress('after the kill');
      if (lonely) await orphan(other);
      await start(at);
      await until('it is back', async () => (await ask(other.http, 'GET', '/nodes')).body.items.filter((n: any) => n.alive).length === 3);
    });

  await t.test('Redis killed and back: only live messages of other nodes are missing meanwhile', async () => {
    await cache.end('SIGKILL');
    await progress('without Redis');
    const a = await ask(nodes[0].http, 'POST', '/chargers/CP007/trigger?wait=20', { requestedMessage: 'Heartbeat' });
    assert.equal(a.status, 200);
    const present = listen(nodes[0].http, 'transactions');
    await until('transactions of far stations', async () => new Set(present.seen.filter((e) => e.kind === 'transaction').map((e) => e.data.charger)).size > count * 0.5);
    present.stop();
    cache.start();
    const views = alive().map((n) => listen(n.http, 'messages'));
    for (const v of views) await until('messages of far stations again', async () => new Set(v.seen.map((e) => e.data.charger)).size > count * 0.9, 30_000);
    views.forEach((v) => v.stop());
  });

  await t.test('PostgreSQL restarted: what was not stored was not acknowledged', async () => {
    await postgres.end('SIGQUIT'); // at once, as in a crash
    await sleep(500 + random() * 1000);
    postgres.start();
    await postgres.ready();
    const began = Date.now();
    for (const n of alive()) await until('ready again', async () => ready(n.http), 60_000);
    await until('all stations connected', async () => (await connected(alive()[0])) === count, 60_000);
    say(`PostgreSQL back: all ready with all stations after ${Date.now() - began} ms`);
    await progress('after the restart');
  });

  await t.test('two nodes that both believe they own a station: the epoch decides', () => split());

  asking = false;
  await asks;
  await stop(fleet);
  await t.test('nothing acknowledged is lost or doubled; commands have an end and left once', () => check());
}

// ---- a station that does not come back ----
async function alone(n: Server): Promise<any> {
  const client: any = new RPCClient({ endpoint: n.ocpp, identity: 'LONELY', protocols: ['ocpp1.6'], reconnect: false } as any);
  client.handle('Reset', () => new Promise(() => {})); // it never answers
  await client.connect();
  await client.call('BootNotification', { chargePointVendor: 'Foreign', chargePointModel: 'Peer' });
  const sent = await ask(n.http, 'POST', '/chargers/LONELY/reset', { type: 'Soft' });
  assert.equal(sent.status, 202);
  await until('it is sent', async () => postgres.rows(`SELECT state FROM command WHERE key = ${sent.body.id}`)[0]?.state === 2);
  return sent.body.id;
}
async function orphan(n: Server): Promise<void> {
  const asked = await ask(n.http, 'POST', '/chargers/LONELY/trigger?wait=30', { requestedMessage: 'Heartbeat' });
  assert.ok(asked.status === 409 || asked.body.state === 'error', JSON.stringify(asked.body));
  await until('it is offline', async () => (await ask(n.http, 'GET', '/chargers/LONELY')).body.connection === 'offline', 30_000);
  const states = postgres.rows(`SELECT k.action, k.state, k.answer FROM command k JOIN charger c ON c.key = k.charger WHERE c.id = 'LONELY'`);
  assert.ok(states.length >= 1 && states.every((k) => k.state > 2 && k.answer), JSON.stringify(states));
}

// ---- a frozen node ----
async function split(): Promise<void> {
  const [a, b] = [nodes[0], nodes[1]];
  const connect = async (n: Server): Promise<any> => {
    const client: any = new RPCClient({ endpoint: n.ocpp, identity: 'SPLIT', protocols: ['ocpp1.6'], reconnect: false, callTimeoutMs: 6000 } as any);
    await client.connect();
    await client.call('BootNotification', { chargePointVendor: 'Foreign', chargePointModel: 'Peer' });
    return client;
  };
  const begin = (client: any, connectorId: number, tag: string) =>
    client.call('StartTransaction', { connectorId, idTag: tag, meterStart: 100, timestamp: new Date().toISOString() });
  const old = await connect(a);
  let closed = false;
  old.on('disconnect', () => (closed = true));
  const first = (await begin(old, 1, 'SPLIT-1')).transactionId;
  a.child.kill('SIGSTOP');
  // the old socket says something to the node that sleeps; it believes for ever that the station is its own
  const late = begin(old, 2, 'SPLIT-OLD').then(() => 'answered', () => 'not answered');
  const fresh = await connect(b);
  const second = (await begin(fresh, 2, 'SPLIT-NEW')).transactionId;
  assert.notEqual(first, second);
  a.child.kill('SIGCONT');
  assert.equal(await late, 'not answered', 'what the former owner heard is not acknowledged');
  await until('the old socket is closed', async () => closed);
  const stopped = await fresh.call('StopTransaction', { transactionId: first, meterStop: 900, timestamp: new Date().toISOString() });
  assert.ok(stopped);
  const rows = postgres.rows(`SELECT t.key, t.tag, t.state, t.meter_stop_wh FROM charging_transaction t JOIN charger c ON c.key = t.charger WHERE c.id = 'SPLIT' ORDER BY t.key`);
  assert.deepEqual(rows.map((r) => r.tag).sort(), ['SPLIT-1', 'SPLIT-NEW'], JSON.stringify(rows));
  assert.equal(rows.find((r) => r.tag === 'SPLIT-1').meter_stop_wh, 900);
  await fresh.close();
}

// ---- the end: the ledger of the stations against the database ----
type Line = { kind: string; [name: string]: string };
function parse(line: string): Line {
  const [kind, ...fields] = line.split(' ');
  return { kind, ...Object.fromEntries(fields.map((f) => [f.slice(0, f.indexOf('=')), decodeURIComponent(f.slice(f.indexOf('=') + 1))])) };
}
const twice = (rows: any[], of: (r: any) => string) => {
  const seen = new Map<string, number>();
  for (const r of rows) seen.set(of(r), (seen.get(of(r)) ?? 0) + 1);
  return [...seen].filter(([, n]) => n > 1);
};

async function check(): Promise<void> {
  const pending = () => postgres.rows('SELECT key, state, answer, created_ms, charger FROM command WHERE state <= 2');
  await until('every command has an end', async () => pending().length === 0, 60_000).catch((e) => {
    throw new Error(`${e.message}: ${JSON.stringify(pending().slice(0, 5))}`);
  });
  const transactions = postgres.rows('SELECT t.*, c.id AS station FROM charging_transaction t JOIN charger c ON c.key = t.charger');
  const readings = postgres.rows('SELECT charger, connector, transaction_key AS tx, at_ms, hash, energy_wh FROM reading');
  const byKey = new Map(transactions.map((r) => [String(r.key), r]));
  const readingAt = new Map<string, any[]>();
  for (const r of readings) readingAt.set(`${r.tx}@${r.at_ms}`, [...(readingAt.get(`${r.tx}@${r.at_ms}`) ?? []), r]);
  const lost: string[] = [];
  const counts: Record<string, number> = { start: 0, meter: 0, stop: 0 };
  for (const line of ledger()) {
    const a = parse(line);
    const r = byKey.get(a.transaction);
    counts[a.kind]++;
    let kept = r !== undefined && r.station === a.station;
    if (kept && a.kind === 'start') kept = r.connector === Number(a.connector) && r.tag === a.tag && r.meter_start_wh === Number(a.meter) && r.start_ms === Number(a.at);
    if (kept && a.kind === 'stop') kept = r.meter_stop_wh === Number(a.meter) && r.stop_ms === Number(a.at);
    if (kept && a.kind === 'meter')
      kept = (readingAt.get(`${a.transaction}@${a.at}`) ?? []).some((x) => a.energy === undefined || x.energy_wh === Number(a.energy));
    if (!kept) lost.push(line);
  }
  assert.deepEqual(lost.slice(0, 5), [], `${lost.length} acknowledged messages are not in the database`);
  assert.deepEqual(twice(transactions, (r) => [r.charger, r.connector, r.tag, r.start_ms, r.meter_start_wh].join()).slice(0, 5), [], 'a transaction is there twice');
  assert.deepEqual(twice(readings, (r) => [r.charger, r.connector, r.tx, r.at_ms, r.hash].join()).slice(0, 5), [], 'a reading is there twice');
  assert.ok(counts.start > 100 && counts.meter > 300 && counts.stop > 100, `too little happened: ${JSON.stringify(counts)}`);
  assert.deepEqual(twice(postgres.rows('SELECT id FROM charger'), (r) => r.id.toLowerCase()), [], 'a charger is there twice');

  const commands = new Map(postgres.rows(`SELECT key, state, answer, payload::json->>'data' AS text FROM command WHERE action = 'DataTransfer'`).map((r) => [r.text, r]));
  const sent = postgres.rows(`SELECT payload::json->>'data' AS text FROM message WHERE direction = 2 AND type = 2 AND action = 'DataTransfer'`);
  assert.deepEqual(twice(sent, (r) => r.text).slice(0, 5), [], 'a command was sent twice');
  const took = asked.filter((a) => a.key !== undefined && (a.status === 200 || a.status === 202));
  const silent = took.filter((a) => commands.get(a.text)?.key !== a.key);
  assert.deepEqual(silent.slice(0, 5), [], `${silent.length} commands that were taken are gone`);
  const wordless = [...commands.values()].filter((r) => r.state > 4 && r.state < 7 && !r.answer);
  assert.deepEqual(wordless.slice(0, 5), [], 'a command failed without a reason');
  const states = new Map<number, number>();
  for (const r of commands.values()) states.set(r.state, (states.get(r.state) ?? 0) + 1);
  const reasons = new Map<string, number>();
  for (const r of commands.values()) if (r.state === 5 || r.state === 6) reasons.set(r.answer, (reasons.get(r.answer) ?? 0) + 1);
  say(`why commands failed: ${JSON.stringify(Object.fromEntries(reasons))}`);
  say(`acknowledged and found once: ${counts.start} starts, ${counts.meter} readings, ${counts.stop} stops`);
  say(`${asked.length} commands asked for, ${took.length} taken, ${sent.length} sent; ends by state ${JSON.stringify(Object.fromEntries(states))}; refused ${asked.filter((a) => a.status >= 400).length}, their node died ${asked.filter((a) => a.status === -1).length}`);
}

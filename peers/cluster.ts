// Real servers for the test of several nodes: PostgreSQL, Redis, HAProxy, each of this test's own, on loopback and in a folder of
// their own.
import { createServer } from 'node:net';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, Server, tempDir, until, waitLine } from './amperstand.ts';
import { Daemon, Postgres } from './postgres.ts';

export { Daemon, Postgres };
export const key = 'cluster-tests-admin-key-0123456789';

// Why it cannot run here, or false.
export function missing(): string | false {
  for (const [path, name] of [['/usr/lib/postgresql/15/bin/postgres', 'postgresql'], ['/usr/sbin/haproxy', 'haproxy'], ['/usr/bin/redis-server', 'redis-server']])
    if (!existsSync(path)) return `${name} is not installed (script/setup test brings it)`;
  return false;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const s = createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address() as { port: number };
      s.close(() => resolve(port));
    });
  });
}

// docs/haproxy.cfg, with our addresses in place of its own.
export function haproxy(dir: string, port: number, nodes: number[]): Daemon {
  const root = join(process.cwd(), 'docs', 'haproxy.cfg');
  let text = readFileSync(root, 'utf8').replaceAll('10.0.0.10:8080', `127.0.0.1:${port}`);
  nodes.forEach((p, i) => (text = text.replaceAll(`10.0.0.1${i + 1}:8180`, `127.0.0.1:${p}`)));
  if (text.includes('10.0.0.1')) throw new Error('docs/haproxy.cfg has an address that is not replaced');
  writeFileSync(join(dir, 'haproxy.cfg'), text);
  return new Daemon('/usr/sbin/haproxy', ['-db', '-f', join(dir, 'haproxy.cfg')], join(dir, 'haproxy.log'));
}

export function redis(dir: string, port: number): Daemon {
  return new Daemon('/usr/bin/redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir], join(dir, 'redis.log'));
}

export async function node(dir: string, id: string, port: number, more: string[]): Promise<Server> {
  const r = run(['serve', '--listen', `127.0.0.1:${port}`, '--data', join(dir, id), '--node-id', id, ...more], { AMPERSTAND_ADMIN_KEY: key });
  await waitLine(r, /amperstand ready/);
  return { ...r, http: `http://127.0.0.1:${port}`, ocpp: `ws://127.0.0.1:${port}/ocpp`, port };
}

export async function ask(http: string, method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${http}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const json = (answer.headers.get('content-type') ?? '').includes('json'); // a proxy answers in HTML
  return { status: answer.status, body: text && json ? JSON.parse(text) : null };
}

// Server-Sent Events of a node until it is stopped: all events so far in `seen`.
export function listen(http: string, topics: string): { seen: any[]; stop: () => void } {
  const control = new AbortController();
  const seen: any[] = [];
  (async () => {
    const answer = await fetch(`${http}/api/v1/events?topics=${topics}`, { headers: { authorization: `Bearer ${key}` }, signal: control.signal });
    let rest = '';
    for await (const chunk of answer.body!) {
      rest += Buffer.from(chunk).toString();
      const lines = rest.split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line.startsWith('data: {')) seen.push(JSON.parse(line.slice(6)));
    }
  })().catch(() => {});
  return { seen, stop: () => control.abort() };
}

export const folder = (): string => tempDir();

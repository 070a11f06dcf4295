// Real servers for the test of several nodes: PostgreSQL, Redis, HAProxy, each of this test's own, on loopback and in a folder of
// their own.
import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, Server, tempDir, until, waitLine } from './amperstand.ts';

const pgBin = '/usr/lib/postgresql/15/bin';
export const key = 'cluster-tests-admin-key-0123456789';

// Why it cannot run here, or false.
export function missing(): string | false {
  for (const [path, name] of [[`${pgBin}/postgres`, 'postgresql'], ['/usr/sbin/haproxy', 'haproxy'], ['/usr/bin/redis-server', 'redis-server']])
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

export class Daemon {
  child!: ChildProcess;
  constructor(
    private command: string,
    private args: string[],
    private log: string,
    private who: { uid?: number; gid?: number } = {},
  ) {}
  start(): void {
    const out = openSync(this.log, 'a');
    this.child = spawn(this.command, this.args, { ...this.who, stdio: ['ignore', out, out], cwd: '/tmp' });
  }
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((r) => this.child.on('exit', r));
    this.child.kill(signal);
    await gone;
  }
}

// PostgreSQL refuses to run as root: there it runs as the user postgres.
export class Postgres extends Daemon {
  url: string;
  constructor(readonly dir: string) {
    const id = (what: string) => Number(execFileSync('id', [what, 'postgres']).toString());
    const who = process.getuid!() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
    mkdirSync(dir);
    chmodSync(join(dir, '..'), 0o711);
    if (who.uid !== undefined) execFileSync('chown', ['postgres', dir]);
    execFileSync(`${pgBin}/initdb`, ['-D', `${dir}/data`, '-U', 'amp', '-A', 'trust', '-N', '-E', 'UTF8', '--locale=C.UTF-8'], { ...who, cwd: '/tmp' });
    super(`${pgBin}/postgres`, ['-D', `${dir}/data`, '-k', dir, '-c', 'listen_addresses=', '-c', 'max_connections=60'], join(dir, '..', 'postgres.log'), who);
    this.url = `postgres://amp@/test?host=${dir}`;
  }
  async ready(): Promise<void> {
    await until('PostgreSQL', async () => this.quiet('postgres', 'SELECT 1') === '1');
  }
  private quiet(database: string, sql: string): string {
    try {
      return execFileSync('psql', ['-h', this.dir, '-U', 'amp', '-AtX', '-c', sql, database], { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 29 }).toString().trim();
    } catch {
      return '';
    }
  }
  async create(): Promise<void> {
    this.start();
    await this.ready();
    this.quiet('postgres', 'CREATE DATABASE test');
  }
  rows(sql: string): any[] {
    const text = execFileSync('psql', ['-h', this.dir, '-U', 'amp', '-AtX', '-c', `SELECT json_agg(r) FROM (${sql}) r`, 'test'], { maxBuffer: 1 << 29 }).toString().trim();
    return text ? JSON.parse(text) : [];
  }
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

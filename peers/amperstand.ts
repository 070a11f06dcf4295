// Starts our programs for the peer tests and speaks to the API. Everything on loopback, everything ended with the test.
import { spawn, ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const program = join(process.env.AMP_BUILD ?? 'build/dev', 'amperstand');
export const adminKey = 'peer-tests-admin-key-0123456789abcdef';

export function tempDir(): string {
  return mkdtempSync(join(tmpdir(), 'amperstand-peer-'));
}
export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

export interface Running {
  child: ChildProcess;
  lines: string[]; // what it wrote, both streams
  exited: Promise<{ code: number | null; signal: string | null }>;
}

export function run(args: string[], env: Record<string, string> = {}): Running {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      child.emit('text', line);
    });
  }
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  );
  return { child, lines, exited };
}

// Resolves with the first line that matches, also one that was written before the call.
export function waitLine(r: Running, pattern: RegExp, ms = 30_000): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    for (const line of r.lines) {
      const m = line.match(pattern);
      if (m) return resolve(m);
    }
    const fail = (why: string) => reject(new Error(`${why} while waiting for ${pattern}; last lines:\n${r.lines.slice(-15).join('\n')}`));
    const timer = setTimeout(() => fail('too late'), ms);
    r.child.on('text', (line: string) => {
      const m = line.match(pattern);
      if (m) {
        clearTimeout(timer);
        resolve(m);
      }
    });
    r.child.on('exit', () => {
      clearTimeout(timer);
      fail('exit');
    });
  });
}

export async function stop(r: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (r.child.exitCode === null && r.child.signalCode === null) r.child.kill(signal);
  await r.exited;
}

export interface Server extends Running {
  http: string; // http://127.0.0.1:port
  ocpp: string; // ws://127.0.0.1:port/ocpp
  port: number;
}

export async function serve(data: string, extra: string[] = [], port = 0): Promise<Server> {
  const r = run(['serve', '--listen', `127.0.0.1:${port}`, '--data', data, ...extra], { AMPERSTAND_ADMIN_KEY: adminKey });
  const m = await waitLine(r, /http:\/\/127\.0\.0\.1:(\d+)/);
  return { ...r, http: `http://127.0.0.1:${m[1]}`, ocpp: `ws://127.0.0.1:${m[1]}/ocpp`, port: Number(m[1]) };
}

export async function api(s: Server, method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${s.http}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}

// Polls until `probe` gives something; for states that come by themselves, such as a transaction that was just answered.
export async function until<T>(what: string, probe: () => Promise<T | undefined | false | null>, ms = 20_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const got = await probe();
    if (got) return got;
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

// Starts `amperstand serve` on loopback for a test, and speaks to its API with the administrator's key.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const build = process.env['AMP_BUILD'] ?? 'build/dev';
export const program = [join(build, 'amperstand'), join(build, 'cli', 'amperstand')].find(existsSync) ?? join(build, 'amperstand');
const key = 'browser-test-key-0123456789abcdef';

export interface Server {
  child: ChildProcess;
  data: string;
  http: string;
  port: number;
  log: string[];
}

export async function serve(port = 0, data = mkdtempSync(join(tmpdir(), 'amperstand-web-'))): Promise<Server> {
  const child = spawn(program, ['serve', '--listen', `127.0.0.1:${port}`, '--data', data], {
    env: { ...process.env, AMPERSTAND_ADMIN_KEY: key },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  return new Promise((resolve, reject) => {
    const line = (text: string): void => {
      log.push(text);
      const m = /http:\/\/127\.0\.0\.1:(\d+)/.exec(text);
      if (m) resolve({ child, data, log, port: Number(m[1]), http: `http://127.0.0.1:${m[1]}` });
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', line);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}:\n${log.join('\n')}`)));
  });
}

export async function end(s: Server, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (s.child.exitCode !== null || s.child.signalCode !== null) return s.child.exitCode;
  return new Promise((resolve) => {
    s.child.on('exit', (code) => resolve(code));
    s.child.kill(signal);
  });
}

export function forget(s: Server): void {
  rmSync(s.data, { recursive: true, force: true });
}

export async function api(s: Server, method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${s.http}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : undefined };
}

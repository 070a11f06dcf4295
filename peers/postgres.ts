// A PostgreSQL of a test's own, on a socket in a folder of its own.
import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './amperstand.ts';

const pgBin = '/usr/lib/postgresql/15/bin';

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

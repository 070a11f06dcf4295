// A foreign station (npm ocpp-rpc, strict: every message is checked against the published schemas) against `amperstand serve`.
import test from 'node:test';
import assert from 'node:assert/strict';
import { RPCClient } from 'ocpp-rpc';
import { api, removeDir, serve, Server, stop, tempDir, until } from './amperstand.ts';

let server: Server;
let data: string;
const complaints: unknown[] = [];

function station(identity: string): any {
  const client = new RPCClient({ endpoint: server.ocpp, identity, protocols: ['ocpp1.6'], strictMode: true, reconnect: false } as any);
  (client as any).on('strictValidationFailure', (e: any) => complaints.push({ identity, ...e }));
  return client;
}

async function boot(client: any): Promise<any> {
  await client.connect();
  const answer = await client.call('BootNotification', {
    chargePointVendor: 'Foreign', chargePointModel: 'Peer One', chargePointSerialNumber: 'F-1', firmwareVersion: '1.0.0',
  });
  for (const connectorId of [0, 1, 2])
    await client.call('StatusNotification', { connectorId, errorCode: 'NoError', status: 'Available', timestamp: new Date().toISOString() });
  return answer;
}

const meterValue = (wh: number, at = new Date()) => ({
  timestamp: at.toISOString(),
  sampledValue: [
    { value: String(wh), measurand: 'Energy.Active.Import.Register', unit: 'Wh', context: 'Sample.Periodic' },
    { value: '7.4', measurand: 'Power.Active.Import', unit: 'kW' },
    { value: '32.2', measurand: 'Current.Import', unit: 'A', phase: 'L1' },
    { value: '230.1', measurand: 'Voltage', unit: 'V', phase: 'L1-N' },
    { value: '41.5', measurand: 'Temperature', unit: 'Celsius' },
    { value: '55', measurand: 'SoC', unit: 'Percent' },
  ],
});

test.before(async () => {
  data = tempDir();
  server = await serve(data);
  for (const tag of ['PEERTAG1', 'PEERTAG2']) {
    const r = await api(server, 'PUT', `/tags/${tag}`, { status: 'Accepted' });
    assert.ok(r.status < 300, `tag ${tag}: ${r.status} ${JSON.stringify(r.body)}`);
  }
});
test.after(async () => {
  await stop(server);
  removeDir(data);
});

test('boot, a whole session and everything a station sends', async () => {
  const client = station('FOREIGN-1');
  const answer = await boot(client);
  assert.equal(answer.status, 'Accepted');
  assert.ok(answer.interval > 0);
  assert.ok(Math.abs(Date.parse(answer.currentTime) - Date.now()) < 5000);
  assert.ok(Date.parse((await client.call('Heartbeat', {})).currentTime) > 0);

  assert.equal((await client.call('Authorize', { idTag: 'PEERTAG1' })).idTagInfo.status, 'Accepted');
  assert.equal((await client.call('Authorize', { idTag: 'peertag1' })).idTagInfo.status, 'Accepted', 'tags compare without case');
  assert.equal((await client.call('Authorize', { idTag: 'NOBODY' })).idTagInfo.status, 'Invalid');

  const start = { connectorId: 1, idTag: 'PEERTAG1', meterStart: 1000, timestamp: new Date().toISOString() };
  const { transactionId, idTagInfo } = await client.call('StartTransaction', start);
  assert.equal(idTagInfo.status, 'Accepted');
  assert.ok(transactionId > 0);
  assert.equal((await client.call('StartTransaction', start)).transactionId, transactionId, 'a repeated start is the same transaction');

  for (let i = 1; i <= 3; i++)
    assert.deepEqual(await client.call('MeterValues', { connectorId: 1, transactionId, meterValue: [meterValue(1000 + 100 * i)] }), {});
  const stopped = { transactionId, idTag: 'PEERTAG1', meterStop: 1444, timestamp: new Date().toISOString(), reason: 'Local', transactionData: [meterValue(1444)] };
  assert.equal((await client.call('StopTransaction', stopped)).idTagInfo.status, 'Accepted');
  await client.call('StopTransaction', stopped);

  assert.equal((await client.call('DataTransfer', { vendorId: 'org.example', data: 'x' })).status, 'UnknownVendorId');
  await client.call('DiagnosticsStatusNotification', { status: 'Idle' });
  await client.call('FirmwareStatusNotification', { status: 'Idle' });
  await client.close();

  const tx = (await api(server, 'GET', `/transactions/${transactionId}`)).body;
  assert.equal(tx.meterStartWh, 1000);
  assert.equal(tx.meterStopWh, 1444);
  assert.equal(tx.idTag, 'PEERTAG1');
  const all = (await api(server, 'GET', '/transactions?charger=FOREIGN-1')).body.items;
  assert.equal(all.length, 1, 'neither the repeated start nor the repeated stop made a second one');
  const readings = (await api(server, 'GET', `/transactions/${transactionId}/readings`)).body.items;
  assert.equal(readings.length, 4);
  const log = (await api(server, 'GET', '/messages?charger=FOREIGN-1&limit=200')).body.items;
  const received = log.filter((m: any) => m.direction === 'received' && m.type === 'CALL').length;
  assert.equal(received, 1 + 3 + 1 + 3 + 2 + 3 + 2 + 3, 'every call is logged');
  assert.equal(log.filter((m: any) => m.direction === 'sent').length, received, 'and every answer');
});

test('every command of Core, answered', async () => {
  const client = station('FOREIGN-2');
  const seen: Record<string, any> = {};
  const answers: Record<string, any> = {
    RemoteStartTransaction: { status: 'Accepted' }, RemoteStopTransaction: { status: 'Accepted' }, UnlockConnector: { status: 'Unlocked' },
    Reset: { status: 'Accepted' }, TriggerMessage: { status: 'Accepted' }, ChangeAvailability: { status: 'Scheduled' }, ClearCache: { status: 'Accepted' },
    ChangeConfiguration: { status: 'RebootRequired' }, DataTransfer: { status: 'Accepted', data: 'pong' },
    GetConfiguration: { configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '300' }], unknownKey: ['Nonsense'] },
  };
  for (const [action, answer] of Object.entries(answers))
    client.handle(action, ({ params }: any) => {
      seen[action] = params;
      return answer;
    });
  await boot(client);

  const command = async (path: string, body: unknown): Promise<any> => {
    const r = await api(server, 'POST', `/chargers/FOREIGN-2${path}`, body);
    assert.equal(r.status, 202, `${path}: ${JSON.stringify(r.body)}`);
    return until(`an answer to ${path}`, async () => {
      const c = (await api(server, 'GET', `/commands/${r.body.id}`)).body;
      return c.state !== 'queued' && c.state !== 'sent' ? c : undefined;
    });
  };

  let c = await command('/remote-start', { connectorId: 1, idTag: 'PEERTAG2' });
  assert.equal(c.state, 'accepted');
  assert.deepEqual(seen.RemoteStartTransaction, { connectorId: 1, idTag: 'PEERTAG2' });
  const { transactionId } = await client.call('StartTransaction', { connectorId: 1, idTag: 'PEERTAG2', meterStart: 0, timestamp: new Date().toISOString() });
  await until('the start confirms its command', async () => (await api(server, 'GET', `/commands/${c.id}`)).body.state === 'confirmed');

  c = await command('/remote-stop', { connectorId: 1 });
  assert.equal(seen.RemoteStopTransaction.transactionId, transactionId);
  await client.call('StopTransaction', { transactionId, meterStop: 500, timestamp: new Date().toISOString(), reason: 'Remote' });
  await until('the stop confirms its command', async () => (await api(server, 'GET', `/commands/${c.id}`)).body.state === 'confirmed');

  await command('/unlock', { connectorId: 2 });
  await command('/reset', { type: 'Soft' });
  await command('/trigger', { requestedMessage: 'StatusNotification', connectorId: 1 });
  for (const [action, payload] of [
    ['ChangeAvailability', { connectorId: 0, type: 'Inoperative' }], ['ClearCache', {}], ['GetConfiguration', { key: ['HeartbeatInterval', 'Nonsense'] }],
    ['ChangeConfiguration', { key: 'HeartbeatInterval', value: '45' }], ['DataTransfer', { vendorId: 'org.example', messageId: 'ping' }],
  ] as const) {
    c = await command('/commands', { action, payload });
    assert.ok(['accepted', 'confirmed'].includes(c.state), `${action}: ${c.state}`);
    assert.deepEqual(seen[action], payload);
  }
  const wrong = await api(server, 'POST', '/chargers/FOREIGN-2/commands', { action: 'ChangeConfiguration', payload: { key: 'x' } });
  assert.equal(wrong.status, 422);
  assert.match(JSON.stringify(wrong.body), /value/, 'the missing field is named');
  await client.close();

  const offline = await api(server, 'POST', '/chargers/FOREIGN-2/unlock', { connectorId: 1 });
  assert.equal(offline.status, 409);
  assert.match(JSON.stringify(offline.body), /offline/);
});

test('the newest socket wins', async () => {
  const first = station('FOREIGN-3');
  await boot(first);
  const closed = new Promise<any>((resolve) => first.on('close', resolve));
  const second = station('FOREIGN-3');
  await second.connect();
  await closed;
  assert.ok((await second.call('Heartbeat', {})).currentTime);
  const charger = (await api(server, 'GET', '/chargers/FOREIGN-3')).body;
  assert.equal(charger.connection, 'connected', "the old socket's late close did not touch the new one");
  await second.close();
});

test('no schema complaint in the whole run', () => {
  assert.deepEqual(complaints, []);
});

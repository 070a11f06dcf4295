// A foreign central system (npm ocpp-rpc, strict) against our station: boot, the demo session, remote commands.
import test from 'node:test';
import assert from 'node:assert/strict';
import { RPCServer } from 'ocpp-rpc';
import { removeDir, run, Running, stop, tempDir, until } from './amperstand.ts';

const complaints: unknown[] = [];
const calls: { method: string; params: any }[] = [];
let peer: any; // the station's connection as the foreign server sees it
let server: any;
let port: number;
let data: string;
let ours: Running;
let nextTransaction = 100;

const of = (method: string) => calls.filter((c) => c.method === method).map((c) => c.params);

test.before(async () => {
  server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true } as any);
  server.auth((accept: any) => accept({}));
  server.on('client', (client: any) => {
    peer = client;
    client.on('strictValidationFailure', (e: any) => complaints.push({ outbound: e.outbound, isCall: e.isCall, method: e.method, params: e.params, error: String(e.error) }));
    const answers: Record<string, (p: any) => any> = {
      BootNotification: () => ({ status: 'Accepted', currentTime: new Date().toISOString(), interval: 45 }),
      Heartbeat: () => ({ currentTime: new Date().toISOString() }),
      StatusNotification: () => ({}),
      MeterValues: () => ({}),
      Authorize: () => ({ idTagInfo: { status: 'Accepted' } }),
      StartTransaction: () => ({ transactionId: nextTransaction++, idTagInfo: { status: 'Accepted' } }),
      StopTransaction: () => ({ idTagInfo: { status: 'Accepted' } }),
      DataTransfer: () => ({ status: 'UnknownVendorId' }),
      FirmwareStatusNotification: () => ({}),
      DiagnosticsStatusNotification: () => ({}),
    };
    for (const [method, answer] of Object.entries(answers))
      client.handle(method, ({ params }: any) => {
        calls.push({ method, params });
        return answer(params);
      });
  });
  port = (await server.listen(0, '127.0.0.1')).address().port;
  data = tempDir();
  ours = run(['station', '--url', `ws://127.0.0.1:${port}`, '--id', 'OURS-1', '--data', data, '--scenario', 'demo', '--speed', '10']);
});
test.after(async () => {
  await stop(ours);
  await server.close({ force: true });
  removeDir(data);
});

test('the demo, as a foreign server sees it', async () => {
  await until('both sessions end', async () => of('StopTransaction').length >= 2, 60_000);
  assert.equal(of('BootNotification').length, 1);
  const starts = of('StartTransaction');
  assert.deepEqual(starts.map((s) => [s.connectorId, s.idTag]).sort(), [[1, 'DemoTag01'], [2, 'DemoTag02']]);
  for (const stopped of of('StopTransaction')) {
    const begun = starts[stopped.transactionId - 100];
    assert.ok(stopped.meterStop > begun.meterStart, 'energy flowed');
    assert.ok(of('MeterValues').some((m) => m.transactionId === stopped.transactionId), 'readings carry the id that the server gave');
  }
  const measurands = new Set(of('MeterValues').flatMap((m) => m.meterValue.flatMap((v: any) => v.sampledValue.map((s: any) => s.measurand ?? 'Energy.Active.Import.Register'))));
  for (const m of ['Energy.Active.Import.Register', 'Power.Active.Import', 'Current.Import', 'Voltage', 'Temperature', 'SoC'])
    assert.ok(measurands.has(m), `${m} is reported`);
});

test('remote commands', async () => {
  await until('connector 1 is free again', async () => of('StatusNotification').filter((s) => s.connectorId === 1).at(-1)?.status === 'Available', 30_000);
  const before = of('StartTransaction').length;
  assert.equal((await peer.call('RemoteStartTransaction', { connectorId: 1, idTag: 'REMOTE1' })).status, 'Accepted');
  await until('a session begins by itself', async () => of('StartTransaction').length > before);
  const id = nextTransaction - 1;
  assert.equal(of('StartTransaction').at(-1).idTag, 'REMOTE1');
  assert.equal((await peer.call('RemoteStopTransaction', { transactionId: 999999 })).status, 'Rejected');
  assert.equal((await peer.call('RemoteStopTransaction', { transactionId: id })).status, 'Accepted');
  const stopped = await until('it ends', async () => of('StopTransaction').find((s) => s.transactionId === id));
  assert.equal(stopped.reason, 'Remote');

  assert.ok(['Unlocked', 'NotSupported'].includes((await peer.call('UnlockConnector', { connectorId: 2 })).status));
  assert.equal((await peer.call('UnlockConnector', { connectorId: 9 })).status, 'NotSupported');
  const all = await peer.call('GetConfiguration', {});
  assert.ok(all.configurationKey.length > 20);
  assert.ok(!all.configurationKey.some((k: any) => k.key === 'AuthorizationKey' && k.value), 'the key stays secret');
  assert.equal((await peer.call('ChangeConfiguration', { key: 'HeartbeatInterval', value: '45' })).status, 'Accepted');
  assert.equal((await peer.call('ChangeConfiguration', { key: 'HeartbeatInterval', value: '-1' })).status, 'Rejected');
  assert.equal((await peer.call('ChangeConfiguration', { key: 'NumberOfConnectors', value: '3' })).status, 'Rejected');
  assert.equal((await peer.call('ChangeConfiguration', { key: 'Nonsense', value: '3' })).status, 'NotSupported');
  const some = await peer.call('GetConfiguration', { key: ['heartbeatinterval', 'Nonsense'] });
  assert.deepEqual(some, { configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '45' }], unknownKey: ['Nonsense'] });

  const beats = of('Heartbeat').length;
  assert.equal((await peer.call('TriggerMessage', { requestedMessage: 'Heartbeat' })).status, 'Accepted');
  await until('the triggered heartbeat', async () => of('Heartbeat').length > beats);
  assert.equal((await peer.call('ChangeAvailability', { connectorId: 2, type: 'Inoperative' })).status, 'Accepted');
  await until('unavailable', async () => of('StatusNotification').filter((s) => s.connectorId === 2).at(-1)?.status === 'Unavailable');
  assert.equal((await peer.call('ChangeAvailability', { connectorId: 2, type: 'Operative' })).status, 'Accepted');

  assert.deepEqual(await peer.call('GetLocalListVersion', {}), { listVersion: 0 });
  await assert.rejects(peer.call('StartTransaction', { connectorId: 1, idTag: 'X', meterStart: 0, timestamp: new Date().toISOString() }), { rpcErrorCode: 'NotSupported' }, 'known, but not for a station');
  const boots = of('BootNotification').length;
  assert.equal((await peer.call('Reset', { type: 'Soft' })).status, 'Accepted');
  await until('it boots again', async () => of('BootNotification').length > boots, 60_000);
});

test('no schema complaint in the whole run', () => {
  assert.deepEqual(complaints, []);
});

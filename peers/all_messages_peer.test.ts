// Two foreign stations, npm `ocpp-rpc` and `ocpp-ws-io`, both strict: whatever they send or get is checked against the published
// schemas of 1.6 and its security extension. Each sends every message a station can send and answers every message a central system
// can send; nothing may be complained about, and our log must have each call with its answer.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RPCClient } from 'ocpp-rpc';
import { OCPPClient } from 'ocpp-ws-io';
import { api, removeDir, serve, Server, stop, tempDir, until } from './amperstand.ts';

let server: Server;
let data: string;
let certificate: string;

// A station's request for a certificate, with a key of its own; CN is its identity.
const request = (identity: string) =>
  execFileSync('openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${data}/${identity}.key`, '-subj', `/CN=${identity}`], { stdio: ['ignore', 'pipe', 'ignore'] }).toString();

// One face for both libraries.
interface Station {
  call(action: string, payload: unknown): Promise<any>;
  handle(action: string, answer: (payload: any) => any): void;
  connect(): Promise<void>;
  close(): Promise<void>;
  complaints: unknown[];
}
const kinds: Record<string, (identity: string) => Station> = {
  'ocpp-rpc': (identity) => {
    const c: any = new RPCClient({ endpoint: server.ocpp, identity, protocols: ['ocpp1.6'], strictMode: true, reconnect: false } as any);
    const complaints: unknown[] = [];
    c.on('strictValidationFailure', (e: any) => complaints.push({ method: e.method, params: e.params, error: String(e.error) }));
    return {
      complaints, connect: async () => { await c.connect(); }, close: () => c.close(),
      call: (action, payload) => c.call(action, payload),
      handle: (action, answer) => c.handle(action, ({ params }: any) => answer(params)),
    };
  },
  'ocpp-ws-io': (identity) => {
    const c: any = new OCPPClient({ endpoint: server.ocpp, identity, protocols: ['ocpp1.6'], strictMode: true, reconnect: false, logging: false } as any);
    const complaints: unknown[] = [];
    c.on('strictValidationFailure', (e: any) => complaints.push({ message: e.message, error: String(e.error) }));
    return {
      complaints, connect: async () => { await c.connect(); }, close: async () => { await c.close(); },
      call: (action, payload) => c.call('ocpp1.6', action, payload),
      handle: (action, answer) => c.handle('ocpp1.6', action, async ({ params }: any) => answer(params)),
    };
  },
};

const now = (seconds = 0) => new Date(Date.now() + seconds * 1000).toISOString();
const samples = (value: string) => [{ timestamp: now(), sampledValue: [{ value, context: 'Sample.Periodic', measurand: 'Energy.Active.Import.Register', unit: 'Wh', location: 'Outlet', format: 'Raw' }, { value: '3600', measurand: 'Power.Active.Import', phase: 'L1', unit: 'W' }] }];
const hash = { hashAlgorithm: 'SHA256', issuerNameHash: 'a1'.repeat(32), issuerKeyHash: 'b2'.repeat(32), serialNumber: '01' };
const profile = {
  chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Absolute',
  chargingSchedule: { startSchedule: now(), chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
};

// Everything a central system can send: its payload, the station's answer.
const commands: [string, unknown, () => unknown][] = [
  ['CancelReservation', { reservationId: 7 }, () => ({ status: 'Accepted' })],
  ['CertificateSigned', () => ({ certificateChain: certificate }), () => ({ status: 'Accepted' })],
  ['ChangeAvailability', { connectorId: 1, type: 'Inoperative' }, () => ({ status: 'Scheduled' })],
  ['ChangeConfiguration', { key: 'HeartbeatInterval', value: '60' }, () => ({ status: 'RebootRequired' })],
  ['ClearCache', {}, () => ({ status: 'Rejected' })],
  ['ClearChargingProfile', { id: 1, connectorId: 1, chargingProfilePurpose: 'TxProfile', stackLevel: 1 }, () => ({ status: 'Unknown' })],
  ['DataTransfer', { vendorId: 'org.example', messageId: 'ping', data: 'x' }, () => ({ status: 'Accepted', data: 'pong' })],
  ['DeleteCertificate', { certificateHashData: hash }, () => ({ status: 'NotFound' })],
  ['ExtendedTriggerMessage', { requestedMessage: 'LogStatusNotification', connectorId: 1 }, () => ({ status: 'NotImplemented' })],
  ['GetCompositeSchedule', { connectorId: 1, duration: 600, chargingRateUnit: 'W' }, () => ({ status: 'Accepted', connectorId: 1, scheduleStart: now(), chargingSchedule: { duration: 600, chargingRateUnit: 'W', chargingSchedulePeriod: [{ startPeriod: 0, limit: 11000.5, numberPhases: 3 }] } })],
  ['GetConfiguration', { key: ['HeartbeatInterval', 'Nonsense'] }, () => ({ configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '300' }], unknownKey: ['Nonsense'] })],
  ['GetDiagnostics', { location: 'ftp://files.example/up', retries: 1, retryInterval: 5, startTime: now(-3600), stopTime: now() }, () => ({ fileName: 'diag.tar.gz' })],
  ['GetInstalledCertificateIds', { certificateType: 'CentralSystemRootCertificate' }, () => ({ status: 'Accepted', certificateHashData: [hash] })],
  ['GetLocalListVersion', {}, () => ({ listVersion: 3 })],
  ['GetLog', { logType: 'SecurityLog', requestId: 5, retries: 2, retryInterval: 10, log: { remoteLocation: 'https://files.example/log', oldestTimestamp: now(-3600), latestTimestamp: now() } }, () => ({ status: 'Accepted', filename: 'security.log' })],
  ['InstallCertificate', () => ({ certificateType: 'ManufacturerRootCertificate', certificate }), () => ({ status: 'Failed' })],
  ['RemoteStartTransaction', { connectorId: 1, idTag: 'PEERTAG', chargingProfile: { ...profile, chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Relative', chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 10.5 }] } } }, () => ({ status: 'Accepted' })],
  ['RemoteStopTransaction', { transactionId: 4711 }, () => ({ status: 'Rejected' })],
  ['ReserveNow', { connectorId: 1, expiryDate: now(3600), idTag: 'PEERTAG', parentIdTag: 'PARENT', reservationId: 7 }, () => ({ status: 'Occupied' })],
  ['Reset', { type: 'Hard' }, () => ({ status: 'Rejected' })],
  ['SendLocalList', { listVersion: 4, updateType: 'Full', localAuthorizationList: [{ idTag: 'PEERTAG', idTagInfo: { status: 'Accepted', expiryDate: now(86400), parentIdTag: 'PARENT' } }, { idTag: 'GONE' }] }, () => ({ status: 'VersionMismatch' })],
  ['SetChargingProfile', { connectorId: 1, csChargingProfiles: profile }, () => ({ status: 'NotSupported' })],
  ['SignedUpdateFirmware', () => ({ requestId: 9, retries: 1, retryInterval: 30, firmware: { location: 'https://files.example/fw', retrieveDateTime: now(), installDateTime: now(60), signingCertificate: certificate, signature: 'c2ln' } }), () => ({ status: 'InvalidCertificate' })],
  ['TriggerMessage', { requestedMessage: 'MeterValues', connectorId: 1 }, () => ({ status: 'NotImplemented' })],
  ['UnlockConnector', { connectorId: 1 }, () => ({ status: 'UnlockFailed' })],
  ['UpdateFirmware', { location: 'ftp://files.example/fw.bin', retries: 3, retrieveDate: now(60), retryInterval: 60 }, () => ({})],
];

test.before(async () => {
  data = tempDir();
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${data}/key.pem`, '-out', `${data}/cert.pem`, '-days', '30', '-subj', '/CN=peer'], { stdio: 'ignore' });
  certificate = execFileSync('cat', [`${data}/cert.pem`]).toString();
  server = await serve(`${data}/server`);
  for (const tag of ['PEERTAG', 'PARENT']) assert.ok((await api(server, 'PUT', `/tags/${tag}`, { status: 'Accepted' })).status < 300);
});
test.after(async () => {
  await stop(server);
  removeDir(data);
});

for (const [library, make] of Object.entries(kinds)) {
  const id = `ALL-${library}`;
  const got: Record<string, any> = {};
  let station: Station;

  test(`${library}: every message that a station can send`, async () => {
    station = make(id);
    for (const [action, , answer] of commands)
      station.handle(action, (params) => {
        got[action] = params;
        return answer();
      });
    await station.connect();
    const boot = await station.call('BootNotification', {
      chargePointVendor: 'Foreign', chargePointModel: 'All', chargePointSerialNumber: 'A-1', chargeBoxSerialNumber: 'B-1', firmwareVersion: '1.2.3',
      iccid: '8949000000000000000', imsi: '262010000000000', meterType: 'M', meterSerialNumber: 'M-1',
    });
    assert.equal(boot.status, 'Accepted');
    for (const connectorId of [0, 1])
      assert.deepEqual(await station.call('StatusNotification', { connectorId, errorCode: 'NoError', status: 'Available', timestamp: now(), info: 'i', vendorId: 'v', vendorErrorCode: 'e' }), {});
    assert.ok((await station.call('Heartbeat', {})).currentTime);
    assert.equal((await station.call('Authorize', { idTag: 'PEERTAG' })).idTagInfo.status, 'Accepted');
    const { transactionId } = await station.call('StartTransaction', { connectorId: 1, idTag: 'PEERTAG', meterStart: 0, timestamp: now() });
    assert.ok(transactionId > 0);
    assert.deepEqual(await station.call('MeterValues', { connectorId: 1, transactionId, meterValue: samples('100') }), {});
    assert.equal((await station.call('StopTransaction', { transactionId, idTag: 'PEERTAG', meterStop: 200, timestamp: now(), reason: 'EVDisconnected', transactionData: samples('200') })).idTagInfo.status, 'Accepted');
    assert.ok((await station.call('DataTransfer', { vendorId: 'org.example', messageId: 'm', data: 'd' })).status);
    for (const status of ['Idle', 'Uploading', 'Uploaded', 'UploadFailed']) assert.deepEqual(await station.call('DiagnosticsStatusNotification', { status }), {});
    for (const status of ['Downloaded', 'DownloadFailed', 'Downloading', 'Idle', 'InstallationFailed', 'Installing', 'Installed']) assert.deepEqual(await station.call('FirmwareStatusNotification', { status }), {});
    assert.deepEqual(await station.call('LogStatusNotification', { status: 'Uploaded', requestId: 5 }), {});
    assert.deepEqual(await station.call('SecurityEventNotification', { type: 'TamperDetectionActivated', timestamp: now(), techInfo: 'lid' }), {});
    assert.deepEqual(await station.call('SignedFirmwareStatusNotification', { status: 'InstallVerificationFailed', requestId: 9 }), {});
    assert.deepEqual(await station.call('SignCertificate', { csr: request(id) }), { status: 'Accepted' });
    const chain = (await until('CertificateSigned', async () => got.CertificateSigned)).certificateChain as string;
    const issued = new X509Certificate(chain);
    assert.ok(issued.checkPrivateKey(createPrivateKey(readFileSync(`${data}/${id}.key`))), 'for its key');
    assert.match(issued.subject, new RegExp(`CN=${id}`));
    const kept = await until('the answer to CertificateSigned', async () => (await api(server, 'GET', '/certificates?state=installed')).body.items.find((c: any) => c.charger === id));
    assert.equal(BigInt(`0x${kept.serial}`), BigInt(`0x${issued.serialNumber}`));
    delete got.CertificateSigned; // it is sent once more below
  });

  test(`${library}: every message that a central system can send, answered`, async () => {
    for (const [action, payload] of commands) {
      const sent = typeof payload === 'function' ? (payload as () => unknown)() : payload;
      const asked = await api(server, 'POST', `/chargers/${id}/commands?wait=20`, { action, payload: sent });
      assert.ok([200, 202].includes(asked.status), `${action}: ${asked.status} ${JSON.stringify(asked.body)}`);
      const command = await until(`an answer to ${action}`, async () => {
        const c = (await api(server, 'GET', `/commands/${asked.body.id}`)).body;
        return !['queued', 'sent'].includes(c.state) && c;
      });
      assert.ok(!['error', 'timed_out'].includes(command.state), `${action}: ${JSON.stringify(command)}`);
      assert.deepEqual(got[action], sent, `${action} arrived as it was asked for`);
      assert.ok(command.answer, `${action}: the answer is kept`);
    }
    assert.equal(Object.keys(got).length, 26, 'all of them');
  });

  test(`${library}: nothing to complain about, and every call has its answer in the log`, async () => {
    assert.deepEqual(station.complaints, []);
    await station.close();
    const pairs = (await api(server, 'GET', `/messages/pairs?charger=${id}&limit=200`)).body.items;
    const ours = pairs.filter((p: any) => p.call.direction === 'sent');
    assert.deepEqual([ours.length, pairs.length - ours.length], [27, 24], 'all that was sent, both ways; CertificateSigned twice');
    for (const p of pairs) assert.ok(p.answer && p.latencyMs >= 0, `unanswered: ${JSON.stringify(p.call)}`);
    assert.ok(pairs.every((p: any) => !p.call.error && (p.answer.type === 'CALLRESULT')), 'no errors');
  });
}

// A day of a station of ours under a foreign central system (npm ocpp-rpc, strict): every message of 1.6 and its security extension
// that one side or the other can send, in one conversation, without one schema complaint.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { createSign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RPCServer } from 'ocpp-rpc';
import { removeDir, run, Running, stop, tempDir, until } from './amperstand.ts';

const image = 'amperstand-firmware 9.9.9\nand the rest is its own business\n';
const complaints: unknown[] = [];
const calls: { method: string; params: any }[] = [];
const uploads: { path: string; bytes: number }[] = [];
let peer: any;
let server: any;
let files: any;
let ours: Running;
let data: string;
let base: string; // of the file server
let next = 500;

const of = (method: string) => calls.filter((c) => c.method === method).map((c) => c.params);
const now = (seconds = 0) => new Date(Date.now() + seconds * 1000).toISOString();
const call = (method: string, params: unknown = {}) => peer.call(method, params);
const accepted = async (method: string, params: unknown = {}) => assert.equal((await call(method, params)).status, 'Accepted', method);

test.before(async () => {
  data = tempDir();
  files = createServer((request, response) => {
    const body: Buffer[] = [];
    request.on('data', (b) => body.push(b));
    request.on('end', () => {
      if (request.method === 'GET') return response.end(image);
      uploads.push({ path: request.url!, bytes: Buffer.concat(body).length });
      response.end('thanks');
    });
  });
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${files.address().port}`;

  server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true } as any);
  server.auth((accept: any) => accept({}));
  server.on('client', (client: any) => {
    peer = client;
    client.on('strictValidationFailure', (e: any) => complaints.push({ method: e.method, params: e.params, error: String(e.error) }));
    const answers: Record<string, () => any> = {
      BootNotification: () => ({ status: 'Accepted', currentTime: now(), interval: 300 }),
      Heartbeat: () => ({ currentTime: now() }),
      Authorize: () => ({ idTagInfo: { status: 'Accepted' } }),
      StartTransaction: () => ({ transactionId: next++, idTagInfo: { status: 'Accepted' } }),
      StopTransaction: () => ({ idTagInfo: { status: 'Accepted' } }),
      DataTransfer: () => ({ status: 'UnknownVendorId' }),
      SignCertificate: () => ({ status: 'Accepted' }),
    };
    for (const method of ['StatusNotification', 'MeterValues', 'FirmwareStatusNotification', 'DiagnosticsStatusNotification', 'LogStatusNotification',
      'SecurityEventNotification', 'SignedFirmwareStatusNotification']) answers[method] = () => ({});
    for (const [method, answer] of Object.entries(answers))
      client.handle(method, ({ params }: any) => {
        calls.push({ method, params });
        return answer();
      });
  });
  const port = (await server.listen(0, '127.0.0.1')).address().port;
  ours = run(['station', '--url', `ws://127.0.0.1:${port}`, '--id', 'DAY-1', '--data', data, '--retry', '1-1']);
  await until('it boots', async () => of('StatusNotification').length >= 3);
});
test.after(async () => {
  await stop(ours);
  await server.close({ force: true });
  files.close();
  removeDir(data);
});

test('the local list', async () => {
  assert.deepEqual(await call('GetLocalListVersion'), { listVersion: 0 });
  await accepted('SendLocalList', { listVersion: 1, updateType: 'Full', localAuthorizationList: [{ idTag: 'LIST1', idTagInfo: { status: 'Accepted' } }] });
  await accepted('SendLocalList', { listVersion: 2, updateType: 'Differential', localAuthorizationList: [{ idTag: 'LIST2', idTagInfo: { status: 'Blocked', expiryDate: now(86400) } }] });
  assert.equal((await call('SendLocalList', { listVersion: 2, updateType: 'Differential', localAuthorizationList: [] })).status, 'VersionMismatch');
  assert.deepEqual(await call('GetLocalListVersion'), { listVersion: 2 });
  await accepted('ClearCache');
});

test('reservations', async () => {
  await accepted('ReserveNow', { connectorId: 2, expiryDate: now(600), idTag: 'RES1', reservationId: 7, parentIdTag: 'FAMILY' });
  await until('Reserved', async () => of('StatusNotification').filter((s) => s.connectorId === 2).at(-1)?.status === 'Reserved');
  assert.equal((await call('ReserveNow', { connectorId: 2, expiryDate: now(600), idTag: 'RES2', reservationId: 8 })).status, 'Occupied');
  await accepted('CancelReservation', { reservationId: 7 });
  assert.equal((await call('CancelReservation', { reservationId: 7 })).status, 'Rejected');
});

test('charging by remote start, with a profile, and smart charging', async () => {
  const schedule = (limit: number) => ({ chargingRateUnit: 'A', duration: 3600, chargingSchedulePeriod: [{ startPeriod: 0, limit, numberPhases: 1 }] });
  await accepted('SetChargingProfile', { connectorId: 0, csChargingProfiles: { chargingProfileId: 1, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Relative', chargingSchedule: schedule(16.5) } });
  await accepted('RemoteStartTransaction', { connectorId: 1, idTag: 'REMOTE1', chargingProfile: { chargingProfileId: 2, stackLevel: 1, chargingProfilePurpose: 'TxProfile', chargingProfileKind: 'Relative', chargingSchedule: schedule(10.1) } });
  await until('a session', async () => of('StartTransaction').length === 1);
  await until('readings', async () => of('MeterValues').length >= 2);
  const composite = await call('GetCompositeSchedule', { connectorId: 1, duration: 600, chargingRateUnit: 'A' });
  assert.equal(composite.status, 'Accepted');
  assert.equal(composite.chargingSchedule.chargingSchedulePeriod[0].limit, 10.1);
  await accepted('ClearChargingProfile', { id: 2 });
  assert.equal((await call('ClearChargingProfile', { id: 99 })).status, 'Unknown');
  await accepted('RemoteStopTransaction', { transactionId: 500 });
  const stopped = await until('the end', async () => of('StopTransaction')[0]);
  assert.equal(stopped.reason, 'Remote');
});

test('diagnostics, logs and every trigger', async () => {
  const answer = await call('GetDiagnostics', { location: `${base}/diagnostics/`, startTime: now(-3600) });
  assert.ok(answer.fileName);
  await until('uploaded', async () => of('DiagnosticsStatusNotification').at(-1)?.status === 'Uploaded');
  await accepted('GetLog', { logType: 'SecurityLog', requestId: 3, log: { remoteLocation: `${base}/log/` } });
  await until('uploaded, too', async () => of('LogStatusNotification').find((l) => l.status === 'Uploaded' && l.requestId === 3));
  assert.equal(uploads.length, 2);
  assert.ok(uploads.every((u) => u.bytes > 0));
  for (const requestedMessage of ['BootNotification', 'DiagnosticsStatusNotification', 'FirmwareStatusNotification', 'Heartbeat', 'MeterValues', 'StatusNotification']) {
    const status = (await call('TriggerMessage', { requestedMessage, connectorId: requestedMessage.startsWith('Met') ? 1 : undefined })).status;
    assert.equal(status, requestedMessage === 'BootNotification' ? 'Rejected' : 'Accepted', requestedMessage);
  }
  for (const requestedMessage of ['LogStatusNotification', 'FirmwareStatusNotification', 'Heartbeat', 'MeterValues', 'StatusNotification'])
    await accepted('ExtendedTriggerMessage', { requestedMessage });
  await until('all came', async () => of('Heartbeat').length >= 2 && of('LogStatusNotification').some((l) => l.status === 'Idle'));
});

test('certificates and security', async () => {
  const key = join(data, 'ca.key');
  const cert = join(data, 'ca.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '30', '-subj', '/O=Test/CN=Test root'], { stdio: 'ignore' });
  await accepted('InstallCertificate', { certificateType: 'CentralSystemRootCertificate', certificate: readFileSync(cert, 'utf8') });
  const ids = await call('GetInstalledCertificateIds', { certificateType: 'CentralSystemRootCertificate' });
  assert.equal(ids.status, 'Accepted');
  assert.equal((await call('CertificateSigned', { certificateChain: 'no certificate' })).status, 'Rejected');
  assert.equal((await call('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' })).status, 'Rejected', 'signed for whom?');
  await accepted('ChangeConfiguration', { key: 'CpoName', value: 'Test operator' });
  await accepted('ExtendedTriggerMessage', { requestedMessage: 'SignChargePointCertificate' });
  const { csr } = await until('a certificate request', async () => of('SignCertificate')[0]);
  assert.match(csr, /BEGIN CERTIFICATE REQUEST/);
  assert.equal((await call('DeleteCertificate', { certificateHashData: { ...ids.certificateHashData[0], serialNumber: '77' } })).status, 'NotFound');
  await accepted('DeleteCertificate', { certificateHashData: ids.certificateHashData[0] });
  assert.equal((await call('ChangeConfiguration', { key: 'SecurityProfile', value: '2' })).status, 'Rejected', 'nothing for it is installed');
  await until('the start of the device was told', async () => of('SecurityEventNotification').length >= 1);
});

test('firmware, availability, reset', async () => {
  await accepted('ChangeAvailability', { connectorId: 2, type: 'Inoperative' });
  await accepted('ChangeAvailability', { connectorId: 2, type: 'Operative' });
  assert.ok(['Unlocked', 'NotSupported'].includes((await call('UnlockConnector', { connectorId: 1 })).status));
  assert.equal((await call('DataTransfer', { vendorId: 'org.example', messageId: 'x', data: 'y' })).status, 'UnknownVendorId');

  // A station that keeps certificates takes signed firmware only. The maker's root signs a signing certificate, that signs the image.
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: data, stdio: 'ignore' });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...ec, '-keyout', 'maker.key', '-out', 'maker.pem', '-days', '30', '-subj', '/O=Maker/CN=Maker root');
  openssl('req', ...ec, '-keyout', 'sign.key', '-out', 'sign.csr', '-subj', '/O=Maker/CN=Firmware signing');
  writeFileSync(join(data, 'sign.ext'), 'keyUsage=critical,digitalSignature\n');
  openssl('x509', '-req', '-in', 'sign.csr', '-CA', 'maker.pem', '-CAkey', 'maker.key', '-CAcreateserial', '-out', 'sign.pem', '-days', '30', '-extfile', 'sign.ext');
  const pem = (name: string) => readFileSync(join(data, name), 'utf8');
  const firmware = (over: object) => ({
    requestId: 4,
    firmware: { location: `${base}/fw/9.9.9`, retrieveDateTime: now(), signingCertificate: pem('sign.pem'), signature: createSign('SHA256').update(image).sign(pem('sign.key'), 'base64'), ...over },
  });
  await assert.rejects(call('UpdateFirmware', { location: `${base}/fw/9.9.9`, retrieveDate: now() }), { rpcErrorCode: 'NotSupported' });
  assert.equal((await call('SignedUpdateFirmware', firmware({}))).status, 'InvalidCertificate', "the maker's root is not there yet");
  await accepted('InstallCertificate', { certificateType: 'ManufacturerRootCertificate', certificate: pem('maker.pem') });
  assert.equal((await call('SignedUpdateFirmware', firmware({ signingCertificate: 'nonsense' }))).status, 'InvalidCertificate');
  const boots = of('BootNotification').length;
  await accepted('SignedUpdateFirmware', firmware({}));
  await until('Installed', async () => of('SignedFirmwareStatusNotification').some((f) => f.status === 'Installed'), 60_000);
  const seen = of('SignedFirmwareStatusNotification').filter((f) => f.requestId === 4).map((f) => f.status);
  assert.deepEqual(seen.filter((s) => !['InstallRebooting'].includes(s)), ['Downloading', 'Downloaded', 'SignatureVerified', 'Installing', 'Installed']);
  assert.equal(of('BootNotification').length, boots + 1);
  assert.equal(of('BootNotification').at(-1).firmwareVersion, '9.9.9');
  await accepted('Reset', { type: 'Hard' });
  await until('it boots again', async () => of('BootNotification').length === boots + 2, 60_000);
  const keys = (await call('GetConfiguration')).configurationKey;
  assert.deepEqual(keys.find((k: any) => k.key === 'SupportedFeatureProfiles').value.split(',').sort(), ['Core', 'FirmwareManagement', 'LocalAuthListManagement', 'RemoteTrigger', 'Reservation', 'SmartCharging']);
});

test('no schema complaint in the whole day', () => {
  assert.deepEqual(complaints, []);
});

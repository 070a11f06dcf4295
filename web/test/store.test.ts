// What events do to what the page knows: merging, ends, strangers, repetitions, bounds.
import assert from 'node:assert/strict';
import test from 'node:test';
import { age, kilowatts, span } from '../src/format.ts';
import * as store from '../src/store.ts';
import type { Charger, LiveEvent, Message, Transaction } from '../src/types.ts';

const at = '2026-01-01T00:00:00Z';
const cp1: Charger = {
  id: 'CP1', connection: 'connected', registration: 'accepted',
  connectors: [{ connectorId: 1, status: 'Available' }, { connectorId: 2, status: 'Available' }],
};
const tx: Transaction = { id: 7, charger: 'CP1', connectorId: 1, state: 'RUNNING', meterStartWh: 1000, energyWh: 0, revision: 1, startedAt: at };

let seq = 0;
const event = (kind: string, data: unknown): LiveEvent => ({ seq: ++seq, at, topic: 'chargers', kind, data }) as unknown as LiveEvent;
const connector = (n: number) => store.charger('CP1')?.value.connectors?.find((k) => k.connectorId === n);

test.beforeEach(() => {
  store.forgetAll();
  store.loadChargers([structuredClone(cp1)]);
});

test('a session begins, moves and ends', () => {
  assert.ok(store.applyEvents([event('transaction', tx)]));
  assert.equal(connector(1)?.transaction?.id, 7);
  store.applyEvents([event('reading', { transactionId: 7, charger: 'CP1', connectorId: 1, at: '2026-01-01T00:00:05Z', energyWh: 1200, powerW: 7000, socPercent: 21 })]);
  store.applyEvents([event('reading', { transactionId: 7, charger: 'CP1', connectorId: 1, at: '2026-01-01T00:00:10Z', powerW: 7200 })]);
  const t = connector(1)?.transaction;
  assert.equal(t?.energyWh, 200, 'since the start of the session');
  assert.equal(t?.numbers?.powerW, 7200);
  assert.equal(t?.numbers?.socPercent, 21, 'what a reading leaves out stays');
  assert.deepEqual(store.history(7).map((s) => s.powerW), [7000, 7200]);
  store.applyEvents([event('transaction', { ...tx, energyWh: 150, powerW: 7100 })]);
  assert.equal(connector(1)?.transaction?.numbers?.socPercent, 21, 'a new state keeps the numbers');
  store.applyEvents([event('connector', { charger: 'CP1', connectorId: 1, status: 'Charging' })]);
  assert.equal(connector(1)?.transaction?.id, 7, 'a new status keeps the session');
  store.applyEvents([event('transaction', { ...tx, state: 'COMPLETED', stoppedAt: at, energyWh: 444 })]);
  assert.equal(connector(1)?.transaction, undefined);
  assert.deepEqual(store.sessions.value.map((s) => [s.id, s.energyWh]), [[7, 444]]);
  assert.deepEqual(store.history(7), []);
});

test('the late end of an old session does not touch the new one', () => {
  store.applyEvents([event('transaction', { ...tx, id: 8 })]);
  store.applyEvents([event('transaction', { ...tx, state: 'STOPPED', stoppedAt: at })]);
  assert.equal(connector(1)?.transaction?.id, 8);
});

test('a charger fact keeps its connectors', () => {
  store.applyEvents([event('charger', { id: 'CP1', connection: 'offline', registration: 'accepted' })]);
  assert.equal(store.charger('CP1')?.value.connection, 'offline');
  assert.equal(store.charger('CP1')?.value.connectors?.length, 2);
});

test('connector 0 is the station, a new connector finds its place', () => {
  store.applyEvents([event('connector', { charger: 'CP1', connectorId: 0, status: 'Available' }), event('connector', { charger: 'CP1', connectorId: 3, status: 'Faulted' })]);
  assert.equal(store.charger('CP1')?.value.station?.status, 'Available');
  assert.deepEqual(store.charger('CP1')?.value.connectors?.map((k) => k.connectorId), [1, 2, 3]);
});

test('a stranger asks for new snapshots', () => {
  assert.equal(store.applyEvents([event('connector', { charger: 'NEW', connectorId: 1, status: 'Available' })]), false);
  assert.equal(store.applyEvents([event('charger', { id: 'NEW', connection: 'connected', registration: 'accepted' })]), true);
  assert.deepEqual(store.chargerIds.value, ['CP1', 'NEW']);
});

test('messages: newest first, none twice, bounded', () => {
  const message = (n: number): Message => ({ at, charger: 'CP1', direction: 'received', type: 'CALL', messageId: String(n), action: 'Heartbeat', payload: {} });
  store.loadMessages([message(2), message(1)]);
  store.applyEvents([event('message', message(2)), event('message', message(3))]);
  assert.deepEqual(store.messages.value.map((m) => m.messageId), ['3', '2', '1']);
  store.applyEvents(Array.from({ length: store.LOG_MAX + 9 }, (_, n) => event('message', message(n + 10))));
  assert.equal(store.messages.value.length, store.LOG_MAX);
  assert.equal(store.messages.value[0]?.messageId, String(store.LOG_MAX + 18));
});

test('a message is a sign of life', () => {
  const m = (direction: string, when: string) => event('message', { at: when, charger: 'CP1', direction, type: 'CALL', messageId: when });
  store.applyEvents([m('received', '2026-01-01T00:00:07Z'), m('sent', '2026-01-01T00:00:09Z')]);
  assert.equal(store.charger('CP1')?.value.lastSeenAt, '2026-01-01T00:00:07Z', 'what we say is none');
  store.applyEvents([m('received', '2026-01-01T00:00:05Z')]);
  assert.equal(store.charger('CP1')?.value.lastSeenAt, '2026-01-01T00:00:07Z', 'an old one changes nothing');
});

test('a change draws one charger only', () => {
  store.loadChargers([{ ...cp1, id: 'CP2' }]);
  let draws = 0;
  const stop = store.charger('CP2')!.subscribe(() => draws++);
  store.applyEvents([event('connector', { charger: 'CP1', connectorId: 1, status: 'Charging' })]);
  assert.equal(draws, 1, 'the subscription itself');
  stop();
});

test('numbers and ages', () => {
  assert.deepEqual(kilowatts(undefined), { value: '–', unit: 'kW' });
  assert.match(kilowatts(21987).value, /^21[.,]99$/);
  assert.deepEqual([span(42_000), span(725_000), span(3_729_000)], ['0:42', '12:05', '1:02:09']);
  assert.deepEqual([age(900), age(12_000), age(180_000), age(7_200_000), age(4e8)], ['now', '12 s', '3 min', '2 h', '4 d']);
});

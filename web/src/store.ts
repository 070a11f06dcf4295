// What the page knows. One signal a charger, so that a change draws one card; events and snapshots both end here.
import { batch, signal, type Signal } from '@preact/signals';
import type { Charger, Command, Connector, LiveEvent, Message, Person, Reading, Transaction } from './types.ts';

export const LOGGED_IN = 'amperstand.loggedIn'; // in localStorage: a session was begun here, so it is worth asking who we are
export const LOG_MAX = 400;
const HISTORY_MAX = 120;
const SESSIONS_MAX = 12;
const COMMANDS_MAX = 200;

export interface Sample {
  at: number;
  powerW: number;
}

export const me = signal<Person | null | undefined>(undefined); // undefined: not asked yet
export const chargerIds = signal<string[]>([]);
export const sessions = signal<Transaction[]>([]); // finished ones, newest first
export const commands = signal<ReadonlyMap<number, Command>>(new Map());
export const messages = signal<Message[]>([]); // newest first
export const dropped = signal(0); // messages that were never shown
export const now = signal(Date.now()); // the server's clock, once a second
export const totalPower = signal<Sample[]>([]); // of the whole site, for the sparkline
export const loaded = signal(false);

const chargers = new Map<string, Signal<Charger>>();
const histories = new Map<number, Sample[]>(); // by transaction
let clockOffset = 0;
let messageKey = 0;
const messageKeys = new WeakMap<Message, number>();

export function keyOf(m: Message): number {
  let k = messageKeys.get(m);
  if (k === undefined) messageKeys.set(m, (k = ++messageKey));
  return k;
}

function nameOf(m: Message): string {
  return `${m.charger} ${m.direction} ${m.type} ${m.messageId} ${m.at}`;
}

export function charger(id: string): Signal<Charger> | undefined {
  return chargers.get(id);
}

export function history(transaction: number): readonly Sample[] {
  return histories.get(transaction) ?? [];
}

export function setServerTime(iso: string): void {
  const offset = Date.parse(iso) - Date.now();
  // transit makes single figures late, never early: follow a jump at once, a wobble not at all
  if (Math.abs(offset - clockOffset) > 1000) clockOffset = offset;
}

export function tick(): void {
  batch(() => {
    now.value = Date.now() + clockOffset;
    totalPower.value = [...totalPower.value.slice(-59), { at: now.value, powerW: sumPower() }];
  });
}

export function everyCharger(): Charger[] {
  return chargerIds.value.flatMap((id) => {
    const c = chargers.get(id)?.value;
    return c ? [c] : [];
  });
}

function sumPower(): number {
  let sum = 0;
  for (const c of chargers.values())
    if (c.peek().connection === 'connected')
      for (const k of c.peek().connectors ?? []) sum += k.transaction ? powerOf(k.transaction) ?? 0 : 0;
  return sum;
}

export function powerOf(t: Transaction): number | undefined {
  return t.numbers?.powerW ?? t.powerW;
}

export function isOpen(t: Transaction): boolean {
  return ['PENDING_START', 'RUNNING', 'SUSPENDED', 'PENDING_STOP'].includes(t.state);
}

// ---- snapshots ----

function putCharger(c: Charger): void {
  const known = chargers.get(c.id);
  if (known) {
    known.value = { ...c, connectors: c.connectors ?? known.peek().connectors ?? [], station: c.station ?? known.peek().station };
    return;
  }
  chargers.set(c.id, signal({ ...c, connectors: c.connectors ?? [] }));
  chargerIds.value = [...chargers.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

export function loadChargers(list: Charger[]): void {
  batch(() => {
    for (const c of list) putCharger({ ...c, connectors: c.connectors ?? [] });
    for (const c of list)
      for (const k of c.connectors ?? []) if (k.transaction) remember(k.transaction.id, k.transaction.numbers?.at, powerOf(k.transaction));
    loaded.value = true;
  });
}

export function loadSessions(list: Transaction[]): void {
  sessions.value = list.filter((t) => !isOpen(t)).slice(0, SESSIONS_MAX);
}

export function loadCommands(list: Command[]): void {
  commands.value = new Map(list.map((c) => [c.id, c]));
}

export function loadMessages(list: Message[]): void {
  messages.value = list.slice(0, LOG_MAX);
  dropped.value = 0;
}

export function loadHistory(transaction: number, readings: Reading[]): void {
  histories.set(transaction, readings.flatMap((r) => (r.powerW === undefined ? [] : [{ at: Date.parse(r.at), powerW: r.powerW }])).slice(-HISTORY_MAX));
}

export function forgetAll(): void {
  batch(() => {
    chargers.clear();
    histories.clear();
    chargerIds.value = [];
    sessions.value = [];
    commands.value = new Map();
    messages.value = [];
    loaded.value = false;
  });
}

// ---- events ----

function remember(transaction: number, at: string | undefined, powerW: number | undefined): void {
  if (powerW === undefined || !at) return;
  const samples = histories.get(transaction) ?? [];
  const ms = Date.parse(at);
  const last = samples[samples.length - 1];
  if (last && last.at >= ms) return;
  histories.set(transaction, [...samples.slice(1 - HISTORY_MAX), { at: ms, powerW }]);
}

function withConnector(c: Charger, connectorId: number, change: (k: Connector) => Connector): Charger {
  const list = c.connectors ?? [];
  const old = list.find((k) => k.connectorId === connectorId) ?? { connectorId, status: '' };
  const rest = list.filter((k) => k.connectorId !== connectorId);
  return { ...c, connectors: [...rest, change(old)].sort((a, b) => a.connectorId - b.connectorId) };
}

function applyTransaction(t: Transaction): void {
  const c = chargers.get(t.charger);
  if (c)
    c.value = withConnector(c.peek(), t.connectorId, (k) => {
      if (isOpen(t)) {
        const numbers = k.transaction?.id === t.id ? k.transaction.numbers : undefined;
        return { ...k, transaction: numbers ? { ...t, numbers } : t };
      }
      if (k.transaction && k.transaction.id !== t.id) return k; // another one runs there by now
      const { transaction: _, ...idle } = k;
      return idle;
    });
  if (isOpen(t)) return;
  histories.delete(t.id);
  sessions.value = [t, ...sessions.value.filter((s) => s.id !== t.id)].sort((a, b) => b.id - a.id).slice(0, SESSIONS_MAX);
}

function applyReading(r: Reading): void {
  const c = r.charger ? chargers.get(r.charger) : undefined;
  if (!c || !r.transactionId) return;
  const { transactionId, charger: _c, connectorId, ...fresh } = r;
  const k = c.peek().connectors?.find((x) => x.transaction?.id === transactionId);
  if (!k) return;
  remember(transactionId, r.at, r.powerW);
  c.value = withConnector(c.peek(), k.connectorId, (x) => {
    const t = x.transaction as Transaction;
    const energyWh = fresh.energyWh === undefined ? t.energyWh : Math.max(t.energyWh, fresh.energyWh - t.meterStartWh);
    return { ...x, transaction: { ...t, energyWh, lastAt: r.at, numbers: { ...t.numbers, ...fresh } } };
  });
}

export function putCommand(c: Command): void {
  const next = new Map(commands.peek());
  next.set(c.id, c);
  while (next.size > COMMANDS_MAX) next.delete(next.keys().next().value as number);
  commands.value = next;
}

// False: something is about a charger that was never loaded; the snapshots have to be fetched again.
export function applyEvents(events: LiveEvent[]): boolean {
  let complete = true;
  const fresh: Message[] = [];
  const heard = new Map<string, string>(); // any message is a sign of life, and the charger itself is not told anew for each
  batch(() => {
    for (const e of events) {
      switch (e.kind) {
        case 'charger':
          putCharger(e.data);
          break;
        case 'connector': {
          const { charger: id, ...k } = e.data;
          const c = chargers.get(id);
          if (!c) complete = false;
          else if (k.connectorId === 0) c.value = { ...c.peek(), station: k };
          else c.value = withConnector(c.peek(), k.connectorId, (old) => ({ ...k, ...(old.transaction ? { transaction: old.transaction } : {}) }));
          break;
        }
        case 'transaction':
          if (!chargers.has(e.data.charger)) complete = false;
          applyTransaction(e.data);
          break;
        case 'reading':
          applyReading(e.data);
          break;
        case 'message':
          fresh.unshift(e.data);
          if (e.data.direction === 'received' && e.data.charger) heard.set(e.data.charger, e.data.at);
          break;
        case 'command':
          putCommand(e.data);
          break;
        case 'connection':
          break;
      }
    }
    for (const [id, at] of heard) {
      const c = chargers.get(id);
      if (c && (c.peek().lastSeenAt ?? '') < at) c.value = { ...c.peek(), lastSeenAt: at };
    }
    if (fresh.length) {
      // a message that was in the snapshot comes again when the socket resumes behind it
      const shown = new Set(messages.peek().slice(0, 150).map(nameOf));
      messages.value = [...fresh.filter((m) => !shown.has(nameOf(m))), ...messages.peek()].slice(0, LOG_MAX);
    }
  });
  return complete;
}

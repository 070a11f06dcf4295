// The socket: snapshots first, then everything behind their number. Reconnects with jitter, and always with a fresh socket when
// the page comes back to sight: a socket that slept may look open and be dead.
import { batch, signal } from '@preact/signals';
import { api, ApiError, segment } from './api.ts';
import {
  applyEvents, dropped, everyCharger, loadChargers, loadCommands, loadHistory, loadMessages, loadSessions, me, setServerTime,
} from './store.ts';
import type { Charger, Command, Frame, List, Message, Reading, Transaction } from './types.ts';

export type LinkState = 'connecting' | 'live' | 'lost';
export const link = signal<LinkState>('connecting');
export const retryAt = signal(0);
export const loadProblem = signal<ApiError | null>(null);

const TOPICS = ['chargers', 'transactions', 'messages', 'commands'];
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;
const SILENCE_MS = 17_000; // the server says something every 15 s at the latest

let socket: WebSocket | null = null;
let seq = 0;
let tries = 0;
let retryTimer: ReturnType<typeof setTimeout> | undefined;
let silenceTimer: ReturnType<typeof setTimeout> | undefined;
let wanted = false;
let generation = 0; // of the attempt: whatever an older one brings home late is dropped
let fetching = false;

async function load(mine: number): Promise<boolean> {
  const [chargers, transactions, log, asked] = await Promise.all([
    api<List<Charger>>('GET', '/chargers'),
    api<List<Transaction>>('GET', '/transactions?open=false&limit=12'),
    api<List<Message>>('GET', '/messages?limit=100'),
    api<List<Command>>('GET', '/commands?limit=50'),
  ]);
  if (mine !== generation) return false;
  setServerTime(chargers.at);
  batch(() => {
    loadChargers(chargers.items);
    loadSessions(transactions.items);
    loadMessages(log.items);
    loadCommands([...asked.items].reverse());
  });
  seq = Math.min(chargers.seq, transactions.seq, log.seq, asked.seq);
  void loadCurves(mine);
  return true;
}

// The curves of running sessions, so that they do not begin at the moment somebody looks.
async function loadCurves(mine: number): Promise<void> {
  for (const c of everyCharger())
    for (const k of c.connectors ?? [])
      if (k.transaction) {
        const readings = await api<List<Reading>>('GET', `/transactions/${segment(k.transaction.id)}/readings?limit=1000`).catch(() => null);
        if (mine !== generation) return;
        if (readings) loadHistory(k.transaction.id, readings.items);
      }
}

function heard(): void {
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(() => connect(true), SILENCE_MS);
}

function onFrame(text: string): void {
  const frame = JSON.parse(text) as Frame;
  heard();
  setServerTime(frame.at);
  batch(() => {
    if (link.peek() !== 'live') link.value = 'live';
    if (frame.dropped) dropped.value += frame.dropped;
  });
  tries = 0;
  const complete = frame.events ? applyEvents(frame.events) : true;
  seq = frame.seq;
  if (frame.resync || !complete) void refetch();
}

async function refetch(): Promise<void> {
  if (fetching) return; // one that is under way brings the same
  fetching = true;
  try {
    await load(generation);
    subscribe();
  } catch {
    lose();
  } finally {
    fetching = false;
  }
}

function subscribe(): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ subscribe: { topics: TOPICS }, since: seq }));
}

function lose(): void {
  clearTimeout(silenceTimer);
  clearTimeout(retryTimer);
  if (!wanted) return;
  const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** tries++) * (0.5 + Math.random());
  batch(() => {
    link.value = 'lost';
    retryAt.value = Date.now() + wait;
  });
  retryTimer = setTimeout(() => connect(seq > 0), wait);
}

function connect(resume: boolean): void {
  const mine = ++generation;
  clearTimeout(retryTimer);
  clearTimeout(silenceTimer);
  socket?.close();
  socket = null;
  if (link.peek() === 'lost') link.value = 'connecting';
  void (async () => {
    try {
      if (!resume && !(await load(mine))) return;
      loadProblem.value = null;
    } catch (e) {
      if (mine !== generation) return;
      if (e instanceof ApiError && (e.problem.status === 401 || e.problem.status === 403)) {
        if (e.problem.status === 401) me.value = null;
        loadProblem.value = e;
        disconnect();
      } else {
        lose();
      }
      return;
    }
    // a new address each time: some caches and proxies keep a dead upgrade for ever
    const s = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/live`);
    socket = s;
    s.onopen = () => subscribe();
    s.onmessage = (e) => {
      if (mine === generation) onFrame(e.data as string);
    };
    s.onclose = (e) => {
      if (mine !== generation) return;
      if (e.code === 4001) me.value = null; // logged out elsewhere
      else void whoAmI().finally(() => mine === generation && lose());
    };
    heard();
  })();
}

// A refused upgrade tells a script nothing; the session may have ended.
async function whoAmI(): Promise<void> {
  try {
    await api('GET', '/me');
  } catch (e) {
    if (e instanceof ApiError && e.problem.status === 401) {
      disconnect();
      me.value = null;
    }
  }
}

export function start(): void {
  wanted = true;
  tries = 0;
  seq = 0;
  connect(false);
}

export function disconnect(): void {
  wanted = false;
  generation++;
  clearTimeout(retryTimer);
  clearTimeout(silenceTimer);
  socket?.close();
  socket = null;
  link.value = 'connecting';
}

export function retryNow(): void {
  tries = 0;
  connect(seq > 0);
}

let hiddenSince = 0;
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') hiddenSince = Date.now();
  else if (wanted && hiddenSince && Date.now() - hiddenSince > 5000) connect(seq > 0);
});
addEventListener('pageshow', (e) => {
  if (e.persisted && wanted) connect(seq > 0);
});

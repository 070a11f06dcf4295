// States are colour + shape + word. The shape tells them apart without colour; the word is always beside it.
import type { JSX } from 'preact';
import type { CommandState, ConnectionState } from '../types.ts';

export interface Look {
  word: string;
  tone: 'good' | 'busy' | 'wait' | 'bad' | 'off' | 'info';
  shape: JSX.Element;
}

const ring = <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="2" />;
const disc = <circle cx="8" cy="8" r="6" fill="currentColor" />;
const half = <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1m0 2v10A5 5 0 0 1 8 3" fill="currentColor" fill-rule="evenodd" />;
const bolt = <path d="M9.2 1 3 9.2h4L6.2 15 13 6.4H8.6z" fill="currentColor" />;
const pause = <path d="M4 3h3v10H4zM9 3h3v10H9z" fill="currentColor" />;
const tick = <path d="m3 8.5 3.4 3.4L13 4.6" fill="none" stroke="currentColor" stroke-width="2.2" />;
const cross = <path d="m4 4 8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2.2" />;
const warn = <path d="M8 1.5 15 14H1zM7.2 6v4h1.6V6zm0 5v1.6h1.6V11z" fill="currentColor" fill-rule="evenodd" />;
const dash = <path d="M3 8h10" stroke="currentColor" stroke-width="2.4" />;
const clock = <path d="M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 5v3.2l2.2 1.6" fill="none" stroke="currentColor" stroke-width="1.8" />;
const plane = <path d="M2 8 14 2l-4 12-2.6-4.6z" fill="currentColor" />;

const connectors: Record<string, Look> = {
  Available: { word: 'Available', tone: 'good', shape: ring },
  Preparing: { word: 'Preparing', tone: 'busy', shape: half },
  Charging: { word: 'Charging', tone: 'busy', shape: bolt },
  SuspendedEV: { word: 'Paused by car', tone: 'wait', shape: pause },
  SuspendedEVSE: { word: 'Paused by charger', tone: 'wait', shape: pause },
  Finishing: { word: 'Finishing', tone: 'busy', shape: tick },
  Reserved: { word: 'Reserved', tone: 'info', shape: clock },
  Unavailable: { word: 'Unavailable', tone: 'off', shape: dash },
  Faulted: { word: 'Faulted', tone: 'bad', shape: warn },
};

export function connectorLook(status: string): Look {
  return connectors[status] ?? { word: status || 'Unknown', tone: 'off', shape: dash };
}

export function connectionLook(state: ConnectionState): Look {
  switch (state) {
    case 'connected':
      return { word: 'Online', tone: 'good', shape: disc };
    case 'stale':
      return { word: 'Overdue', tone: 'wait', shape: clock };
    case 'offline':
      return { word: 'Offline', tone: 'off', shape: cross };
  }
}

export function commandLook(state: CommandState): Look {
  switch (state) {
    case 'queued':
      return { word: 'queued', tone: 'info', shape: clock };
    case 'sent':
      return { word: 'sent', tone: 'busy', shape: plane };
    case 'accepted':
      return { word: 'accepted', tone: 'busy', shape: half };
    case 'confirmed':
      return { word: 'confirmed by the charger', tone: 'good', shape: tick };
    case 'rejected':
      return { word: 'rejected', tone: 'bad', shape: cross };
    case 'error':
      return { word: 'failed', tone: 'bad', shape: warn };
    case 'timed_out':
      return { word: 'timed out', tone: 'bad', shape: clock };
    case 'no_effect':
      return { word: 'no effect seen', tone: 'wait', shape: dash };
  }
}

export function State({ look, quiet }: { look: Look; quiet?: boolean }): JSX.Element {
  return (
    <span class={`state ${look.tone}${quiet ? ' quiet' : ''}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">{look.shape}</svg>
      {look.word}
    </span>
  );
}

export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="currentColor" />
      <path
        d="M22.6 23.5 12.4 12.2c-1.6-1.8-.9-4.7 1.9-4.7 2.6 0 3.6 2.9 1.2 4.5l-3.2 2.2c-4 2.8-3 9 2.3 9 4.2 0 6.7-3.6 7.4-7.4"
        fill="none" stroke="var(--mark-ink)" stroke-width="2.7" stroke-linecap="round" stroke-linejoin="round"
      />
    </svg>
  );
}

export const glyphs = {
  sun: <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6 13 13M13 3l-1.4 1.4M4.4 11.6 3 13" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" /></svg>,
  moon: <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round" /></svg>,
  up: <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 13V3M4 7l4-4 4 4" fill="none" stroke="currentColor" stroke-width="2" /></svg>,
  down: <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 3v10M4 9l4 4 4-4" fill="none" stroke="currentColor" stroke-width="2" /></svg>,
  close: <svg viewBox="0 0 16 16" aria-hidden="true">{cross}</svg>,
  plug: <svg viewBox="0 0 48 48" aria-hidden="true"><path d="M17 6v9M31 6v9M12 15h24v8a12 12 0 0 1-24 0zM24 35v8" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" /></svg>,
};

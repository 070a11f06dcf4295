// A command's chip: where it stands in its life, for how long, and behind a click what was asked and answered.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { api, ApiError, segment } from '../api.ts';
import { age, time } from '../format.ts';
import { commands, now, putCommand } from '../store.ts';
import type { Charger, Command } from '../types.ts';
import { commandLook, glyphs, State } from './icons.tsx';
import { ProblemText } from './login.tsx';

const SHOWN_MS = 60_000; // a finished command's chip stays this long
const dismissed = signal<ReadonlySet<number>>(new Set());
export const askProblem = signal<{ charger: string; error: ApiError } | null>(null);

const words: Record<string, string> = {
  RemoteStartTransaction: 'Start', RemoteStopTransaction: 'Stop', UnlockConnector: 'Unlock', Reset: 'Reset', TriggerMessage: 'Trigger',
};

export async function ask(charger: string, what: string, body: Record<string, unknown>): Promise<boolean> {
  askProblem.value = null;
  try {
    putCommand(await api<Command>('POST', `/chargers/${segment(charger)}/${what}`, body));
    return true;
  } catch (e) {
    askProblem.value = { charger, error: e as ApiError };
    return false;
  }
}

export async function decide(charger: string, registration: 'accepted' | 'rejected'): Promise<void> {
  askProblem.value = null;
  try {
    await api<Charger>('PATCH', `/chargers/${segment(charger)}`, { registration });
  } catch (e) {
    askProblem.value = { charger, error: e as ApiError };
  }
}

function underWay(c: Command): boolean {
  return c.state === 'queued' || c.state === 'sent' || c.state === 'accepted';
}

function lastChange(c: Command): number {
  return Date.parse(c.effectAt ?? c.answeredAt ?? c.sentAt ?? c.createdAt);
}

export function pending(charger: string, connectorId: number, action: string): boolean {
  for (const c of commands.value.values())
    if (c.charger === charger && c.connectorId === connectorId && c.action === action && (c.state === 'queued' || c.state === 'sent')) return true;
  return false;
}

function Chip({ c }: { c: Command }): JSX.Element {
  const look = commandLook(c.state);
  const elapsed = underWay(c) ? now.value - Date.parse(c.createdAt) : now.value - lastChange(c);
  const waits = c.state === 'accepted' && c.action === 'RemoteStartTransaction';
  return (
    <li class={`chip ${look.tone}`} data-state={c.state}>
      <details>
        <summary>
          <b>{words[c.action] ?? c.action}</b>
          <State look={waits ? { ...look, word: 'accepted, waiting for the session' } : look} />
          <time>{age(elapsed)}</time>
        </summary>
        <dl>
          <dt>Asked</dt><dd>{time(c.createdAt)}{c.by ? ` by ${c.by}` : ''}</dd>
          {c.sentAt && <><dt>Sent</dt><dd>{time(c.sentAt)}</dd></>}
          {c.answeredAt && <><dt>Answered</dt><dd>{time(c.answeredAt)}</dd></>}
          {c.effectAt && <><dt>Took effect</dt><dd>{time(c.effectAt)}</dd></>}
          <dt>Request</dt><dd><code>{JSON.stringify(c.payload ?? {})}</code></dd>
          {(c.answer !== undefined || c.failure) && <><dt>Answer</dt><dd><code>{c.failure ?? JSON.stringify(c.answer)}</code></dd></>}
        </dl>
      </details>
      <button class="icon" aria-label="Hide" onClick={() => (dismissed.value = new Set([...dismissed.value, c.id]))}>{glyphs.close}</button>
    </li>
  );
}

export function Chips({ charger, connectorId }: { charger: string; connectorId: number | undefined }): JSX.Element | null {
  const shown = [...commands.value.values()]
    .filter((c) => c.charger === charger && (c.connectorId ?? 0) === (connectorId ?? 0))
    .filter((c) => !dismissed.value.has(c.id) && (underWay(c) || now.value - lastChange(c) < SHOWN_MS))
    .slice(-2)
    .reverse();
  const failed = connectorId === undefined && askProblem.value?.charger === charger ? askProblem.value.error : null;
  if (!shown.length && !failed) return null;
  return (
    <>
      {failed && <ProblemText error={failed} />}
      {shown.length > 0 && <ul class="chips">{shown.map((c) => <Chip key={c.id} c={c} />)}</ul>}
    </>
  );
}

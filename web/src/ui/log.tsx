// The message log: newest on top, bounded, with filters and a pause. Payloads are strangers' text and stay text.
import { computed, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { time, utc } from '../format.ts';
import { chargerIds, dropped, keyOf, messages } from '../store.ts';
import type { Message } from '../types.ts';
import { glyphs } from './icons.tsx';

const SHOWN = 150;
const frozen = signal<Message[] | null>(null);
const onlyCharger = signal('');
const search = signal('');
const onlyErrors = signal(false);
const hideBeats = signal(false);

const isError = (m: Message): boolean => m.type === 'CALLERROR' || m.type === 'CALLRESULTERROR' || m.type === 'UNREADABLE' || m.error !== undefined;

const filtered = computed(() => {
  const text = search.value.trim().toLowerCase();
  return (frozen.value ?? messages.value).filter(
    (m) =>
      (!onlyCharger.value || m.charger === onlyCharger.value) &&
      (!onlyErrors.value || isError(m)) &&
      (!hideBeats.value || m.action !== 'Heartbeat') &&
      (!text || `${m.action ?? ''} ${preview(m)}`.toLowerCase().includes(text)),
  );
});

function preview(m: Message): string {
  if (m.payloadBytes !== undefined) return `${m.payloadBytes} bytes, too long to show live`;
  if (m.text !== undefined) return m.text;
  const text = JSON.stringify(m.payload ?? {});
  return text === '{}' ? '' : text;
}

const typeWords: Record<Message['type'], string> = {
  CALL: 'call', CALLRESULT: 'result', CALLERROR: 'error', CALLRESULTERROR: 'error', SEND: 'send', UNREADABLE: 'unreadable',
};

function Row({ m }: { m: Message }): JSX.Element {
  const received = m.direction === 'received';
  return (
    <li class={`message ${m.direction}${isError(m) ? ' bad' : ''}`} data-action={m.action ?? ''}>
      <details>
        <summary>
          <time title={utc(m.at)}>{time(m.at)}</time>
          <span class="dir" title={received ? 'from the station' : 'to the station'}>
            {received ? glyphs.up : glyphs.down}
            <span class="sr">{received ? 'received' : 'sent'}</span>
          </span>
          <span class="who">{m.charger ?? 'unknown'}</span>
          <b>{m.action ?? 'no action'}</b>
          <span class="type">{typeWords[m.type]}{m.latencyMs !== undefined ? ` ${m.latencyMs} ms` : ''}</span>
          <code>{preview(m)}</code>
        </summary>
        {m.error && <p class="complaint">{m.error}</p>}
        <pre>{m.text ?? JSON.stringify(m.payload ?? {}, null, 2)}</pre>
        <p class="id">{m.messageId}</p>
      </details>
    </li>
  );
}

function News(): JSX.Element {
  const first = frozen.value?.[0];
  const at = first ? messages.value.indexOf(first) : 0;
  const n = at < 0 ? messages.value.length : at;
  return <button class="primary" aria-pressed="true" onClick={() => (frozen.value = null)}>Resume{n ? `, ${n} new` : ''}</button>;
}

export function Log(): JSX.Element {
  const list = filtered.value;
  return (
    <section class="card log" aria-label="Messages">
      <header>
        <h2>Messages</h2>
        {dropped.value > 0 && <span class="flag" title="They came faster than anybody reads; the database has them.">{dropped.value} not shown</span>}
        {frozen.value ? <News /> : <button class="plain" aria-pressed="false" onClick={() => (frozen.value = messages.value)}>Pause</button>}
      </header>
      <div class="filters">
        <input type="search" placeholder="Search action or payload" aria-label="Search messages" value={search.value} onInput={(e) => (search.value = e.currentTarget.value)} />
        <select aria-label="Charger" value={onlyCharger.value} onChange={(e) => (onlyCharger.value = e.currentTarget.value)}>
          <option value="">All chargers</option>
          {chargerIds.value.map((id) => <option key={id} value={id}>{id}</option>)}
        </select>
        <span class="checks">
          <label class="check"><input type="checkbox" checked={onlyErrors.value} onChange={(e) => (onlyErrors.value = e.currentTarget.checked)} />Errors</label>
          <label class="check"><input type="checkbox" checked={hideBeats.value} onChange={(e) => (hideBeats.value = e.currentTarget.checked)} />No heartbeats</label>
        </span>
      </div>
      {list.length ? (
        <ol class="messages">{list.slice(0, SHOWN).map((m) => <Row key={keyOf(m)} m={m} />)}</ol>
      ) : (
        <p class="note">{messages.value.length ? 'No message fits the filter.' : 'Nothing has been said yet. Messages appear here as chargers send them.'}</p>
      )}
    </section>
  );
}

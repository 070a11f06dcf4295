// One charger: a card with its connectors; on each what runs, and what can be asked of it.
import type { JSX } from 'preact';
import { amperes, ago, celsius, kilowattHours, kilowatts, percent, span, utc, volts, type Quantity } from '../format.ts';
import { link } from '../live.ts';
import { charger as find, history, isOpen, me, now, powerOf } from '../store.ts';
import type { Charger, Connector, Transaction } from '../types.ts';
import { ask, Chips, decide, pending } from './command.tsx';
import { connectionLook, connectorLook, State } from './icons.tsx';
import { Spark } from './spark.tsx';
import { openStart } from './start.tsx';

const FRESH_MS = 90_000; // a reading older than this is shown grey

function Number({ q, label, big }: { q: Quantity; label: string; big?: boolean }): JSX.Element {
  return (
    <div class={big ? 'number big' : 'number'}>
      <span class="label">{label}</span>
      <span class="value">{q.value}<span class="unit">{q.unit}</span></span>
    </div>
  );
}

function Session({ t, live }: { t: Transaction; live: boolean }): JSX.Element {
  const n = t.numbers;
  const at = n?.at ?? t.lastAt;
  const readAge = at ? now.value - Date.parse(at) : undefined;
  const fresh = live && readAge !== undefined && readAge < FRESH_MS;
  return (
    <div class={fresh ? 'session' : 'session old'} data-transaction={t.id}>
      <div class="numbers">
        <Number big label="Power" q={kilowatts(powerOf(t))} />
        <Number big label="Energy" q={kilowattHours(t.energyWh)} />
        <div class="curve"><Spark samples={history(t.id)} label={`Power of session ${t.id}`} /></div>
      </div>
      {n?.socPercent !== undefined && (
        <div class="soc">
          <span class="label">Battery</span>
          <div class="track" role="meter" aria-label="State of charge" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(n.socPercent)}>
            <div class="fill" style={{ width: `${Math.min(100, Math.max(0, n.socPercent))}%` }} />
          </div>
          <span class="value">{percent(n.socPercent).value}<span class="unit">%</span></span>
        </div>
      )}
      <div class="numbers small">
        <Number label="Current" q={amperes(n?.currentA)} />
        <Number label="Voltage" q={volts(n?.voltageV)} />
        <Number label="Temperature" q={celsius(n?.temperatureC)} />
        <Number label="Duration" q={{ value: t.startedAt ? span(now.value - Date.parse(t.startedAt)) : '–', unit: '' }} />
      </div>
      <div class="foot">
        <span>Session {t.id}</span>
        {t.idTag && <span class="tag">{t.idTag}</span>}
        {t.flags?.map((f) => <span key={f} class="flag">{flagWords[f] ?? f}</span>)}
        <span class="age" title={utc(at)}>{readAge === undefined ? 'no reading yet' : `read ${ago(readAge)}`}</span>
      </div>
    </div>
  );
}

const flagWords: Record<string, string> = {
  unknownTag: 'unknown tag', refused: 'tag refused', meterBack: 'meter ran back', timeOdd: 'odd time', zombie: 'never stopped',
  adopted: 'adopted', foreignStop: 'stop of another charger', noEnergy: 'no energy',
  meterReset: 'meter started over', meterJump: 'meter jumped', rollOver: 'meter rolled over', startBelow: 'starts below the last one',
  repaired: 'repaired', late: 'late message', contradicted: 'two stops', stopIgnored: 'did not stop', silent: 'silent', offline: 'offline',
  incomplete: 'events missing',
};

function ConnectorRow({ c, k }: { c: Charger; k: Connector }): JSX.Element {
  const known = c.connection !== 'offline';
  const reachable = c.connection !== 'offline' && link.value === 'live';
  const t = k.transaction && isOpen(k.transaction) ? k.transaction : undefined;
  const look = connectorLook(k.status);
  const mayAsk = me.value?.role !== 'USER';
  const age = k.seenAt ?? k.at;
  return (
    <section class="connector" data-connector={k.connectorId} aria-label={`Connector ${k.connectorId} of ${c.id}`}>
      <header>
        <h3>Connector {k.connectorId}</h3>
        <State look={known ? look : { ...look, word: `was ${look.word}`, tone: 'off' }} quiet={!known} />
        {k.error && k.error !== 'NoError' && <span class="flag">{k.error}{k.info ? `: ${k.info}` : ''}</span>}
        <span class="age" title={utc(age)}>{age ? `for ${span(now.value - Date.parse(age))}` : ''}</span>
        {mayAsk && (
          <span class="actions">
            {t ? (
              <button
                class="stop"
                disabled={!reachable || pending(c.id, k.connectorId, 'RemoteStopTransaction')}
                onClick={() => void ask(c.id, 'remote-stop', { transactionId: t.id })}
              >
                Stop
              </button>
            ) : (
              <button
                class="primary"
                disabled={!reachable || k.status === 'Unavailable' || k.status === 'Faulted' || pending(c.id, k.connectorId, 'RemoteStartTransaction')}
                onClick={() => openStart(c.id, k.connectorId)}
              >
                Start
              </button>
            )}
            <button class="plain" disabled={!reachable} onClick={() => void ask(c.id, 'unlock', { connectorId: k.connectorId })}>Unlock</button>
          </span>
        )}
      </header>
      {t && <Session t={t} live={c.connection === 'connected' && link.value === 'live'} />}
      <Chips charger={c.id} connectorId={k.connectorId} />
    </section>
  );
}

export function ChargerCard({ id }: { id: string }): JSX.Element | null {
  const c = find(id)?.value;
  if (!c) return null;
  const what = [c.vendor, c.model].filter(Boolean).join(' ');
  const facts = [what, c.firmware && `firmware ${c.firmware}`, c.protocol].filter(Boolean);
  return (
    <article class={`card charger ${c.connection}`} data-charger={c.id}>
      <header>
        <div>
          <h2>{c.id}</h2>
          <p>{facts.length ? facts.join(' · ') : 'has not introduced itself yet'}</p>
        </div>
        <div class="link">
          <State look={connectionLook(c.connection)} />
          <span class="age" title={utc(c.lastSeenAt)}>
            {c.lastSeenAt ? `${c.connection === 'connected' ? 'heard' : 'last heard'} ${ago(now.value - Date.parse(c.lastSeenAt))}` : 'never connected'}
          </span>
        </div>
      </header>
      {c.registration === 'pending' && (
        <div class="knock">
          <p>This charger is unknown and waits to be accepted.</p>
          {me.value?.role === 'ADMIN' && (
            <span class="actions">
              <button class="primary" onClick={() => void decide(c.id, 'accepted')}>Accept</button>
              <button class="plain" onClick={() => void decide(c.id, 'rejected')}>Reject</button>
            </span>
          )}
        </div>
      )}
      {c.registration === 'rejected' && <p class="note">This charger was rejected.</p>}
      <Chips charger={c.id} connectorId={undefined} />
      {c.connectors?.length ? (
        c.connectors.map((k) => <ConnectorRow key={k.connectorId} c={c} k={k} />)
      ) : (
        <p class="note">No connector has reported its state yet.</p>
      )}
    </article>
  );
}

// The page itself: tiles, chargers, the log, what was charged lately.
import type { JSX } from 'preact';
import { dateTime, kilowattHours, kilowatts, span, utc } from '../format.ts';
import { link, loadProblem, retryAt, retryNow } from '../live.ts';
import { chargerIds, everyCharger, isOpen, loaded, me, now, powerOf, sessions, totalPower } from '../store.ts';
import type { Transaction } from '../types.ts';
import { ChargerCard } from './charger.tsx';
import { Header } from './header.tsx';
import { glyphs } from './icons.tsx';
import { Log } from './log.tsx';
import { ProblemText } from './login.tsx';
import { Spark } from './spark.tsx';
import { StartDialog } from './start.tsx';

function Tile({ label, value, unit, note, children }: { label: string; value: string; unit?: string; note?: string; children?: JSX.Element }): JSX.Element {
  return (
    <div class="card tile">
      <span class="label">{label}</span>
      <span class="value">{value}{unit && <span class="unit">{unit}</span>}</span>
      {note && <span class="note">{note}</span>}
      {children}
    </div>
  );
}

function Tiles(): JSX.Element {
  const all = everyCharger();
  const online = all.filter((c) => c.connection === 'connected');
  const running = all.flatMap((c) => (c.connectors ?? []).flatMap((k) => (k.transaction && isOpen(k.transaction) ? [{ c, t: k.transaction }] : [])));
  const free = online.flatMap((c) => (c.connectors ?? []).filter((k) => k.status === 'Available')).length;
  const total = all.reduce((n, c) => n + (c.connectors?.length ?? 0), 0);
  const faulted = all.filter((c) => c.connection !== 'offline').flatMap((c) => (c.connectors ?? []).filter((k) => k.status === 'Faulted')).length;
  const watts = running.reduce((sum, r) => sum + (r.c.connection === 'connected' ? powerOf(r.t) ?? 0 : 0), 0);
  const energy = running.reduce((sum, r) => sum + r.t.energyWh, 0);
  const power = kilowatts(watts);
  const kwh = kilowattHours(energy);
  return (
    <div class="tiles">
      <Tile label="Chargers online" value={`${online.length}`} unit={`of ${all.length}`} note={!all.length ? 'none known yet' : all.length > online.length ? `${all.length - online.length} not connected` : 'all connected'} />
      <Tile label="Charging now" value={`${running.length}`} unit={running.length === 1 ? 'session' : 'sessions'} note={`${kwh.value} ${kwh.unit} so far`} />
      <Tile label="Connectors free" value={`${free}`} unit={`of ${total}`} note={faulted ? `${faulted} faulted` : 'none faulted'} />
      <Tile label="Power" value={power.value} unit={power.unit}><Spark samples={totalPower.value} label="Power of all chargers in the last minute" /></Tile>
    </div>
  );
}

function SessionRow({ t }: { t: Transaction }): JSX.Element {
  const q = kilowattHours(t.energyWh);
  return (
    <tr data-transaction={t.id}>
      <td class="num">{t.id}</td>
      <td>{t.charger}<span class="dim"> / {t.connectorId}</span></td>
      <td class="wrap">{t.idTag}</td>
      <td title={utc(t.startedAt)}>{dateTime(t.startedAt)}</td>
      <td class="num">{t.startedAt && t.stoppedAt ? span(Date.parse(t.stoppedAt) - Date.parse(t.startedAt)) : '–'}</td>
      <td class="num">{q.value}<span class="unit">{q.unit}</span></td>
      <td>{t.reason ?? 'Local'}</td>
    </tr>
  );
}

function Sessions(): JSX.Element {
  return (
    <section class="card sessions" aria-label="Finished sessions">
      <header><h2>Finished sessions</h2></header>
      {sessions.value.length ? (
        <table>
          <thead>
            <tr><th class="num">No.</th><th>Charger</th><th>Tag</th><th>Started</th><th class="num">Time</th><th class="num">Energy</th><th>Ended</th></tr>
          </thead>
          <tbody>{sessions.value.map((t) => <SessionRow key={t.id} t={t} />)}</tbody>
        </table>
      ) : (
        <p class="note">No session has ended yet.</p>
      )}
    </section>
  );
}

function Banner(): JSX.Element | null {
  if (link.value !== 'lost') return null;
  const left = Math.max(0, Math.ceil((retryAt.value - Date.now()) / 1000));
  void now.value; // counts down with the clock
  return (
    <div class="banner" role="status">
      <span>No connection to the server. Numbers are old; nothing can be asked of chargers.</span>
      <button class="plain" onClick={retryNow}>Try now{left ? ` (${left} s)` : ''}</button>
    </div>
  );
}

function Chargers(): JSX.Element {
  if (chargerIds.value.length) return <div class="chargers">{chargerIds.value.map((id) => <ChargerCard key={id} id={id} />)}</div>;
  if (!loaded.value) return <div class="card empty"><p>Loading…</p></div>;
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ocpp/CP001`;
  return (
    <div class="card empty">
      {glyphs.plug}
      <h2>No charger yet</h2>
      <p>Point a charger's OCPP 1.6-J address here, or start one of ours on this machine:</p>
      <pre>amperstand station --url {url.replace(/\/CP001$/, '')} --id CP001 --scenario demo</pre>
    </div>
  );
}

export function Overview(): JSX.Element {
  return (
    <>
      <Header />
      <Banner />
      <main class="page">
        <h1 class="sr">Live overview</h1>
        {loadProblem.value ? (
          <div class="card empty"><ProblemText error={loadProblem.value} /><p class="dim">You are logged in as {me.value?.login}.</p></div>
        ) : (
          <>
            <Tiles />
            <div class="columns">
              <div class="column">
                <Chargers />
                <Sessions />
              </div>
              <Log />
            </div>
          </>
        )}
      </main>
      <StartDialog />
    </>
  );
}

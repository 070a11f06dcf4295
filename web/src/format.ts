// Numbers with their units, times with their ages. Digits are tabular in CSS, so that nothing jumps.
const one = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const two = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const three = new Intl.NumberFormat(undefined, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const dayClock = new Intl.DateTimeFormat(undefined, {
  month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false,
});

export const none = '–';

export interface Quantity {
  value: string;
  unit: string;
}

export function kilowatts(w: number | undefined): Quantity {
  return { value: w === undefined ? none : two.format(w / 1000), unit: 'kW' };
}
export function kilowattHours(wh: number | undefined): Quantity {
  return { value: wh === undefined ? none : three.format(wh / 1000), unit: 'kWh' };
}
export function amperes(a: number | undefined): Quantity {
  return { value: a === undefined ? none : one.format(a), unit: 'A' };
}
export function volts(v: number | undefined): Quantity {
  return { value: v === undefined ? none : whole.format(v), unit: 'V' };
}
export function celsius(c: number | undefined): Quantity {
  return { value: c === undefined ? none : one.format(c), unit: '°C' };
}
export function percent(p: number | undefined): Quantity {
  return { value: p === undefined ? none : whole.format(p), unit: '%' };
}

export function time(iso: string | undefined): string {
  return iso ? clock.format(new Date(iso)) : none;
}
export function dateTime(iso: string | undefined): string {
  return iso ? dayClock.format(new Date(iso)) : none;
}
export function utc(iso: string | undefined): string {
  return iso ? `${iso.replace('T', ' ').replace('Z', '')} UTC` : '';
}

// 0:42, 12:05, 1:02:09
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const pad = (n: number): string => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  return h ? `${h}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}` : `${Math.floor(s / 60)}:${pad(s % 60)}`;
}

// "now", "12 s", "3 min", "2 h", "5 d"
export function age(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 2) return 'now';
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

export function ago(ms: number): string {
  const text = age(ms);
  return text === 'now' ? 'just now' : `${text} ago`;
}

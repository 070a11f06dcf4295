// A small curve of power over time. It says in words what it shows, and scales to its own highest value.
import type { JSX } from 'preact';
import { kilowatts } from '../format.ts';
import type { Sample } from '../store.ts';

const W = 240;
const H = 44;

export function Spark({ samples, label }: { samples: readonly Sample[]; label: string }): JSX.Element | null {
  const first = samples[0];
  const last = samples[samples.length - 1];
  if (!first || !last || samples.length < 2 || last.at <= first.at) return <div class="spark" />;
  const top = Math.max(1, ...samples.map((s) => s.powerW));
  const x = (s: Sample): number => ((s.at - first.at) / (last.at - first.at)) * W;
  const y = (s: Sample): number => H - 3 - (Math.max(0, s.powerW) / top) * (H - 8);
  const line = samples.map((s) => `${x(s).toFixed(1)},${y(s).toFixed(1)}`).join(' ');
  const q = kilowatts(top);
  return (
    <svg class="spark" viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" role="img" aria-label={`${label}, highest ${q.value} ${q.unit}`}>
      <polygon points={`0,${H} ${line} ${W},${H}`} />
      <polyline points={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

// The top line: where we are, whether the numbers are alive, who we are, light or dark.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { api } from '../api.ts';
import { disconnect, link } from '../live.ts';
import { forgetAll, LOGGED_IN, me } from '../store.ts';
import { glyphs, Mark } from './icons.tsx';

const KEY = 'amperstand.theme';
const theme = signal(document.documentElement.dataset['theme'] ?? '');

function isDark(): boolean {
  return theme.value ? theme.value === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

function toggleTheme(): void {
  theme.value = isDark() ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = theme.value;
  localStorage.setItem(KEY, theme.value);
}

async function logOut(): Promise<void> {
  disconnect();
  await api('DELETE', '/session').catch(() => undefined);
  localStorage.removeItem(LOGGED_IN);
  forgetAll();
  me.value = null;
}

const linkWords = { live: 'Live', connecting: 'Connecting', lost: 'No connection' } as const;

export function Header(): JSX.Element {
  return (
    <header class="top">
      <div class="brand"><Mark /><span>Amperstand</span></div>
      <span class={`pulse ${link.value}`} role="status"><i />{linkWords[link.value]}</span>
      <span class="grow" />
      <button class="icon" aria-label={isDark() ? 'Light colours' : 'Dark colours'} onClick={toggleTheme}>{isDark() ? glyphs.sun : glyphs.moon}</button>
      <span class="person"><b>{me.value?.login}</b><small>{me.value?.role.toLowerCase()}</small></span>
      <button class="plain" onClick={() => void logOut()}>Log out</button>
    </header>
  );
}

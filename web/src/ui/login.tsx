// Two doors: the login, and the one-time link of the first start.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { api, ApiError, segment } from '../api.ts';
import { LOGGED_IN, me } from '../store.ts';
import type { Person } from '../types.ts';
import { Mark } from './icons.tsx';

const busy = signal(false);
const problem = signal<ApiError | null>(null);

async function send(path: string, body: Record<string, string>): Promise<void> {
  busy.value = true;
  problem.value = null;
  try {
    const person = await api<Person>('POST', path, body);
    localStorage.setItem(LOGGED_IN, 'yes');
    me.value = person;
    if (location.pathname !== '/') history.replaceState(null, '', '/');
  } catch (e) {
    problem.value = e as ApiError;
  } finally {
    busy.value = false;
  }
}

export function ProblemText({ error }: { error: ApiError }): JSX.Element {
  const p = error.problem;
  return (
    <div class="problem" role="alert">
      <strong>{p.title}</strong>
      {p.detail && <p>{p.detail}</p>}
      {p.cure && <p class="cure">{p.cure}</p>}
      {p.id && <p class="id">{p.id}</p>}
    </div>
  );
}

export function Login(): JSX.Element {
  const token = location.pathname.startsWith('/setup/') ? location.pathname.slice('/setup/'.length) : null;
  const submit = (e: SubmitEvent): void => {
    e.preventDefault();
    const data = new FormData(e.currentTarget as HTMLFormElement);
    const body = { login: String(data.get('login')).trim(), password: String(data.get('password')) };
    void send(token ? `/setup/${segment(token)}` : '/session', body);
  };
  return (
    <main class="door">
      <form onSubmit={submit}>
        <div class="brand"><Mark /><span>Amperstand</span></div>
        <h1>{token ? 'Create the first administrator' : 'Log in'}</h1>
        {token && <p class="hint">This link works once. The account may do everything; more accounts can be made with it.</p>}
        <label>Login<input name="login" autocomplete="username" autocapitalize="none" spellcheck={false} required maxLength={64} /></label>
        <label>
          Password
          <input name="password" type="password" autocomplete={token ? 'new-password' : 'current-password'} required minLength={token ? 10 : 1} />
        </label>
        {problem.value && <ProblemText error={problem.value} />}
        <button class="primary wide" disabled={busy.value}>{busy.value ? 'One moment…' : token ? 'Create and log in' : 'Log in'}</button>
      </form>
    </main>
  );
}

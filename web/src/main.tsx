// The beginning: who am I? Then the login or the page.
import { effect } from '@preact/signals';
import { render } from 'preact';
import { api, ApiError } from './api.ts';
import { disconnect, start } from './live.ts';
import { LOGGED_IN, me, tick } from './store.ts';
import type { Person } from './types.ts';
import { Login } from './ui/login.tsx';
import { Overview } from './ui/overview.tsx';

function App(): preact.JSX.Element | null {
  if (me.value === undefined) return null;
  return me.value ? <Overview /> : <Login />;
}

render(<App />, document.getElementById('app') as HTMLElement);

let running = false;
effect(() => {
  const known = !!me.value;
  if (known === running) return;
  running = known;
  if (known) start();
  else disconnect();
});
setInterval(tick, 1000);

// The cookie is hidden from scripts. Without a login here before, asking would only bring an error.
if (!localStorage.getItem(LOGGED_IN)) me.value = null;
else
  api<Person>('GET', '/me').then(
    (person) => (me.value = person),
    (e: unknown) => {
      // a server that does not answer is no reason to ask for a password: try again
      if (e instanceof ApiError && e.problem.status !== 401) setTimeout(() => location.reload(), 3000);
      else me.value = null;
    },
  );

// The question before a remote start: who charges? The browser's own dialog brings focus and the Escape key.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { api } from '../api.ts';
import type { List, Tag } from '../types.ts';
import { ask, askProblem } from './command.tsx';
import { ProblemText } from './login.tsx';

const target = signal<{ charger: string; connectorId: number } | null>(null);
const tags = signal<Tag[]>([]);
const remembered = 'amperstand.idTag';

export function openStart(charger: string, connectorId: number): void {
  askProblem.value = null;
  target.value = { charger, connectorId };
  void api<List<Tag>>('GET', '/tags').then((list) => (tags.value = list.items), () => undefined);
}

export function StartDialog(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const t = target.value;
  useEffect(() => {
    if (t && !dialog.current?.open) dialog.current?.showModal();
    if (!t && dialog.current?.open) dialog.current.close();
  }, [t]);
  const submit = async (e: SubmitEvent): Promise<void> => {
    e.preventDefault();
    const idTag = String(new FormData(e.currentTarget as HTMLFormElement).get('idTag')).trim();
    if (!t || !idTag) return;
    if (await ask(t.charger, 'remote-start', { connectorId: t.connectorId, idTag })) {
      sessionStorage.setItem(remembered, idTag);
      target.value = null;
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="start-title" onClose={() => (target.value = null)}>
      {t && (
        <form onSubmit={(e) => void submit(e)}>
          <h2 id="start-title">Start charging</h2>
          <p class="hint">{t.charger}, connector {t.connectorId}</p>
          <label>
            Tag
            <input name="idTag" list="tags" maxLength={20} required autocomplete="off" spellcheck={false} defaultValue={sessionStorage.getItem(remembered) ?? tags.value[0]?.tag ?? ''} />
          </label>
          <datalist id="tags">{tags.value.map((x) => <option key={x.tag} value={x.tag}>{x.note ?? x.status}</option>)}</datalist>
          {askProblem.value && <ProblemText error={askProblem.value.error} />}
          <div class="buttons">
            <button type="button" class="plain" onClick={() => (target.value = null)}>Cancel</button>
            <button class="primary">Start</button>
          </div>
        </form>
      )}
    </dialog>
  );
}

// The page in headless Chromium against the real server, with a foreign station: what an operator does on the first day.
import assert from 'node:assert/strict';
import test from 'node:test';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { api, end, forget, serve, type Server } from './server.ts';
import { Station } from './station.ts';

const password = 'a sentence is fine';
let server: Server;
let browser: Browser;
let page: Page;
let station: Station;
const errors: string[] = []; // of the console and of scripts; expected ones are taken out by the test that causes them

test.before(async () => {
  server = await serve();
  const made = await api(server, 'POST', '/users', { login: 'ann', password, role: 'ADMIN' });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.ok((await api(server, 'PUT', '/tags/BROWSERTAG', { status: 'Accepted' })).status < 300);
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' })).newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
  page.on('pageerror', (e) => errors.push(e.message));
});
test.after(async () => {
  await browser?.close();
  await station?.close().catch(() => undefined);
  if (!server) return;
  const code = await end(server);
  forget(server);
  assert.equal(code, 0, `the server ends cleanly:\n${server.log.slice(-10).join('\n')}`);
});

const card = (id: string): Locator => page.locator(`[data-charger="${id}"]`);
const connector = (n: number, id = 'FOREIGN-1'): Locator => card(id).locator(`[data-connector="${n}"]`);
const number = async (n: number, label: string): Promise<number> =>
  Number((await connector(n).locator('.number', { hasText: label }).locator('.value').innerText()).replace(/[^\d.]/g, ''));

test('nothing without a login; a wrong password is told', async () => {
  await page.goto(server.http);
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  assert.deepEqual(errors, [], 'the login page is quiet');
  await page.getByLabel('Login').fill('ann');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').getByText('Login or password is wrong').waitFor();
  assert.match(errors.splice(0).join(), /401/, 'the browser notes the refusal');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('No charger yet').waitFor();
  await page.getByRole('status').getByText('Live').waitFor();
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map((c) => [c.name, c.httpOnly, c.sameSite]), [['amp_session', true, 'Strict']]);
});

test('a charger appears by itself', async () => {
  station = new Station(`ws://127.0.0.1:${server.port}/ocpp`, 'FOREIGN-1');
  await station.connect();
  await card('FOREIGN-1').getByText('Online').waitFor();
  await card('FOREIGN-1').getByText('Foreign Peer One').waitFor();
  await connector(1).getByText('Available').waitFor();
  await connector(2).getByText('Available').waitFor();
});

test("a session's numbers move", async () => {
  await station.start(1, 'BROWSERTAG');
  await connector(1).getByText('Charging').waitFor();
  await station.meter(1, 100, 7.4, 20.5);
  await page.waitForFunction(() => document.querySelector('[data-connector="1"] .session')?.textContent?.includes('7.40'));
  assert.equal(await number(1, 'Energy'), 0.1);
  await station.meter(1, 150, 11.25, 22);
  await page.waitForFunction(() => document.querySelector('[data-connector="1"] .session')?.textContent?.includes('11.25'));
  assert.equal(await number(1, 'Energy'), 0.25);
  assert.equal(await number(1, 'Current'), 32.2);
  assert.equal(await connector(1).getByRole('meter').getAttribute('aria-valuenow'), '22');
  await connector(1).locator('svg.spark polyline').waitFor({ state: 'attached' });
});

test('the message log scrolls, filters and pauses', async () => {
  const rows = page.locator('.message[data-action="MeterValues"]');
  await rows.first().waitFor();
  const before = await rows.count();
  await station.meter(1, 10, 11.2, 23);
  await page.waitForFunction((n) => document.querySelectorAll('.message[data-action="MeterValues"]').length >= n + 2, before);
  await page.getByRole('button', { name: 'Pause' }).click();
  await station.meter(1, 10, 11.1, 23);
  await page.getByRole('button', { name: /Resume, \d+ new/ }).waitFor();
  assert.equal(await rows.count(), before + 2, 'frozen');
  await page.getByRole('button', { name: /Resume/ }).click();
  await page.waitForFunction((n) => document.querySelectorAll('.message[data-action="MeterValues"]').length >= n + 4, before);
  await page.getByLabel('Search messages').fill('BootNotification');
  await page.waitForFunction(() => [...document.querySelectorAll('.message')].every((m) => m.getAttribute('data-action') === 'BootNotification'));
  await page.locator('.message summary').last().click();
  await page.locator('.message pre').getByText('"chargePointVendor": "Foreign"').waitFor();
  await page.getByLabel('Search messages').fill('');
});

test('remote start by a click', async () => {
  await connector(2).getByRole('button', { name: 'Start' }).click();
  await page.getByRole('dialog').getByLabel('Tag').fill('BROWSERTAG');
  await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await connector(2).locator('.session').waitFor();
  await connector(2).locator('.chip[data-state="confirmed"]').waitFor();
  assert.ok(station.running.has(2), 'the station was really asked');
  await connector(2).locator('.chip summary').click();
  await connector(2).locator('.chip').getByText('{"connectorId":2,"idTag":"BROWSERTAG"}').waitFor();
});

test('remote stop by a click', async () => {
  const { transactionId } = station.running.get(2)!;
  await station.meter(2, 444, 7.4, 95);
  await connector(2).getByRole('button', { name: 'Stop' }).click();
  await connector(2).locator('.session').waitFor({ state: 'detached' });
  await connector(2).locator('.chip[data-state="confirmed"]', { hasText: 'Stop' }).waitFor();
  const row = page.locator(`.sessions tr[data-transaction="${transactionId}"]`);
  await row.getByText('0.444').waitFor();
  await row.getByText('Remote').waitFor();
  assert.equal(station.running.has(2), false);
});

test('what a station says about itself stays text', async () => {
  const other = new Station(`ws://127.0.0.1:${server.port}/ocpp`, 'HOSTILE-1');
  await other.connect('<img src=x id=evil>', 1);
  await card('HOSTILE-1').getByText('<img src=x id=evil>').waitFor();
  assert.equal(await page.locator('#evil').count(), 0);
  await other.close();
  await card('HOSTILE-1').getByText('Offline').waitFor();
  await connector(1, 'HOSTILE-1').getByText('was Available').waitFor();
  assert.equal(await connector(1, 'HOSTILE-1').getByRole('button', { name: 'Start' }).isDisabled(), true, 'nothing can be asked of it');
});

test('fits a telephone, in the dark too', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, 'no sideways scrolling');
    for (const button of await page.locator('.connector button').all())
      assert.ok(((await button.boundingBox())?.height ?? 44) >= 44, 'buttons are as large as a thumb');
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  assert.deepEqual(errors, [], 'no complaint in the console so far');
});

test('a server that dies and comes back', async () => {
  await end(server, 'SIGKILL');
  await page.getByText('No connection to the server').waitFor();
  assert.equal(await connector(1).getByRole('button', { name: 'Stop' }).isDisabled(), true);
  errors.length = 0; // refused connections are noted by the browser
  server = await serve(server.port, server.data);
  await page.getByRole('button', { name: /Try now/ }).click();
  await page.getByRole('status').getByText('Live').waitFor();
  await card('FOREIGN-1').getByText('Offline').waitFor();
  await station.close().catch(() => undefined);
  station = new Station(`ws://127.0.0.1:${server.port}/ocpp`, 'FOREIGN-1');
  await station.connect();
  await card('FOREIGN-1').getByText('Online').waitFor();
  await connector(1).locator('.session').waitFor(); // it never ended, and was not forgotten
  errors.splice(0, errors.length, ...errors.filter((e) => !/WebSocket|ERR_CONNECTION/.test(e)));
  assert.deepEqual(errors, []);
});

test('a reload keeps the session, logging out ends it', async () => {
  await page.reload();
  await card('FOREIGN-1').getByText('Online').waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  assert.equal(await page.evaluate(async () => (await fetch('/api/v1/chargers')).status), 401);
});

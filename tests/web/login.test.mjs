/* login.test.mjs - the sign-in page of a daemon with a token, in a real browser. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { closeBrowser, Daemon, openBrowser, SHORT } from './support.mjs';

const TOKEN = 'correct-horse-battery-staple';

let daemon;
before(async () => {
    daemon = new Daemon();
    const file = path.join(daemon.folder, 'token');
    writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
    await daemon.start(['--token-file', file]);
    const headers = { 'Authorization': `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
    const made = await fetch(`${daemon.url}/api/v1/runs`, { method: 'POST', headers, body: JSON.stringify({ config: SHORT }) });
    assert.equal(made.status, 201);
});
after(async () => {
    await closeBrowser();
    await daemon.remove();
});

/** A browser nobody is signed in with. */
async function visit(t, address, options = {}) {
    const context = await (await openBrowser()).newContext(options);
    t.after(() => context.close());
    const page = await context.newPage();
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    t.after(() => assert.deepEqual(wrong, []));
    await page.goto(daemon.url + address);
    return page;
}

async function signIn(page, token = TOKEN) {
    await page.fill('#token', token);
    await page.keyboard.press('Enter');
}

test('who opens a page is led to sign in, and then to that page', async (t) => {
    const page = await visit(t, '/?run=1&axis=epochs');
    assert.equal(new URL(page.url()).pathname, '/login.html');
    await page.waitForSelector('#token:focus');
    await signIn(page);
    await page.waitForURL((url) => url.pathname === '/' && url.searchParams.get('run') === '1' && url.searchParams.get('axis') === 'epochs');
    await page.waitForFunction(() => window.goodness?.run?.id === 1);
    const [cookie, ...others] = await page.context().cookies();
    assert.equal(others.length, 0);
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, 'Strict');
    assert.ok(!cookie.value.includes(TOKEN));
    assert.equal(await page.evaluate(() => document.cookie), '', 'no script sees it');
});

test('a wrong token is said, and can be mended', async (t) => {
    const page = await visit(t, '/');
    await page.waitForSelector('#token:focus');
    await signIn(page, 'wrong-horse-battery-staple');
    await page.waitForSelector('#error:not([hidden])');
    assert.match(String(await page.textContent('#error')), /this is not the token/);
    assert.equal(await page.getAttribute('#token', 'aria-invalid'), 'true');
    await signIn(page);
    await page.waitForURL(`${daemon.url}/`);
});

test('the way back never leads to another site', async (t) => {
    for (const to of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)', '/%09/evil.example', 'http:evil.example']) {
        const page = await visit(t, `/login.html?to=${encodeURIComponent(to)}`);
        await page.waitForSelector('#token:focus');
        const onward = await page.getAttribute('#onward', 'href');
        assert.equal(new URL(String(onward), daemon.url).origin, daemon.url, to);
        await signIn(page);
        await page.waitForURL((url) => url.pathname !== '/login.html');
        assert.equal(new URL(page.url()).origin, daemon.url, to);
    }
});

test('signing out ends it, also for a page that is still open', async (t) => {
    const page = await visit(t, '/login.html');
    await page.waitForSelector('#token:focus');
    await signIn(page);
    await page.waitForURL(`${daemon.url}/`);
    await page.waitForFunction(() => window.goodness?.run?.id === 1);
    const other = await page.context().newPage();
    await other.goto(`${daemon.url}/login.html`);
    await other.click('#leave');
    await other.waitForSelector('#token:focus');
    await page.reload();
    assert.equal(new URL(page.url()).pathname, '/login.html');
});

test('every page of who is signed in leads out, by the keyboard too', async (t) => {
    const page = await visit(t, '/', { viewport: { width: 360, height: 700 } });
    await page.waitForSelector('#token:focus');
    await signIn(page);
    await page.waitForURL(`${daemon.url}/`);
    for (const address of ['/?run=1', '/runs.html', '/compare.html', '/math.html', '/api.html', '/no/such/page']) {
        await page.goto(daemon.url + address);
        await page.waitForSelector('#sign-out');
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, address);
        const { violations } = await new AxeBuilder({ page }).include('.bar').analyze();
        assert.deepEqual(violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html)}`), [], address);
    }
    await page.focus('#theme-button');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#token:focus');
    await page.goto(`${daemon.url}/runs.html`);
    await page.waitForURL(/login\.html/);
});

test('it reads well for everybody, in light and dark, on a small screen', async (t) => {
    for (const colorScheme of ['light', 'dark']) {
        const page = await visit(t, '/login.html', { colorScheme, viewport: { width: 360, height: 700 } });
        await page.waitForSelector('#token:focus');
        await signIn(page, 'x');
        await page.waitForSelector('#error:not([hidden])');
        const { violations } = await new AxeBuilder({ page }).analyze();
        assert.deepEqual(violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html)}`), []);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    }
});

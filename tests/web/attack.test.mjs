/* attack.test.mjs - a page of another origin in a real browser tries to read and to change what the daemon has: by fetch, form, image,
 * script, frame, stream, beacon and window, and under a name that was rebound to this machine. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { BROWSER, Daemon, LONG } from './support.mjs';

let daemon;
let evil;
let browser;
let run;
before(async () => {
    daemon = new Daemon();
    await daemon.start();
    run = await daemon.post('/api/v1/runs', { config: LONG, name: 'precious' });
    evil = http.createServer((request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/html' });
        response.end('<!doctype html><title>evil</title><body>');
    });
    await new Promise((resolve) => evil.listen(0, '127.0.0.1', () => resolve(undefined)));
    browser = await chromium.launch({
        ...BROWSER,
        /* The browser's own fence around this machine is off: it is the daemon's that is tried. */
        args: [...BROWSER.args, '--host-resolver-rules=MAP *.example 127.0.0.1', '--disable-features=LocalNetworkAccessChecks'],
    });
});
after(async () => {
    await browser?.close();
    evil?.close();
    evil?.closeAllConnections();
    await daemon?.remove();
});

/** Pages that are not the daemon's: on another port of this machine, and of another name for it. */
const attackers = () => {
    const { port } = evil.address();
    return [`http://127.0.0.1:${port}/`, `http://localhost:${port}/`, `http://evil.example:${port}/`];
};

async function openAttacker(t, address) {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(address);
    return page;
}

/** The one run is as it was made, and still trains. */
async function assertUntouched() {
    const { runs } = await daemon.get('/api/v1/runs');
    assert.deepEqual(
        runs.map((each) => [each.id, each.name, each.notes, each.tags]),
        [[run.id, 'precious', '', []]],
    );
    assert.ok(['queued', 'running'].includes(runs[0].state), runs[0].state);
    assert.equal(runs[0].pending, null);
}

test('fetch changes nothing and reads nothing, in whatever mode', async (t) => {
    for (const address of attackers()) {
        const page = await openAttacker(t, address);
        const results = await page.evaluate(
            async ({ base, id }) => {
                const tries = [];
                const paths = ['/api/v1/runs', `/api/v1/runs/${id}`, `/api/v1/runs/${id}/stop`, `/api/v1/runs/${id}/pause`, '/metrics', '/'];
                for (const path of paths)
                    for (const method of ['GET', 'POST', 'DELETE', 'PATCH'])
                        for (const mode of ['cors', 'no-cors'])
                            for (const type of [undefined, 'text/plain', 'application/json'])
                                tries.push({ path, method, mode, type });
                const asked = tries.map(async ({ path, method, mode, type }) => {
                    const body = method === 'GET' || !type ? undefined : '{"name": "stolen", "config": {}}';
                    try {
                        const response = await fetch(base + path, {
                            method,
                            mode: /** @type {RequestMode} */ (mode),
                            headers: type ? { 'Content-Type': type } : {},
                            body,
                            credentials: 'include',
                        });
                        return { type: response.type, text: await response.text() };
                    } catch {
                        return { type: 'error', text: '' };
                    }
                });
                return Promise.all(asked);
            },
            { base: daemon.url, id: run.id },
        );
        assert.ok(results.length > 100);
        for (const { type, text } of results) {
            assert.ok(['error', 'opaque'].includes(type), type);
            assert.equal(text, '');
        }
    }
    await assertUntouched();
});

test('a form, a beacon and a link change nothing', async (t) => {
    for (const address of attackers()) {
        const page = await openAttacker(t, address);
        for (const [action, type] of [
            ['/api/v1/runs', 'text/plain'],
            ['/api/v1/runs', 'application/x-www-form-urlencoded'],
            [`/api/v1/runs/${run.id}/stop`, 'application/x-www-form-urlencoded'],
            [`/api/v1/runs/${run.id}/pause`, 'multipart/form-data'],
            ['/api/v1/logout', 'application/x-www-form-urlencoded'],
        ]) {
            await page.goto(address);
            const [answer] = await Promise.all([
                page.waitForResponse((response) => response.url() === daemon.url + action),
                page.waitForURL(daemon.url + action),
                page.evaluate(
                    ({ url, enctype }) => {
                        const form = Object.assign(document.createElement('form'), { action: url, method: 'post', enctype });
                        const input = Object.assign(document.createElement('input'), { name: '{"name":"stolen","x":"', value: '"}' });
                        form.append(input);
                        document.body.append(form);
                        form.submit();
                    },
                    { url: daemon.url + action, enctype: type },
                ),
            ]);
            assert.equal(answer.status(), 403, action);
        }
        await page.goto(address);
        await page.evaluate((url) => navigator.sendBeacon(url, '{}'), `${daemon.url}/api/v1/runs/${run.id}/stop`);
    }
    await assertUntouched();
});

test('an image, a script, a style, a frame and a stream show nothing of the data', async (t) => {
    for (const address of attackers()) {
        const page = await openAttacker(t, address);
        const seen = await page.evaluate(
            async ({ base, id }) => {
                const load = (/** @type {string} */ tag, /** @type {object} */ fields) =>
                    new Promise((resolve) => {
                        const made = Object.assign(document.createElement(tag), fields);
                        made.addEventListener('load', () => resolve(`${tag} loaded`));
                        made.addEventListener('error', () => resolve('error'));
                        document.body.append(made);
                    });
                const stream = (/** @type {string} */ path) =>
                    new Promise((resolve) => {
                        const source = new EventSource(base + path, { withCredentials: true });
                        source.onmessage = source.onopen = () => resolve('stream opened');
                        source.onerror = () => resolve('error');
                    });
                const all = [
                    load('img', { src: `${base}/api/v1/runs` }),
                    load('img', { src: `${base}/api/v1/runs/${id}/stop` }),
                    load('script', { src: `${base}/api/v1/runs` }),
                    load('script', { src: `${base}/metrics` }),
                    load('link', { rel: 'stylesheet', href: `${base}/api/v1/runs/${id}/log` }),
                    stream('/api/v1/events'),
                    stream(`/api/v1/runs/${id}/events`),
                ];
                return Promise.all(all);
            },
            { base: daemon.url, id: run.id },
        );
        assert.deepEqual(new Set(seen), new Set(['error']));
        const refused = page.waitForResponse((response) => response.url() === `${daemon.url}/`);
        await page.evaluate((src) => document.body.append(Object.assign(document.createElement('iframe'), { src })), `${daemon.url}/`);
        assert.equal((await refused).headers()['x-frame-options'], 'DENY');
        const opened = page.waitForEvent('popup');
        const reach = page.evaluate((url) => {
            const other = window.open(url);
            try {
                return String(other?.document.body?.textContent ?? '').includes('precious');
            } catch {
                return false;
            }
        }, `${daemon.url}/`);
        assert.equal(await reach, false);
        await (await opened).close();
    }
    await assertUntouched();
});

test('a name that was rebound to this machine reaches nothing', async (t) => {
    const { port } = new URL(daemon.url);
    const page = await openAttacker(t, attackers()[2]);
    const answer = await page.goto(`http://rebound.example:${port}/`);
    assert.equal(answer?.status(), 421);
    assert.match(String(await page.textContent('body')), /is not a name of this machine/);
    const same = await page.evaluate(
        async (id) =>
            Promise.all(
                [
                    ['GET', '/api/v1/runs'],
                    ['GET', `/api/v1/runs/${id}`],
                    ['POST', `/api/v1/runs/${id}/stop`],
                    ['DELETE', `/api/v1/runs/${id}`],
                    ['GET', '/metrics'],
                ].map(async ([method, path]) => (await fetch(path, { method })).status),
            ),
        run.id,
    );
    assert.deepEqual(new Set(same), new Set([421]), 'of the same origin, by the browser\'s own rules');
    await assertUntouched();
});

test('the page itself can do what was refused above', async (t) => {
    const page = await openAttacker(t, `${daemon.url}/`);
    const status = await page.evaluate(async (id) => {
        const options = { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: '{"notes": "mine"}' };
        return (await fetch(`/api/v1/runs/${id}`, options)).status;
    }, run.id);
    assert.equal(status, 200);
    assert.equal((await daemon.get(`/api/v1/runs/${run.id}`)).notes, 'mine');
});

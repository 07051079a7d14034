/* support.mjs - a real daemon, a small data set, a connection that can be cut, and a page in a real Chromium. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const BINARY = process.env.GOODNESS;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
];

/** How the browser is launched. */
export const BROWSER = { executablePath: CHROMIUM, args: FLAGS };

/** A run that goes on until it is stopped, with a point a step. */
export const LONG = { layers: [700, 600, 10], batch_size: 200, epochs: 50000, evaluate_every: 50000 };
/** A run that is over at once, with several epochs. */
export const SHORT = { layers: [32, 16], batch_size: 50, epochs: 4 };

/** Images with a bright block whose place tells the label, as the four files that MNIST comes in. */
function writeDataset(folder, train = 400, test = 100) {
    const word = (value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
    for (const [name, count] of [
        ['train', train],
        ['t10k', test],
    ]) {
        const images = Buffer.alloc(16 + count * 784);
        const labels = Buffer.alloc(8 + count);
        images.set([0, 0, 8, 3, ...word(count), ...word(28), ...word(28)]);
        labels.set([0, 0, 8, 1, ...word(count)]);
        for (let i = 0; i < count; i++) {
            const label = (i * 7 + (i >> 3)) % 10;
            labels[8 + i] = label;
            for (let p = 0; p < 784; p++)
                images[16 + i * 784 + p] = Math.floor(p / 28 / 3) === label ? 255 : (i * 31 + p * 17) % 40;
        }
        writeFileSync(path.join(folder, `${name}-images-idx3-ubyte`), images);
        writeFileSync(path.join(folder, `${name}-labels-idx1-ubyte`), labels);
    }
}

/** A daemon with its own state; `start` and `end` may be called again. */
export class Daemon {
    constructor() {
        this.folder = mkdtempSync(path.join(tmpdir(), 'goodness-web-'));
        this.process = null;
        this.url = '';
        writeDataset(this.folder);
    }

    /** @param {string[]} [more] arguments */
    async start(more = []) {
        assert.ok(BINARY, 'set GOODNESS to the path of the program');
        this.process = spawn(
            BINARY,
            [
                'serve',
                '--port',
                '0',
                '--state',
                path.join(this.folder, 'state'),
                '--data',
                `mnist=${this.folder}`,
                '--data',
                `second=${this.folder}`,
                ...more,
            ],
            { stdio: ['ignore', 'pipe', 'pipe'] },
        );
        let errors = '';
        this.process.stderr.on('data', (text) => (errors += text));
        for await (const line of createInterface({ input: this.process.stdout })) {
            const found = /^listening on (http:\S+)$/.exec(line);
            if (found) {
                this.url = found[1];
                return;
            }
        }
        assert.fail(`the daemon ended before it listened: ${errors}`);
    }

    /** @param {NodeJS.Signals} signal */
    async end(signal = 'SIGTERM') {
        const { process: ending } = this;
        this.process = null;
        if (!ending || ending.exitCode !== null) return;
        const ended = new Promise((resolve) => ending.once('exit', resolve));
        ending.kill(signal);
        await ended;
    }

    async get(resource) {
        const response = await fetch(this.url + resource);
        assert.equal(response.status, 200, resource);
        return response.json();
    }

    post(resource, body = {}) {
        return this.send('POST', resource, body);
    }

    patch(resource, body) {
        return this.send('PATCH', resource, body);
    }

    async send(method, resource, body) {
        const headers = { 'Content-Type': 'application/json' };
        const response = await fetch(this.url + resource, { method, headers, body: JSON.stringify(body) });
        assert.ok(response.ok, `${resource}: ${response.status}`);
        return response.json();
    }

    async remove() {
        await this.end('SIGKILL');
        rmSync(this.folder, { recursive: true, force: true });
    }
}

/** A way to the daemon that can be cut, and that stays where it is when the daemon comes back elsewhere. */
export class Line {
    #sockets = new Set();
    #cut = false;

    /** @param {Daemon} daemon */
    constructor(daemon) {
        this.daemon = daemon;
        /** Streams of events: open now, and ever opened. */
        this.streams = { open: 0, opened: 0 };
        this.server = http.createServer((request, response) => this.#pass(request, response));
        this.server.on('connection', (socket) => {
            if (this.#cut) socket.destroy();
            this.#sockets.add(socket);
            socket.on('close', () => this.#sockets.delete(socket));
        });
    }

    async open() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.url = `http://127.0.0.1:${this.server.address().port}`;
    }

    /** Break all connections, and every new one, until `mend`. */
    cut() {
        this.#cut = true;
        this.#sockets.forEach((socket) => socket.destroy());
    }

    mend() {
        this.#cut = false;
    }

    close() {
        this.cut();
        this.server.close();
    }

    #count(response) {
        this.streams.open++;
        this.streams.opened++;
        response.on('close', () => {
            this.streams.open--;
            this.server.emit('stream closed');
        });
    }

    /** Until so many streams are open. */
    async streamsAre(count) {
        while (this.streams.open !== count) await once(this.server, 'stream closed');
    }

    #pass(request, response) {
        const { url } = this.daemon;
        const headers = { ...request.headers, host: new URL(url).host };
        if (headers.origin) headers.origin = url;
        if (request.url.endsWith('/events')) this.#count(response);
        const onward = http.request(url + request.url, { method: request.method, headers }, (answer) => {
            response.writeHead(answer.statusCode, answer.headers);
            answer.on('error', () => response.destroy());
            answer.on('close', () => answer.complete || response.destroy());
            answer.pipe(response);
        });
        onward.on('error', () => response.destroy());
        response.on('close', () => onward.destroy());
        request.pipe(onward);
    }
}

let browser = null;

/** The one browser of a test file; close it with `closeBrowser`. */
export async function openBrowser() {
    browser ??= await chromium.launch(BROWSER);
    return browser;
}

export async function closeBrowser() {
    await browser?.close();
    browser = null;
}

/** Another window. The test fails when its script does. */
export async function newPage(t, context) {
    const page = await context.newPage();
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
            wrong.push(message.text());
    });
    t.after(() => assert.deepEqual(wrong, []));
    page.setDefaultTimeout(120000);
    return page;
}

/**
 * A page of its own on a daemon of its own, gone when the test is over. The test fails when the page's script does,
 * or when the browser refuses something by the content security policy.
 * @param {import('node:test').TestContext} t
 * @param {{config?: object, line?: boolean, width?: number, colorScheme?: 'light' | 'dark',
 *          address?: string, init?: () => void, reducedMotion?: 'reduce' | 'no-preference'}} [how]
 *        config: a run that is started before the page is opened; init: done in the page before its own scripts
 */
export async function openPage(t, how = {}) {
    const daemon = new Daemon();
    t.after(() => daemon.remove());
    await daemon.start();
    let url = daemon.url;
    let line = null;
    if (how.line) {
        line = new Line(daemon);
        await line.open();
        t.after(() => line.close());
        url = line.url;
    }
    const run = how.config ? await daemon.post('/api/v1/runs', { config: how.config }) : null;
    const context = await (
        await openBrowser()
    ).newContext({
        viewport: { width: how.width ?? 1280, height: 900 },
        colorScheme: how.colorScheme ?? 'light',
        reducedMotion: how.reducedMotion ?? 'reduce',
    });
    t.after(() => context.close());
    if (how.init) await context.addInitScript(how.init);
    const page = await newPage(t, context);
    await page.goto(url + (how.address ?? '/'));
    return { daemon, line, run, page, url, context };
}

/** Wait until the page has drawn at least `count` points. */
export const drawn = (page, count) =>
    page.waitForFunction((least) => window.goodness.points.steps.length >= least, count);

/** Scroll to every section of the live page, until each shows what it has of a run that is over. */
export async function everySection(page) {
    for (const [section, there] of [
        ['#histograms', '[data-histogram] canvas'],
        ['#errors', '#errors-chart canvas'],
        ['#confusion', '#confusion-matrix canvas'],
        ['#trial', '#trial-empty:visible, #trial-answer:visible'],
        ['#weights', '#weights-pictures canvas'],
        ['#knobs', '#knob-learning_rate'],
        ['#timeline', '#timeline-empty:visible, #timeline-lanes:visible'],
        ['#log-section', '#log'],
    ]) {
        await page.locator(section).scrollIntoViewIfNeeded();
        await page.locator(there).first().waitFor({ state: 'attached' });
    }
}

export const stateIs = (page, state) => page.waitForSelector(`#run-state[data-state="${state}"]`);

/** What the points from `from` up to `to` are when merged: means by the steps covered, lowest lows, highest highs. */
function mergedPoint(steps, values, field, from, to) {
    const part = values.slice(from, to);
    if (field.endsWith('_low')) return Math.min(...part);
    if (field.endsWith('_high')) return Math.max(...part);
    const covered = part.map((_, i) => steps[from + i] - (steps[from + i - 1] ?? 0));
    const all = covered.reduce((sum, each) => sum + each, 0);
    return part.length === 1 ? part[0] : part.reduce((sum, value, i) => sum + (value * covered[i]) / all, 0);
}

/**
 * The page shows the server's points up to `theirs`' last: every one, once, in order. What the page keeps as it came
 * is the same to the last bit; what was merged, in a long run, is what merging these very points gives, but for the
 * rounding to single precision of what the server had merged before the page merged it further.
 */
export function assertPoints(mine, theirs) {
    let from = 0;
    assert.ok(
        mine.steps.every((step, i) => i === 0 || step > mine.steps[i - 1]),
        'in order, none twice',
    );
    for (let i = 0; i < mine.steps.length && mine.steps[i] <= theirs.steps.at(-1); i++) {
        const to = theirs.steps.indexOf(mine.steps[i]) + 1;
        assert.ok(to > from, `step ${mine.steps[i]} is one of the server's`);
        for (const field of ['positive', 'negative_low', 'positive_high', 'accuracy']) {
            theirs.layers.forEach((layer, index) => {
                const expected = mergedPoint(theirs.steps, layer[field], field, from, to);
                const shown = mine.layers[index][field][i];
                const near = to - from === 1 ? 0 : 2 ** -23 * Math.max(1, Math.abs(expected));
                assert.ok(
                    Math.abs(shown - expected) <= near,
                    `${field} at step ${mine.steps[i]}: ${shown}, ${expected}`,
                );
            });
        }
        from = to;
    }
    return from;
}

/** The page's points, once they reach this step: after a `dropped` event it reads those it had again. */
export async function pointsUpTo(page, step) {
    const reached = await page.waitForFunction((last) => {
        const { points } = window.goodness;
        return points.steps.at(-1) >= last && points;
    }, step);
    return reached.jsonValue();
}

/** The page's points become exactly the server's. */
export async function assertSamePoints(page, daemon, id) {
    const theirs = await daemon.get(`/api/v1/runs/${id}/metrics?max_points=100000`);
    assert.ok(theirs.steps.length > 0);
    const mine = await pointsUpTo(page, theirs.steps.at(-1));
    assert.equal(assertPoints(mine, theirs), theirs.steps.length, 'none is missing');
}

// support.mjs - the real daemon on a free port, with a state folder and a small data set of its own.
//
// The program is the one that the environment variable GOODNESS names.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';

export const SIDE = 8;
export const CLASSES = 4;

/** A pixel of the synthetic images: each class has a bright bar of its own, with a little noise that repeats. */
export function pixelAt(index, label, row, column) {
    const noise = (index * 31 + row * 17 + column * 7) % 40;
    const bright = Math.floor(row / 2) === label;
    return bright ? 255 - noise : noise;
}

function idxImages(count) {
    const data = Buffer.alloc(16 + count * SIDE * SIDE);
    [0x00000803, count, SIDE, SIDE].forEach((word, i) => data.writeUInt32BE(word, 4 * i));
    for (let index = 0; index < count; index++)
        for (let row = 0; row < SIDE; row++)
            for (let column = 0; column < SIDE; column++)
                data[16 + (index * SIDE + row) * SIDE + column] = pixelAt(index, index % CLASSES, row, column);
    return data;
}

function idxLabels(count) {
    const data = Buffer.alloc(8 + count);
    data.writeUInt32BE(0x00000801, 0);
    data.writeUInt32BE(count, 4);
    for (let index = 0; index < count; index++)
        data[8 + index] = index % CLASSES;
    return data;
}

/** Write a data set as four IDX files into `folder`. The label of image i is i modulo CLASSES. */
export async function writeDataset(folder, { train = 400, test = 100 } = {}) {
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'train-images-idx3-ubyte'), idxImages(train));
    await writeFile(path.join(folder, 'train-labels-idx1-ubyte'), idxLabels(train));
    await writeFile(path.join(folder, 't10k-images-idx3-ubyte'), idxImages(test));
    await writeFile(path.join(folder, 't10k-labels-idx1-ubyte'), idxLabels(test));
}

/** A configuration that trains in a moment; `fields` over it. */
export function small(fields = {}) {
    return { dataset: 'bars', layers: [16, 12], epochs: 2, batch_size: 10, ...fields };
}

/** One that does not end by itself while a test looks at it, on a machine ten times as fast either. */
export function endless(fields = {}) {
    return small({ epochs: 900000, evaluate_every: 900000, ...fields });
}

function listening(child) {
    return new Promise((resolve, reject) => {
        let output = '';
        child.stdout.on('data', (data) => {
            output += data;
            const found = /^listening on (http:\/\/\S+)\n/.exec(output);
            if (found)
                resolve(found[1]);
        });
        child.once('exit', (code) => reject(new Error(`goodness ended with ${code} before it listened`)));
        child.once('error', reject);
    });
}

/**
 * Start the daemon. `state` names a folder to start it on again (kept by stop); without it the folder is removed. `named`:
 * whether it is told of the data set.
 * Returns { base, port, state, process, request, json, logged, stop, kill }; stop ends it as a service would, and fails when it
 * does not end well (a sanitizer's report counts); kill is SIGKILL.
 */
export async function startDaemon({ state, args = [], dataset = {}, environment = {}, named = true } = {}) {
    const home = await mkdtemp(path.join(os.tmpdir(), 'goodness-api-'));
    const folder = state ?? path.join(home, 'state');
    await writeDataset(path.join(home, 'bars'), dataset);
    const child = spawn(process.env.GOODNESS, [
        'serve', '--port', '0', '--state', folder, ...(named ? ['--data', `bars=${path.join(home, 'bars')}`] : []), ...args,
    ], { env: { ...process.env, HOME: home, XDG_DATA_HOME: path.join(home, 'share'), ...environment } });
    let errors = '';
    child.stderr.on('data', (data) => { errors += data; });
    /* What it has logged, once that has something in it. */
    const logged = async (wanted) => {
        while (!wanted.test(errors))
            await once(child.stderr, 'data');
        return errors;
    };
    const base = await listening(child).catch((error) => { throw new Error(`${error.message}: ${errors}`); });
    const end = async (signal) => {
        if (child.exitCode === null && child.signalCode === null) {
            const exited = once(child, 'exit');
            child.kill(signal);
            await exited;
        }
        await rm(home, { recursive: true, force: true });
        if (signal === 'SIGTERM' && child.exitCode !== 0)
            throw new Error(`goodness ended with ${child.exitCode ?? child.signalCode}: ${errors}`);
    };
    return {
        base, port: Number(new URL(base).port), state: folder, home, process: child,
        request: (where, options) => fetch(base + where, options),
        logged,
        json: (method, where, body, headers = {}) => json(base, method, where, body, headers),
        stop: () => end('SIGTERM'),
        kill: () => end('SIGKILL'),
    };
}

/** One request; { status, headers, body } with the body parsed where it is JSON. */
export async function json(base, method, where, body, headers = {}) {
    const options = { method, headers: { ...headers } };
    if (body !== undefined) {
        options.headers['Content-Type'] = 'application/json';
        options.body = JSON.stringify(body);
    }
    const response = await fetch(base + where, options);
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, headers: response.headers, text,
        body: type.includes('json') ? JSON.parse(text) : text };
}

/** A request with fields that fetch does not let through (Host, Origin, Sec-Fetch-Site). */
export function raw(daemon, { method = 'GET', path: where = '/', headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port: daemon.port, method, path: where, headers,
            setHost: headers.Host === undefined }, (response) => {
            let text = '';
            response.setEncoding('utf8');
            response.on('data', (part) => { text += part; });
            response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
        });
        request.on('error', reject);
        request.end(body);
    });
}

/** Make a run; its representation. */
export async function makeRun(daemon, config, fields = {}) {
    const answer = await daemon.json('POST', '/api/v1/runs', { config, ...fields });
    if (answer.status !== 201)
        throw new Error(answer.text);
    return answer.body;
}

/** The run when it has ended, however slow the machine is: who asks may give up, the daemon does not. */
export async function ended(daemon, id) {
    for (;;) {
        const { body } = await daemon.json('GET', `/api/v1/runs/${id}?wait=120`);
        if (!['queued', 'running', 'paused'].includes(body.state))
            return body;
    }
}

/** After a test: whatever it has left under way, as one that failed does, is not in the way of the next. */
export async function stopAll(daemon) {
    for (const state of ['queued', 'running', 'paused'])
        for (const { id } of (await daemon.json('GET', `/api/v1/runs?state=${state}`)).body.runs) {
            await daemon.json('POST', `/api/v1/runs/${id}/stop`);
            await ended(daemon, id);
        }
}

/** A reader of Server-Sent Events: `next()` gives { type, id, data }, or null at the end of the stream. */
export class Events {
    static async open(daemon, where, headers = {}) {
        const events = new Events();
        events.abort = new AbortController();
        events.response = await fetch(daemon.base + where, { headers, signal: events.abort.signal });
        events.reader = events.response.body.getReader();
        events.decoder = new TextDecoder();
        events.text = '';
        events.comments = 0;
        return events;
    }

    /** The next block of lines, or null. */
    async block() {
        while (!this.text.includes('\n\n')) {
            const { done, value } = await this.reader.read();
            if (done)
                return null;
            this.text += this.decoder.decode(value, { stream: true });
        }
        const end = this.text.indexOf('\n\n');
        const block = this.text.slice(0, end);
        this.text = this.text.slice(end + 2);
        return block;
    }

    async next() {
        for (;;) {
            const block = await this.block();
            if (block === null)
                return null;
            const event = { type: 'message', data: undefined };
            for (const line of block.split('\n')) {
                if (line.startsWith(':'))
                    this.comments++;
                else if (line.startsWith('event: '))
                    event.type = line.slice(7);
                else if (line.startsWith('id: '))
                    this.lastId = event.id = line.slice(4);
                else if (line.startsWith('data: '))
                    event.data = JSON.parse(line.slice(6));
            }
            if (event.data !== undefined)
                return event;
        }
    }

    /** Events until `wanted(event)` holds, that one included. */
    async until(wanted) {
        const all = [];
        for (;;) {
            const event = await this.next();
            if (event === null)
                throw new Error(`the stream ended after ${all.map((e) => e.type).join(', ')}`);
            all.push(event);
            if (wanted(event))
                return all;
        }
    }

    /** All events to the end of the stream. */
    async rest() {
        const all = [];
        for (let event = await this.next(); event !== null; event = await this.next())
            all.push(event);
        return all;
    }

    close() {
        this.abort.abort();
    }
}

/** Until it has trained: it runs before its trainer is there, and may then still be stopped without having done a step. */
export async function trains(daemon, id) {
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until((event) => event.type === 'points');
    events.close();
}

/** Wait until the run is in `state`, by its events. */
export async function inState(daemon, id, state) {
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    const all = await events.until((event) => event.type === 'state' && event.data.state === state);
    events.close();
    return all.at(-1).data;
}

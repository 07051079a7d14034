// Streams at scale: five hundred readers, a hundred of whom stall, cost what event_stream.h says and lose nothing that they are
// not told of; and another hand's client of Server-Sent Events reads them, over a restart of the daemon too.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { EventSource } from 'eventsource';

import { ended, makeRun, small, startDaemon } from './support.mjs';

const LIVE = 400, STALLED = 100;
const RING = 1024 * 1024;         /* of GOODNESS_EVENT_BYTES */
const READER = (300 + 96) * 1024; /* what a reader costs at most: event_stream.h */
const STEPS = 80;                 /* of each run: 400 images, batches of 10, two epochs */

/** A run whose events are long: 32 layers, a point a step. */
const wordy = () => small({ layers: new Array(32).fill(4), epochs: 2 });

/** Bytes that the process has had resident at its most. */
async function memory(daemon) {
    const text = await readFile(`/proc/${daemon.process.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)[1]) * 1024;
}

/** A reader of all runs' events that keeps whole blocks; `stall` and `go` stop and start its reading. */
class Reader {
    static async open(daemon, lastId) {
        const reader = new Reader();
        Object.assign(reader, { text: '', ended: false, waiting: [], lastId, seen: () => {} });
        const request = http.get(`${daemon.base}/api/v1/events`, { agent: false,
            headers: lastId === undefined ? {} : { 'Last-Event-ID': lastId } });
        [reader.response] = await once(request, 'response');
        assert.equal(reader.response.statusCode, 200);
        request.on('error', () => {});
        reader.response.setEncoding('utf8');
        reader.response.on('error', () => {});
        reader.response.on('close', () => { reader.ended = true; reader.look(); });
        reader.response.on('data', (part) => reader.take(part));
        return reader;
    }

    take(part) {
        this.text += part;
        const end = this.text.lastIndexOf('\n\n');
        if (end < 0)
            return;
        const blocks = this.text.slice(0, end).split('\n\n');
        this.text = this.text.slice(end + 2);
        for (const block of blocks)
            if (/^(event|id): /.test(block)) /* no comment */
                this.block(block);
        this.look();
    }

    block(block) {
        this.lastId = /^id: (\d+)$/m.exec(block)?.[1] ?? this.lastId;
        this.seen(block);
    }

    look() {
        this.waiting = this.waiting.filter(({ wanted, resolve }) => !(wanted() || this.ended) || resolve());
    }

    /** Until `wanted()` holds, or the stream has ended. */
    until(wanted) {
        return new Promise((resolve) => {
            this.waiting.push({ wanted, resolve });
            this.look();
        });
    }

    stall() { this.response.pause(); }

    go() { this.response.resume(); }

    close() { this.response.destroy(); }
}

function parse(block) {
    const [, type] = /^event: (.*)$/m.exec(block) ?? [], [, data] = /^data: (.*)$/m.exec(block) ?? [];
    return { type, data: data === undefined ? undefined : JSON.parse(data), id: /^id: (\d+)$/m.exec(block)?.[1] };
}

const count = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

test('500 readers, 100 of whom stall: bounded memory, gaps that are told, and the rest whole', { timeout: 550000 }, async (context) => {
    const daemon = await startDaemon({ environment: { GOODNESS_EVENT_BYTES: String(RING) } });
    const readers = [];
    context.after(async () => {
        readers.forEach((reader) => reader.close());
        await daemon.stop();
    });
    await ended(daemon, (await makeRun(daemon, wordy())).id); /* what a run needs at all */
    const before = await memory(daemon);
    const finished = new Map(); /* by run: how many of the live readers have seen its end */
    let everybody = () => {};
    const open = async () => {
        const reader = await Reader.open(daemon);
        readers.push(reader);
        return reader;
    };
    /* Each live reader's events as one digest; the first one's in full. */
    const live = [], whole = [];
    for (let i = 0; i < LIVE; i++) {
        const reader = await open(), digest = createHash('sha256');
        live.push({ reader, digest });
        reader.response.once('close', () => everybody());
        reader.seen = (block) => {
            digest.update(block).update('\n\n');
            if (i === 0)
                whole.push(parse(block));
            const over = block.startsWith('event: state') && /"id":(\d+),.*"state":"finished"/.exec(block);
            if (!over)
                return;
            finished.set(Number(over[1]), (finished.get(Number(over[1])) ?? 0) + 1);
            everybody();
        };
    }
    const stalled = [];
    for (let i = 0; i < STALLED; i++) {
        const reader = await open(), events = [];
        reader.seen = (block) => events.push(parse(block));
        stalled.push({ reader, events });
    }
    for (const { reader } of stalled)
        reader.stall();

    /* One short run after the other, each begun when all live readers have had the one before: none of them can fall behind. */
    const runs = [], sent = () => whole.reduce((sum, event) => sum + JSON.stringify(event.data ?? '').length, 0);
    while (runs.length < 3 || sent() < 2.5 * RING) {
        const { id } = await makeRun(daemon, wordy());
        runs.push(id);
        await new Promise((resolve, reject) => {
            everybody = () => {
                if (finished.get(id) === LIVE)
                    resolve();
                else if (live.some(({ reader }) => reader.ended))
                    reject(new Error('a live reader was left'));
            };
            everybody();
        });
    }
    const after = await memory(daemon);
    context.diagnostic(`${runs.length} runs, ${(sent() / 1e6).toFixed(1)} MB to each live reader; memory from ` +
        `${(before / 1e6).toFixed(1)} to ${(after / 1e6).toFixed(1)} MB: ${((after - before) / (LIVE + STALLED) / 1e3).toFixed(1)} kB a reader`);
    assert.ok(after - before < RING + (LIVE + STALLED) * READER, `${after - before} bytes for readers`);

    /* Who reads gets all of it, in order, and the same as everybody. */
    assert.ok(!whole.some((event) => event.type === 'dropped'));
    assert.deepEqual([...new Set(live.map(({ digest }) => digest.digest('hex')))].length, 1);
    const ids = whole.filter((event) => event.id !== undefined).map((event) => Number(event.id));
    assert.deepEqual(ids, count(ids[0], ids.at(-1)));
    for (const id of runs)
        assert.deepEqual(whole.filter((event) => event.type === 'points' && event.data.run === id).flatMap((event) => event.data.steps),
            count(1, STEPS), `run ${id}`);

    /* Who stalled is told where the gap begins, and gets all that is still kept behind it. */
    let dropped = 0, cut = 0;
    for (const { reader, events } of stalled) {
        reader.go();
        await reader.until(() => events.some((event) => event.type === 'state' && event.data.id === runs.at(-1) &&
            event.data.state === 'finished' && event.id !== undefined));
        const gap = events.findIndex((event) => event.type === 'dropped');
        if (gap < 0) { /* the machine is so slow that a reader who takes nothing was taken for dead: it would come back */
            assert.ok(reader.ended);
            cut++;
            continue;
        }
        dropped++;
        const { run, after: step } = events[gap].data;
        const had = events.slice(0, gap).filter((event) => event.type === 'points' && event.data.run === run)
            .flatMap((event) => event.data.steps);
        assert.deepEqual(had, count(1, step), 'what came before the gap is whole');
        const rest = (await daemon.json('GET', `/api/v1/runs/${run}/metrics?after=${step}&max_points=100000`)).body.steps;
        assert.deepEqual([...had, ...rest], count(1, STEPS));
        const behind = events.slice(gap).filter((event) => event.id !== undefined).map((event) => Number(event.id));
        assert.deepEqual(behind, count(behind[0], behind.at(-1)), 'what comes behind the gap is whole');
        assert.equal(behind.at(-1), ids.at(-1));
        assert.ok(!events.slice(gap + 1).some((event) => event.type === 'dropped'));
    }
    context.diagnostic(`${dropped} were told of a gap, ${cut} were cut off`);
    assert.equal(dropped + cut, STALLED);
});

test('an independent client gets every point once, over a restart of the daemon and a resume of the run', async (context) => {
    const state = await mkdtemp(path.join(os.tmpdir(), 'goodness-streams-'));
    let daemon = await startDaemon({ state });
    const { id } = await makeRun(daemon, small({ epochs: 1000000, evaluate_every: 1000000 }));
    const asked = [], steps = [], states = [], gaps = [];
    /* Where it connects to is the daemon's affair: a port of another day may be somebody else's. */
    const source = new EventSource(`http://goodness.invalid/api/v1/runs/${id}/events`, {
        fetch: (url, init) => {
            asked.push(new Headers(init.headers).get('last-event-id'));
            return fetch(daemon.base + new URL(url).pathname, init);
        },
    });
    context.after(async () => {
        source.close();
        await daemon.stop();
        await rm(state, { recursive: true, force: true });
    });
    let look = () => {};
    const until = (wanted) => new Promise((resolve) => {
        look = () => wanted() && resolve();
        look();
    });
    source.addEventListener('points', ({ data }) => { steps.push(...JSON.parse(data).steps); look(); });
    source.addEventListener('state', ({ data }) => { states.push(JSON.parse(data).state); look(); });
    source.addEventListener('dropped', ({ data }) => { gaps.push([JSON.parse(data).after, steps.at(-1)]); });

    await until(() => steps.length > 200);
    await daemon.stop();
    daemon = await startDaemon({ state });
    await until(() => states.at(-1) === 'interrupted'); /* it has come back by itself */
    const before = steps.length;
    await daemon.json('POST', `/api/v1/runs/${id}/resume`);
    await until(() => steps.length > before + 200);
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    const run = await ended(daemon, id);
    assert.equal(run.state, 'stopped');
    await until(() => states.at(-1) === 'stopped');
    source.close();

    const series = (await daemon.json('GET', `/api/v1/runs/${id}/metrics?after=${steps[0] - 1}&max_points=100000`)).body;
    assert.equal(series.downsampled, false);
    assert.deepEqual(steps, series.steps);
    assert.equal(asked[0], null);
    assert.ok(asked.slice(1).every((number) => /^[0-9]+$/.test(number)) && asked.length > 1, asked.join());
    /* A resume says from where on; the run stood still there, so there is nothing to ask for. */
    assert.deepEqual(gaps.filter(([after, had]) => after < had), []);
});

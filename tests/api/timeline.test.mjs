// Who worked when, as Perfetto opens it.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { ended, endless, Events, inState, makeRun, small, startDaemon, stopAll } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
afterEach(() => stopAll(daemon));
after(() => daemon.stop());

async function timeline(id) {
    const { status, headers, body } = await daemon.json('GET', `/api/v1/runs/${id}/timeline`);
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'application/json');
    assert.equal(body.displayTimeUnit, 'ms');
    return body.traceEvents;
}

const names = (events, name) => events.filter((event) => event.ph === 'M' && event.name === name);

test('each stage has a track on which it does one thing at a time', async () => {
    const { id } = await makeRun(daemon, endless({ layers: [16, 12, 8], evaluate_every: 1 }),
        { name: 'a "quoted" run', placement: { stages: 2, threads: 1 } });
    const stream = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await stream.until((event) => event.type === 'epoch' && event.data.epoch >= 2);
    stream.close();
    await daemon.json('POST', `/api/v1/runs/${id}/pause`);
    const { step } = (await inState(daemon, id, 'paused')).progress;
    const events = await timeline(id);

    assert.deepEqual(names(events, 'process_name').map((event) => event.args.name), ['a "quoted" run']);
    const tracks = names(events, 'thread_name');
    assert.deepEqual(tracks.map((event) => event.tid), [0, 1]);
    const layers = tracks.map((event) => event.args.name.match(/^stage \d \(layers? ([0-9-]+)\)$/)[1]);
    assert.ok([['0', '1-2'], ['0-1', '2']].some((wanted) => wanted.join() === layers.join()), layers.join());

    const spans = events.filter((event) => event.ph === 'X');
    assert.ok(spans.length > 100 && spans.length <= 16384);
    for (const span of spans) {
        assert.equal(span.pid, 1);
        assert.match(span.name, /^layer [0-2] (train|forward|get)$/);
        assert.equal(span.cat, span.name.split(' ')[2]);
        assert.ok(span.ts >= 0 && span.dur >= 0 && span.args.step >= 0 && span.args.step <= step);
    }
    for (const kind of ['train', 'forward', 'get'])
        assert.ok(spans.some((span) => span.cat === kind), kind);
    assert.equal(Math.max(...spans.map((span) => span.args.step)), step);
    for (const tid of [0, 1]) {
        const track = spans.filter((span) => span.tid === tid).sort((a, b) => a.ts - b.ts);
        for (let i = 1; i < track.length; i++)
            assert.ok(track[i].ts >= track[i - 1].ts + track[i - 1].dur - 0.002, `${tid} ${i}`);
    }

    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
});

test('a prediction is on it', async () => {
    const { id } = await makeRun(daemon, endless());
    const stream = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await stream.until((event) => event.type === 'points');
    stream.close();
    await daemon.json('POST', `/api/v1/runs/${id}/pause`);
    await inState(daemon, id, 'paused');
    const count = async () => (await timeline(id)).filter((event) => event.cat === 'forward').length;
    const before = await count();
    assert.equal((await daemon.json('POST', `/api/v1/runs/${id}/predict`, { sample: 3 })).status, 200);
    assert.equal(await count(), before + 2);
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
});

test('an ended run has its tracks and nothing on them', async () => {
    const { id } = await makeRun(daemon, small(), { placement: { stages: 1, threads: 1 } });
    await ended(daemon, id);
    const events = await timeline(id);
    assert.ok(events.every((event) => event.ph === 'M'));
    assert.deepEqual(names(events, 'thread_name').map((event) => event.args.name), ['stage 0 (layers 0-1)']);
});

test('unknown runs and parameters are refused', async () => {
    assert.equal((await daemon.json('GET', '/api/v1/runs/999999/timeline')).status, 404);
    assert.equal((await daemon.json('GET', '/api/v1/runs/latest/timeline?x=1')).status, 400);
});

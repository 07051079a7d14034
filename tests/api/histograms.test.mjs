// Histograms of goodness: by epoch, of the epoch under way, as events, over restarts and resumes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { often, place } from './lives.mjs';
import { ended, endless, Events, makeRun, small, startDaemon, trains } from './support.mjs';

const TRAIN = 400;

let daemon;
before(async () => { daemon = await startDaemon(); });
after(() => daemon.stop());

async function histograms(on, id, query = '') {
    const { status, body } = await on.json('GET', `/api/v1/runs/${id}/histograms${query}`);
    assert.equal(status, 200, body.detail);
    return body;
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** What holds of any: shared bins side by side, every image counted once as positive and once as negative. */
function assertSound({ images, layers }, count = 2) {
    assert.deepEqual(layers.map((each) => each.layer), Array.from({ length: count }, (_, i) => i));
    for (const { edges, positive, negative } of layers) {
        const width = edges[1] - edges[0];
        assert.equal(positive.length, edges.length - 1);
        assert.equal(negative.length, positive.length);
        assert.equal(sum(positive), images);
        assert.equal(sum(negative), images);
        assert.ok(Number.isInteger(Math.log2(width)));
        edges.forEach((edge, i) => assert.equal(edge, edges[0] + i * width));
        assert.ok(positive[0] + negative[0] > 0 && positive.at(-1) + negative.at(-1) > 0);
    }
}

/** The mean of what was counted, each in the middle of its bin. */
const mean = (edges, counts) => sum(counts.map((count, i) => count * (edges[i] + edges[i + 1]) / 2)) / sum(counts);

test('every epoch keeps its histograms, and their means are the epoch\'s', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 3, threshold: [1.5, 2] }));
    await ended(daemon, id);
    const newest = await histograms(daemon, id);
    assert.deepEqual([newest.epoch, newest.step, newest.whole, newest.images], [3, 120, true, TRAIN]);
    assert.deepEqual(newest.epochs, [1, 2, 3]);
    assert.deepEqual(newest.layers.map((layer) => layer.threshold), [1.5, 2]);
    const { epochs } = (await daemon.json('GET', `/api/v1/runs/${id}/epochs`)).body;
    for (const row of epochs) {
        const each = await histograms(daemon, id, `?epoch=${row.epoch}`);
        assert.equal(each.epoch, row.epoch);
        assertSound(each);
        each.layers.forEach(({ edges, positive, negative }, layer) => {
            const half = (edges[1] - edges[0]) / 2;
            assert.ok(Math.abs(mean(edges, positive) - row.layers[layer].positive) <= half);
            assert.ok(Math.abs(mean(edges, negative) - row.layers[layer].negative) <= half);
        });
    }
    assert.deepEqual(await histograms(daemon, id, '?epoch=3'), newest);
});

test('an objective without a threshold has none', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 1, objective: 'symba' }));
    await ended(daemon, id);
    assert.deepEqual((await histograms(daemon, id)).layers.map((layer) => layer.threshold), [null, null]);
});

test('a turned threshold is the one that is shown', async () => {
    const { id } = await makeRun(daemon, endless());
    await trains(daemon, id);
    await daemon.json('PATCH', `/api/v1/runs/${id}`, { config: { threshold: 2.5 } });
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until(({ type, data }) => type === 'histogram' && data.layers[0].threshold === 2.5);
    events.close();
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
});

test('the epoch under way is shown as far as it is, and kept so when the run is stopped in it', async () => {
    const { id } = await makeRun(daemon, endless({ epochs: 3, batch_size: 1, layers: [700, 700] }));
    await trains(daemon, id);
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    const run = await ended(daemon, id);
    const newest = await histograms(daemon, id);
    assertSound(newest);
    assert.equal(newest.step, run.progress.step);
    assert.equal(newest.images, run.progress.step - (newest.epoch - 1) * TRAIN);
    assert.equal(newest.whole, newest.images === TRAIN && run.last?.epoch === newest.epoch);
    assert.deepEqual(newest.epochs, Array.from({ length: newest.epoch }, (_, i) => i + 1));
});

test('the stream tells them, the last of all in any case', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 30 }));
    const events = await (await Events.open(daemon, `/api/v1/runs/${id}/events`, { 'Last-Event-ID': '0' })).rest();
    const told = events.filter((event) => event.type === 'histogram').map((event) => event.data);
    assert.ok(told.length > 0);
    for (const each of told) {
        assert.equal(each.run, id);
        assertSound(each);
    }
    const { epochs, ...newest } = await histograms(daemon, id);
    assert.deepEqual(told.at(-1), { run: id, ...newest });
    assert.equal(newest.epoch, 30);
    assert.equal(epochs.length, 30);
});

test('a paused run has told its newest', async () => {
    const { id } = await makeRun(daemon, endless());
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until((event) => event.type === 'points');
    await daemon.json('POST', `/api/v1/runs/${id}/pause`);
    const told = await events.until(({ type, data }) => type === 'state' && data.state === 'paused');
    events.close();
    const newest = told.filter((event) => event.type === 'histogram').at(-1).data;
    const { epochs, ...now } = await histograms(daemon, id);
    assert.deepEqual(newest, { run: id, ...now });
    assert.equal(newest.step, told.at(-1).data.progress.step);
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
});

test('what is not there is said', async () => {
    const waiting = await makeRun(daemon, endless());
    const { id } = await makeRun(daemon, small());
    assert.deepEqual(await histograms(daemon, id),
        { epoch: null, step: 0, images: 0, whole: false, layers: [], epochs: [] });
    const early = await daemon.json('GET', `/api/v1/runs/${id}/histograms?epoch=1`);
    assert.equal(early.status, 404);
    assert.match(early.body.detail, /there is none yet/);
    await daemon.json('POST', `/api/v1/runs/${waiting.id}/stop`);
    await ended(daemon, id);
    const beyond = await daemon.json('GET', `/api/v1/runs/${id}/histograms?epoch=3`);
    assert.equal(beyond.status, 404);
    assert.match(beyond.body.detail, /epoch 3.*1,2/);
    for (const query of ['epoch=0', 'epoch=x', 'epochs=1'])
        assert.equal((await daemon.json('GET', `/api/v1/runs/${id}/histograms?${query}`)).status, 400, query);
    assert.equal((await daemon.json('GET', '/api/v1/runs/999/histograms')).status, 404);
});

test('they can be asked for by their ETag', async () => {
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    const first = await daemon.json('GET', `/api/v1/runs/${id}/histograms?epoch=1`);
    const etag = first.headers.get('etag');
    assert.ok(etag);
    const again = await daemon.request(`/api/v1/runs/${id}/histograms?epoch=1`, { headers: { 'If-None-Match': etag } });
    assert.equal(again.status, 304);
});

test('a run that was killed and went on has the counts of one that was left alone, on another placement too', async (context) => {
    const config = small({ layers: [48, 32], batch_size: 40, epochs: 300, schedule: 'constant', warmup: 0 });
    const alone = await makeRun(daemon, config);
    await ended(daemon, alone.id);
    const here = await place(context, { environment: often });
    const first = await here.start();
    const { id } = await makeRun(first, config);
    const events = await Events.open(first, `/api/v1/runs/${id}/events`);
    await events.until(({ type, data }) => type === 'epoch' && data.epoch >= 5);
    events.close();
    await first.kill();
    const second = await here.start();
    if ((await second.json('GET', `/api/v1/runs/${id}`)).body.state !== 'finished') /* the machine is that fast */
        await second.json('POST', `/api/v1/runs/${id}/resume`, { placement: { stages: 2, threads: 1 } });
    assert.equal((await ended(second, id)).state, 'finished');
    const { epochs } = await histograms(second, id);
    assert.deepEqual(epochs, Array.from({ length: 300 }, (_, i) => i + 1));
    for (const epoch of [1, 4, 5, 6, 7, 100, 300])
        assert.deepEqual(await histograms(second, id, `?epoch=${epoch}`),
            await histograms(daemon, alone.id, `?epoch=${epoch}`));
});

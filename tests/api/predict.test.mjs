// Prediction by the network of a run that trains or is paused.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { CLASSES, ended, endless, Events, inState, makeRun, pixelAt, raw, SIDE, small, startDaemon, stopAll } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
afterEach(() => stopAll(daemon));
after(() => daemon.stop());

/** The pixels of an image of the data set, from 0 to 1. */
function image(index) {
    return Array.from({ length: SIDE * SIDE },
        (_, i) => pixelAt(index, index % CLASSES, Math.floor(i / SIDE), i % SIDE) / 255);
}

function predict(id, body) {
    return daemon.json('POST', `/api/v1/runs/${id}/predict`, body);
}

/** A run that has learned something, and stands still or goes on. */
async function trained(fields = {}) {
    const { id } = await makeRun(daemon, endless(fields));
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until((event) => event.type === 'epoch' && event.data.epoch >= 3);
    events.close();
    return id;
}

async function stop(id) {
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
}

/** An answer of the right form, whose label has the highest probability. */
function checkAnswer(body) {
    assert.equal(body.goodness.length, 2);
    for (const layer of body.goodness) {
        assert.equal(layer.length, CLASSES);
        assert.ok(layer.every((value) => Number.isFinite(value) && value >= 0));
    }
    assert.equal(body.probabilities.length, CLASSES);
    assert.ok(Math.abs(body.probabilities.reduce((sum, value) => sum + value) - 1) < 1e-5);
    assert.equal(body.probabilities.indexOf(Math.max(...body.probabilities)), body.label);
    assert.ok(Number.isInteger(body.step) && body.step > 0);
}

test('the network answers while it trains, each time as it is by then', async () => {
    const id = await trained();
    const steps = [];
    for (let i = 0; i < 20; i++) {
        const { status, body } = await predict(id, { image: image(i) });
        assert.equal(status, 200);
        assert.equal(body.truth, undefined);
        checkAnswer(body);
        steps.push(body.step);
    }
    assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
    assert.ok(steps.at(-1) > steps[0]);
    await stop(id);
});

test('a paused network answers, and the same image gets the same answer', async () => {
    const id = await trained();
    await daemon.json('POST', `/api/v1/runs/${id}/pause`);
    const { step } = (await inState(daemon, id, 'paused')).progress;
    const first = (await predict('current', { image: image(17) })).body;
    const { truth, ...sample } = (await predict(id, { sample: 17 })).body;
    checkAnswer(first);
    assert.equal(first.step, step);
    assert.equal(truth, 17 % CLASSES);
    assert.deepEqual(sample, first); // the test image's pixels are the same
    assert.equal((await predict(id, { sample: 399, split: 'train' })).body.truth, 399 % CLASSES);
    assert.equal((await daemon.json('GET', `/api/v1/runs/${id}`)).body.progress.step, step);
    await stop(id);
});

test('what the network has learned shows in its answers', async () => {
    const id = await trained({ evaluate_every: 20 });
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until((event) => event.type === 'epoch' && event.data.test_error !== null && event.data.test_error < 0.1);
    events.close();
    await daemon.json('POST', `/api/v1/runs/${id}/pause`);
    await inState(daemon, id, 'paused');
    let right = 0;
    for (let sample = 0; sample < 100; sample++) {
        const { body } = await predict(id, { sample, split: 'test' });
        right += body.label === body.truth ? 1 : 0;
    }
    assert.ok(right >= 80, `${right} of 100`);
    await stop(id);
});

test('all that is wrong with a question is told at once, and where', async () => {
    const id = await trained();
    const bad = image(0);
    bad[3] = 1.5;
    bad[9] = 'x';
    for (const [body, wanted] of [
        [{}, { '': /neither/ }],
        [{ image: image(0), sample: 1 }, { '': /both/ }],
        [{ image: 7 }, { '/image': /64 numbers/ }],
        [{ image: [0.5] }, { '/image': /64 numbers .*got 1$/ }],
        [{ image: [...bad, -1], spilt: 'test' },
            { '/spilt': /split/, '/image/3': /0 to 1, got 1.5/, '/image/9': /a string/, '/image/64': /got -1/, '/image': /got 65$/ }],
        [{ image: image(0), split: 'test' }, { '/split': /sample/ }],
        [{ sample: 100 }, { '/sample': /0 to 99.*test/ }],
        [{ sample: 400, split: 'train' }, { '/sample': /0 to 399.*train/ }],
        [{ sample: -1 }, { '/sample': /whole number/ }],
        [{ sample: 1.5, split: 'both' }, { '/sample': /whole number/, '/split': /"test" or "train", got "both"/ }],
        [{ sample: '1', split: 2 }, { '/sample': /a string/, '/split': /a number/ }],
    ]) {
        const answer = await predict(id, body);
        assert.equal(answer.status, 422, JSON.stringify(body));
        assert.equal(answer.headers.get('content-type'), 'application/problem+json');
        const found = Object.fromEntries(answer.body.errors.map((error) => [error.pointer, error.detail]));
        assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort(), JSON.stringify(body));
        for (const [pointer, words] of Object.entries(wanted))
            assert.match(found[pointer], words);
    }
    assert.equal((await daemon.json('POST', `/api/v1/runs/${id}/predict?x=1`, { sample: 1 })).status, 400);
    assert.equal((await raw(daemon, { path: `/api/v1/runs/${id}/predict` })).status, 405);
    await stop(id);
});

test('runs that have no network yet are refused, in words', async () => {
    const trains = await trained();
    const waits = await makeRun(daemon, small());
    const queued = await predict(waits.id, { sample: 1 });
    assert.equal(queued.status, 409);
    assert.match(queued.body.detail, /queued/);
    assert.equal((await predict(999999, { sample: 1 })).status, 404);
    await stop(trains);
    const finished = await ended(daemon, waits.id);
    const answer = await predict(waits.id, { sample: 1 });
    assert.equal(answer.status, 200);
    assert.equal(answer.body.step, finished.progress.step);
    assert.equal((await predict('current', { sample: 1 })).status, 404);
});

test('an answer does not wait for the next tick of the streams', async () => {
    const id = await trained();
    await daemon.json('POST', `/api/v1/runs/${id}/pause`);
    await inState(daemon, id, 'paused');
    const quick = async (ask) => { /* the fifth of the fastest of 50: a tick, of 100 ms, would hold all of them up */
        const times = [];
        for (let i = 0; i < 50; i++) {
            const begin = performance.now();
            assert.equal((await ask(i)).status, 200);
            times.push(performance.now() - begin);
        }
        return times.sort((a, b) => a - b)[5];
    };
    const other = await quick(() => daemon.json('GET', '/healthz'));
    const answer = await quick((i) => predict(id, { sample: i }));
    assert.ok(answer < other + 50, `an answer took ${answer.toFixed(1)} ms, another request ${other.toFixed(1)} ms`);
    await stop(id);
});

test('many ask at once: each gets its own answer or is told to come again; who leaves, and an end, do no harm', async () => {
    const id = await trained({ layers: [400, 400] });
    const leaving = new AbortController();
    const left = Array.from({ length: 10 }, () => daemon.request(`/api/v1/runs/${id}/predict`, { method: 'POST',
        headers: { 'Content-Type': 'application/json' }, body: '{"sample":1}', signal: leaving.signal }).catch(() => null));
    const answers = await Promise.all(Array.from({ length: 60 }, async (_, i) => [i, await predict(id, { sample: i })]));
    leaving.abort();
    await Promise.all(left);
    for (const [i, { status, headers, body }] of answers) {
        assert.ok(status === 200 || status === 503, `${status}`);
        if (status === 200)
            assert.equal(body.truth, i % CLASSES);
        else
            assert.match(headers.get('retry-after'), /^\d+$/);
    }
    assert.ok(answers.filter(([, { status }]) => status === 200).length >= 20);

    const late = Array.from({ length: 20 }, (_, i) => predict(id, { sample: i }));
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    for (const { status, body } of await Promise.all(late)) {
        assert.ok([200, 409, 503].includes(status), `${status}`);
        if (status === 409)
            assert.ok(body.detail.length > 10);
    }
    await ended(daemon, id);
});

test('questions do not change what is learned', async () => {
    const digests = [];
    for (const asks of [false, true]) {
        const { id } = await makeRun(daemon, small({ epochs: 200, seed: 9 }), { placement: { stages: 2, threads: 1 } });
        let over = false, answered = 0;
        const end = ended(daemon, id).finally(() => { over = true; });
        for (let i = 0; asks && !over; i = (i + 1) % 100)
            answered += (await predict(id, { sample: i })).status === 200 ? 1 : 0;
        digests.push((await end).last.digest);
        assert.equal(answered > 0, asks);
    }
    assert.equal(digests[0], digests[1]);
});

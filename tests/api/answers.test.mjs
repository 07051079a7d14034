// What is given a second time is never out of date: a GET after an answered change shows it, byte for byte and by its ETag.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { ended, endless, Events, inState, makeRun, small, startDaemon, stopAll } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
afterEach(() => stopAll(daemon));
after(() => daemon.stop());

const get = (where, etag) => daemon.json('GET', where, undefined, etag === undefined ? {} : { 'If-None-Match': etag });
const change = (method, where, body) => daemon.json(method, where, body);

/** Ask twice, so that the second answer is one that was kept; both are the same. */
async function twice(where) {
    const first = await get(where), second = await get(where);
    assert.equal(second.text, first.text);
    assert.equal(second.status, first.status);
    return second;
}

test('a change of a finished run shows at once in the run, the list and by its other names', async () => {
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    const paths = [`/api/v1/runs/${id}`, '/api/v1/runs/latest', '/api/v1/runs?limit=1'];
    const shown = (answer) => answer.body.runs?.[0] ?? answer.body;
    for (let i = 0; i < 5; i++) {
        const etags = [];
        for (const path of paths)
            etags.push((await twice(path)).headers.get('etag'));
        assert.equal((await change('PATCH', `/api/v1/runs/${id}`, { name: `name ${i}` })).status, 200);
        for (const [at, path] of paths.entries()) {
            const answer = await get(path, etags[at]);
            assert.equal(answer.status, 200, path);
            assert.equal(shown(answer).name, `name ${i}`, path);
            assert.equal((await get(path, answer.headers.get('etag'))).status, 304, path);
        }
    }
});

test('a run that is made, stopped or deleted shows at once in the list and under "latest"', async () => {
    const blocker = await makeRun(daemon, endless());
    await inState(daemon, blocker.id, 'running');
    await change('POST', `/api/v1/runs/${blocker.id}/pause`); /* nothing changes by itself */
    await inState(daemon, blocker.id, 'paused');
    const list = async () => (await twice('/api/v1/runs')).body.runs.map((run) => [run.id, run.state]);
    await list();
    const { id } = await makeRun(daemon, small());
    assert.deepEqual((await list())[0], [id, 'queued']);
    assert.equal((await twice('/api/v1/runs/latest')).body.id, id);
    assert.equal((await change('POST', `/api/v1/runs/${id}/stop`)).status, 200);
    assert.deepEqual((await list())[0], [id, 'stopped']);
    assert.equal((await twice(`/api/v1/runs/${id}`)).body.state, 'stopped');
    assert.equal((await twice(`/api/v1/runs/${id}/metrics`)).status, 200);
    assert.equal((await twice(`/api/v1/runs/${id}/epochs`)).status, 200);
    assert.equal((await change('DELETE', `/api/v1/runs/${id}`)).status, 204);
    assert.notEqual((await list())[0][0], id);
    for (const below of ['', '/metrics', '/epochs', '/log'])
        assert.equal((await get(`/api/v1/runs/${id}${below}`)).status, 404, below);
    assert.equal((await twice('/api/v1/runs/latest')).body.id, blocker.id);
    await change('POST', `/api/v1/runs/${blocker.id}/stop`);
    await ended(daemon, blocker.id);
});

test('a run that trains is never shown as it was before what its events have told', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 60 }));
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`, { 'Last-Event-ID': '0' }); /* from its first on */
    let looks = 0;
    for (let event = await events.next(); event !== null; event = await events.next()) {
        const run = (await get(`/api/v1/runs/${id}`)).body;
        if (event.type === 'points') {
            assert.ok(run.progress.step >= event.data.steps.at(-1));
            const series = (await get(`/api/v1/runs/${id}/metrics?max_points=100000`)).body;
            assert.ok(series.next >= event.data.steps.at(-1));
        } else if (event.type === 'epoch') {
            assert.ok(run.last.epoch >= event.data.epoch);
            const { epochs } = (await get(`/api/v1/runs/${id}/epochs`)).body;
            assert.ok(epochs.at(-1).epoch >= event.data.epoch);
        } else if (event.type === 'state' && event.data.state === 'finished') {
            assert.equal(run.state, 'finished');
        }
        looks++;
    }
    assert.ok(looks > 5);
    assert.equal((await twice(`/api/v1/runs/${id}/metrics?max_points=100000`)).body.steps.length, 2400);
    assert.equal((await twice(`/api/v1/runs/${id}/epochs`)).body.epochs.length, 60);
});

test('pause and resume show at once', async () => {
    const { id } = await makeRun(daemon, endless());
    await inState(daemon, id, 'running');
    for (let i = 0; i < 5; i++) {
        const asked = (await change('POST', `/api/v1/runs/${id}/pause`)).body;
        const seen = (await get(`/api/v1/runs/${id}`)).body;
        assert.ok(asked.pending === 'pause' ? seen.pending === 'pause' || seen.state === 'paused' : seen.state === 'paused');
        await inState(daemon, id, 'paused');
        assert.equal((await twice(`/api/v1/runs/${id}`)).body.state, 'paused');
        await change('POST', `/api/v1/runs/${id}/resume`);
        await inState(daemon, id, 'running');
        assert.equal((await get(`/api/v1/runs/${id}`)).body.state, 'running');
    }
    assert.equal((await change('POST', `/api/v1/runs/${id}/pause`)).status, 200);
    await inState(daemon, id, 'paused');
    const refused = await change('DELETE', `/api/v1/runs/${id}`);
    assert.equal(refused.status, 409);
    assert.match(refused.body.detail, /is paused/);
    await change('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
});

test('the same question with other parameters is another one', async () => {
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    assert.ok((await twice(`/api/v1/runs/${id}/metrics?max_points=7`)).body.steps.length <= 7);
    assert.equal((await twice(`/api/v1/runs/${id}/metrics`)).body.steps.length, 80);
    assert.match((await twice(`/api/v1/runs/${id}/metrics?format=csv`)).text, /^step,/);
    assert.match((await twice(`/api/v1/runs/${id}/epochs?format=csv`)).headers.get('content-type'), /^text\/csv/);
    assert.equal((await twice(`/api/v1/runs/${id}/epochs`)).body.epochs.length, 2);
    assert.equal((await get(`/api/v1/runs/${id}/epochs?formt=csv`)).status, 400);
});

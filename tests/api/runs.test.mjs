// Runs: made, looked at, listed, renamed, forgotten; and what is refused, in which words.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { ended, endless, Events, inState, makeRun, raw, small, startDaemon, stopAll, trains } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
afterEach(() => stopAll(daemon));
after(() => daemon.stop());

test('a run is made, trains and finishes', async () => {
    const answer = await daemon.json('POST', '/api/v1/runs', { name: 'first', tags: ['a'], config: small() });

    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('location'), `/api/v1/runs/${answer.body.id}`);
    assert.ok(answer.text.endsWith('\n'));
    assert.deepEqual(answer.body.config.layers, [16, 12]);

    const run = await ended(daemon, answer.body.id);
    assert.equal(run.state, 'finished');
    assert.equal(run.name, 'first');
    assert.equal(run.progress.epoch, 2);
    assert.equal(run.progress.step, 80);
    assert.match(run.last.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(run.last.layers.length, 2);
    assert.ok(run.best.test_error >= 0 && run.best.test_error <= 1);
    assert.deepEqual((await daemon.json('GET', '/api/v1/runs/latest')).body, run);
});

test('the same configuration gives the same weights on any placement', async () => {
    const digests = [];
    for (const placement of ['auto', { stages: 1, threads: 1 }, { stages: 2, threads: 1 }]) {
        const { id } = await makeRun(daemon, small({ seed: 5 }), { placement });
        digests.push((await ended(daemon, id)).last.digest);
    }
    assert.equal(new Set(digests).size, 1);
});

test('all that is wrong with a run is told at once', async () => {
    const { status, headers, body } = await daemon.json('POST', '/api/v1/runs', {
        nmae: 'x', tags: 7, preset: 'hintno',
        config: { learning_rate: -1, epochs: 1.5, leyers: [1], dataset: 'brs' },
    });

    assert.equal(status, 422);
    assert.equal(headers.get('content-type'), 'application/problem+json');
    assert.equal(body.status, 422);
    const details = Object.fromEntries(body.errors.map((error) => [error.pointer, error.detail]));
    assert.deepEqual(Object.keys(details).sort(), ['/config/dataset', '/config/epochs', '/config/learning_rate',
        '/config/leyers', '/nmae', '/preset', '/tags']);
    assert.match(details['/nmae'], /"name"/);
    assert.match(details['/preset'], /"hinton"/);
    assert.match(details['/config/leyers'], /layers/);
    assert.match(details['/config/dataset'], /bars/);
});

test('a data set that is not here is refused with the command that brings it', async (context) => {
    const { datasets } = (await daemon.json('GET', '/api/v1/datasets')).body;
    const absent = datasets.find((dataset) => !dataset.present);
    if (absent === undefined)
        return context.skip('every data set that is known by name is on this machine');
    const { status, body } = await daemon.json('POST', '/api/v1/runs', { config: { dataset: absent.name } });

    assert.equal(status, 422);
    assert.equal(body.errors.length, 1);
    assert.equal(body.errors[0].pointer, '/config/dataset');
    assert.ok(body.errors[0].detail.includes(absent.how_to_get));
});

test('fields that do not fit the data set are refused', async () => {
    const { status, body } = await daemon.json('POST', '/api/v1/runs', { config: small({ validation: 400 }) });

    assert.equal(status, 422);
    assert.equal(body.errors[0].pointer, '/config/validation');
});

test('a body that is not JSON is refused with line and column', async () => {
    const headers = { 'Content-Type': 'application/json' };
    for (const [body, where] of [['{"config":\n{"epochs":1,}}', /line 2, column 13/], ['{"a":1,"a":2}', /column 8/],
        ['{"name":"a\\u0000b"}', /column 11: a string must not have the character \\u0000/],
        ['{"config":{"seed":9007199254740993}}', /9007199254740993 would be rounded to 9007199254740992/]]) {
        const { status, text } = await raw(daemon, { method: 'POST', path: '/api/v1/runs', headers, body });
        assert.equal(status, 400);
        assert.match(JSON.parse(text).detail, where);
    }
    const plain = await raw(daemon, { method: 'POST', path: '/api/v1/runs', body: '{}' });
    assert.equal(plain.status, 415);
    assert.match(plain.text, /curl --json/);
});

test('unknown runs are 404, in words', async () => {
    for (const id of ['999999', '0', '-1', 'x', '01', '99999999999999999999', 'current']) {
        for (const [method, below] of [['GET', ''], ['DELETE', ''], ['POST', '/stop'], ['GET', '/metrics'],
            ['GET', '/epochs'], ['GET', '/events'], ['GET', '/log']]) {
            const { status, body } = await daemon.json(method, `/api/v1/runs/${id}${below}`);
            assert.equal(status, 404, `${method} ${id}${below}`);
            assert.ok(body.detail.length > 10);
        }
    }
});

test('name, notes and tags can be changed, nothing else', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 1 }));
    await ended(daemon, id);
    const changed = await daemon.json('PATCH', `/api/v1/runs/${id}`, { name: 'ä new name', tags: ['x', 'y'] });
    assert.equal(changed.status, 200);
    assert.equal(changed.body.name, 'ä new name');
    assert.deepEqual((await daemon.json('GET', `/api/v1/runs/${id}`)).body.tags, ['x', 'y']);

    const refused = await daemon.json('PATCH', `/api/v1/runs/${id}`,
        { name: '', state: 'running', config: { learning_rate: 1 } });
    assert.equal(refused.status, 422);
    assert.deepEqual(refused.body.errors.map((error) => error.pointer).sort(), ['/name', '/state']);
    assert.equal((await daemon.json('GET', `/api/v1/runs/${id}`)).body.name, 'ä new name');
});

test('runs are listed newest first, by pages, by state and by tag', async () => {
    const ids = [];
    for (let i = 0; i < 3; i++)
        ids.unshift((await makeRun(daemon, small({ epochs: 1 }), { tags: ['paged', `n${i}`] })).id);
    await ended(daemon, ids[0]);

    const seen = [];
    let next = null;
    do {
        const page = await daemon.json('GET', `/api/v1/runs?tag=paged&limit=2${next ? `&before=${next}` : ''}`);
        assert.equal(page.status, 200);
        assert.ok(page.body.runs.length <= 2);
        seen.push(...page.body.runs.map((run) => run.id));
        next = page.body.next;
    } while (next !== null);
    assert.deepEqual(seen, ids);
    assert.deepEqual((await daemon.json('GET', '/api/v1/runs?tag=n1')).body.runs.map((run) => run.id), [ids[1]]);
    assert.deepEqual((await daemon.json('GET', '/api/v1/runs?state=failed')).body, { runs: [], next: null });
    for (const query of ['state=over', 'limit=0', 'limit=x', 'befor=3', 'before=-1', 'tag=a&tag=b'])
        assert.equal((await daemon.json('GET', `/api/v1/runs?${query}`)).status, 400, query);
});

test('a list by state has the states of now, not those that are on their way to the disk', async () => {
    const first = await makeRun(daemon, endless()), second = await makeRun(daemon, endless());
    const list = async (state) => (await daemon.json('GET', `/api/v1/runs?limit=1&state=${state}`)).body.runs
        .map((run) => [run.id, run.state]);
    await trains(daemon, first.id);
    for (let i = 0; i < 5; i++) {
        await daemon.json('POST', `/api/v1/runs/${first.id}/pause`);
        while ((await daemon.json('GET', `/api/v1/runs/${first.id}`)).body.state !== 'paused');
        assert.deepEqual(await list('paused'), [[first.id, 'paused']]);
        assert.deepEqual(await list('running'), []);
        assert.deepEqual(await list('queued'), [[second.id, 'queued']]);
        await daemon.json('POST', `/api/v1/runs/${first.id}/resume`);
        while ((await daemon.json('GET', `/api/v1/runs/${first.id}`)).body.state !== 'running');
        assert.deepEqual(await list('running'), [[first.id, 'running']]);
        assert.deepEqual(await list('paused'), []);
    }
    for (const { id } of [second, first]) {
        await daemon.json('POST', `/api/v1/runs/${id}/stop`);
        await ended(daemon, id);
    }
});

test('a finished run is deleted with all that belongs to it', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 1 }));
    await ended(daemon, id);
    const answer = await daemon.json('DELETE', `/api/v1/runs/${id}`);
    assert.equal(answer.status, 204);
    assert.equal(answer.text, '');
    for (const below of ['', '/metrics', '/epochs', '/log'])
        assert.equal((await daemon.json('GET', `/api/v1/runs/${id}${below}`)).status, 404);
});

test('streams tell that a run was deleted, and its own then ends', async () => {
    const { id } = await makeRun(daemon, endless());
    const waiting = await makeRun(daemon, small());
    const all = await Events.open(daemon, '/api/v1/events');
    const own = await Events.open(daemon, `/api/v1/runs/${waiting.id}/events`);
    await own.until(({ type }) => type === 'state');
    assert.equal((await daemon.json('DELETE', `/api/v1/runs/${waiting.id}`)).status, 204);
    assert.deepEqual((await own.rest()).map(({ type, data }) => ({ type, data })), [{ type: 'deleted', data: { run: waiting.id } }]);
    const told = (await all.until(({ type }) => type === 'deleted')).at(-1);
    assert.deepEqual(told.data, { run: waiting.id });
    assert.ok(Number(told.id) > 0);
    all.close();
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
});

test('pause, resume and stop do what they say, twice too', async () => {
    const { id } = await makeRun(daemon, endless());
    const post = (what, body) => daemon.json('POST', `/api/v1/runs/${id}/${what}`, body);
    await inState(daemon, id, 'running');
    assert.equal((await daemon.json('GET', '/api/v1/runs/current')).body.id, id);
    assert.equal((await daemon.json('DELETE', `/api/v1/runs/${id}`)).status, 409);
    assert.equal((await post('resume')).status, 200); /* it runs already */

    assert.equal((await post('pause')).status, 200);
    const paused = await inState(daemon, id, 'paused');
    assert.equal((await post('pause', {})).body.state, 'paused');
    assert.equal((await daemon.json('GET', `/api/v1/runs/${id}`)).body.progress.step, paused.progress.step);
    for (const [body, words] of [[{ epochs: 3 }, /stop it first/], [{ config: {} }, /PATCH/]]) {
        const refused = await post('resume', body);
        assert.equal(refused.status, 409);
        assert.match(refused.body.detail, words);
    }
    assert.equal((await post('resume')).status, 200);
    await inState(daemon, id, 'running');

    assert.equal((await post('stop', { now: true })).status, 422);
    assert.equal((await post('stop')).status, 200);
    const run = await ended(daemon, id);
    assert.equal(run.state, 'stopped');
    assert.equal(run.pending, null);
    assert.ok(run.progress.step >= paused.progress.step);
    assert.equal((await post('stop')).status, 200);
    assert.equal((await post('pause')).status, 409);
});

test('runs behind one that trains wait their turn, and can be stopped there', async () => {
    const first = await makeRun(daemon, endless());
    const second = await makeRun(daemon, small({ epochs: 1 }));
    const third = await makeRun(daemon, small({ epochs: 1 }));

    assert.equal((await daemon.json('GET', `/api/v1/runs/${second.id}`)).body.state, 'queued');
    await daemon.json('POST', `/api/v1/runs/${third.id}/stop`);
    assert.equal((await ended(daemon, third.id)).state, 'stopped');
    await daemon.json('POST', `/api/v1/runs/${first.id}/stop`);
    assert.equal((await ended(daemon, second.id)).state, 'finished');
});

test('wait answers when the run has ended, or when the time is over', async () => {
    const { id } = await makeRun(daemon, endless());
    const started = performance.now();
    const early = (await daemon.json('GET', `/api/v1/runs/${id}?wait=1`)).body;
    assert.ok(performance.now() - started >= 990);
    assert.notEqual(early.state, 'stopped');
    const waiting = daemon.json('GET', `/api/v1/runs/${id}?wait=300`);
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    assert.equal((await waiting).body.state, 'stopped');
    for (const wait of ['301', '-1', '1.5', ''])
        assert.equal((await daemon.json('GET', `/api/v1/runs/${id}?wait=${wait}`)).status, 400, wait);
});

test('a queue that is full answers 503 with Retry-After', async () => {
    const ids = [];
    let answer;
    do {
        answer = await daemon.json('POST', '/api/v1/runs', { config: endless() });
        ids.push(answer.body.id);
    } while (answer.status === 201 && ids.length < 100);
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    assert.equal((await daemon.json('GET', '/readyz')).status, 503);
    for (const id of ids.slice(0, -1).reverse())
        assert.equal((await daemon.json('POST', `/api/v1/runs/${id}/stop`)).status, 200);
    assert.equal((await ended(daemon, ids[0])).state, 'stopped');
    assert.equal((await daemon.json('GET', '/readyz')).status, 200);
});

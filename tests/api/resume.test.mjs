// Runs that are gone on with, settings turned while they train, checkpoints and weights over HTTP.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { historyOf, lively, often, place, undisturbed } from './lives.mjs';
import { ended, endless, Events, inState, makeRun, raw, small, startDaemon, stopAll, trains } from './support.mjs';

let daemon, common;
const never = { GOODNESS_CHECKPOINT_SECONDS: 'inf' }; /* no checkpoint but at a pause and at the end */
before(async () => { daemon = common = await startDaemon({ environment: never }); });
afterEach(() => stopAll(common));
after(() => common.stop());

/** The daemon of one test in place of the common one, until the test has ended. */
function take(context, own) {
    context.after(() => { daemon = common; });
    daemon = own;
}

const get = (id) => daemon.json('GET', `/api/v1/runs/${id}`).then(({ body }) => body);
const post = (id, what, body) => daemon.json('POST', `/api/v1/runs/${id}/${what}`, body);
const patch = (id, body) => daemon.json('PATCH', `/api/v1/runs/${id}`, body);

async function stop(id) {
    await post(id, 'stop');
    return ended(daemon, id);
}

const constant = { schedule: 'constant', warmup: 0 };

test('a finished run goes on for more epochs as if it had been asked for them at first', async () => {
    const { history } = await undisturbed(small({ ...constant, epochs: 5 }));
    const { id } = await makeRun(daemon, small({ ...constant, epochs: 2 }));
    const finished = await ended(daemon, id);
    assert.deepEqual({ ...finished.checkpoint, written: null, bytes: null },
        { step: 80, epoch: 2, bytes: null, written: null });

    const bare = await post(id, 'resume');
    assert.equal(bare.status, 409);
    assert.match(bare.body.detail, /all its 2 epochs are done.*\{"epochs": N\}/);
    const more = await post(id, 'resume', { epochs: 3, placement: { stages: 2, threads: 1 } });
    assert.equal(more.status, 200);
    assert.equal(more.body.config.epochs, 5);
    const run = await ended(daemon, id);
    assert.equal(run.state, 'finished');
    assert.deepEqual(run.placement, { stages: 2, threads: 1 });
    assert.equal(run.started, finished.started);
    const { epochs } = (await daemon.json('GET', `/api/v1/runs/${id}/epochs`)).body; /* the clock goes on, too */
    assert.ok(epochs.every(({ elapsed }, i) => i === 0 || elapsed > epochs[i - 1].elapsed));
    assert.deepEqual(await historyOf(daemon, id), history);
});

test('all that is wrong with a resume is said at once, and nothing is done', async () => {
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    const answer = await post(id, 'resume', { epochs: 0, config: { learning_rate: -1, seed: 3, lerning_rate: 1 },
        placement: { stages: 99 }, epoch: 1 });
    assert.equal(answer.status, 422);
    assert.deepEqual(answer.body.errors.map((error) => error.pointer).sort(),
        ['/config/learning_rate', '/config/lerning_rate', '/config/seed', '/epoch', '/epochs', '/placement/stages']);
    assert.match((await post(id, 'resume', { epochs: 999999 })).body.errors[0].detail, /added to the run's 2 epochs/);
    assert.equal((await post(id, 'resume?x=1')).status, 400);
    assert.equal((await get(id)).state, 'finished');
});

test('a run that waits to go on says so, and answers from its checkpoint meanwhile', async () => {
    const { id } = await makeRun(daemon, endless());
    await trains(daemon, id);
    const stopped = await stop(id);
    assert.equal(stopped.checkpoint.step, stopped.progress.step);
    const other = await makeRun(daemon, endless());
    await trains(daemon, other.id);
    const waits = await post(id, 'resume');
    assert.deepEqual([waits.body.state, waits.body.pending, waits.body.ended], ['queued', 'resume', null]);
    assert.equal((await post(id, 'resume')).status, 200);
    assert.equal((await post(id, 'predict', { sample: 3 })).body.step, stopped.checkpoint.step);
    await stop(other.id);
    const running = await inState(daemon, id, 'running');
    assert.equal(running.started, stopped.started);
    const end = await stop(id);
    assert.ok(end.progress.step >= stopped.progress.step);
    const { steps } = await historyOf(daemon, id);
    assert.deepEqual(steps, [...new Set(steps)]);
});

test('settings change while a run trains and while it is paused; all problems at once', async () => {
    const { id } = await makeRun(daemon, endless());
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await trains(daemon, id);
    const before = (await get(id)).config.learning_rate;
    const changed = await patch(id, { config: { learning_rate: 0.5 }, name: 'turned' });
    assert.equal(changed.status, 200);
    assert.equal(changed.body.name, 'turned');
    assert.equal(changed.body.config.learning_rate, 0.5);
    assert.equal(changed.body.changes.length, 1);
    assert.deepEqual(changed.body.changes[0].learning_rate, [before, 0.5]);
    const told = (await events.until(({ type }) => type === 'change')).at(-1);
    assert.deepEqual(told.data, { run: id, ...changed.body.changes[0] });
    assert.ok(Number(told.id) > 0);
    events.close();

    await post(id, 'pause');
    const paused = await inState(daemon, id, 'paused');
    const second = await patch(id, { config: { weight_decay: 0.25 } });
    assert.deepEqual(second.body.changes[1], { step: paused.progress.step, weight_decay: [0, 0.25] });
    assert.deepEqual((await patch(id, { config: {} })).body.changes, second.body.changes);
    const wrong = await patch(id, { name: '', config: { seed: 1, learning_rate: 'fast', layers: [3] }, tag: 1 });
    assert.equal(wrong.status, 422);
    assert.deepEqual(wrong.body.errors.map((error) => error.pointer).sort(),
        ['/config/layers', '/config/learning_rate', '/config/seed', '/name', '/tag']);
    assert.equal((await patch(id, { config: 3 })).status, 422);

    const run = await stop(id);
    assert.deepEqual(run.changes, second.body.changes);
    const late = await patch(id, { config: { learning_rate: 0.1 }, name: 'too late' });
    assert.equal(late.status, 409);
    assert.match(late.body.detail, /is stopped: .*resume it with other ones/);
    assert.equal((await get(id)).name, 'turned');
});

test('many who change settings at once all get them, one after the other', async () => {
    const { id } = await makeRun(daemon, endless());
    await trains(daemon, id);
    const rates = Array.from({ length: 12 }, (_, i) => (i + 1) / 64);
    const answers = await Promise.all(rates.map((rate, i) =>
        patch(id, { config: i % 2 ? { learning_rate: rate } : { weight_decay: rate } })));
    assert.deepEqual(answers.map(({ status }) => status), rates.map(() => 200));
    const { changes, config } = await stop(id);
    assert.equal(changes.length, 12);
    for (let i = 1; i < 12; i++)
        assert.ok(changes[i].step >= changes[i - 1].step);
    for (const name of ['learning_rate', 'weight_decay']) {
        const turned = changes.filter((change) => name in change).map((change) => change[name]);
        turned.slice(1).forEach(([from], i) => assert.equal(from, turned[i][1]));
        assert.equal(config[name], turned.at(-1)[1]);
    }
});

test('settings that were turned happen again at their steps when a killed run goes on', async (context) => {
    const here = await place(context);
    take(context, await here.start());
    const { id } = await makeRun(daemon, lively({ ...constant, layers: [200, 200], epochs: 20000 }));
    await trains(daemon, id);
    await patch(id, { config: { learning_rate: 0.01 } });
    await post(id, 'pause');
    const paused = await inState(daemon, id, 'paused');
    await patch(id, { config: { learning_rate: 0.0005, weight_decay: 0.001 } });
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await post(id, 'resume');
    await events.until(({ type, data }) => type === 'epoch' && data.step > paused.progress.step + 20);
    const { changes } = (await patch(id, { config: { learning_rate: 0.003 } })).body;
    events.close();
    const rows = async () => (await daemon.json('GET', `/api/v1/runs/${id}/epochs`)).body.epochs
        .map(({ elapsed, evaluating, ...row }) => row);
    const whole = await rows();
    await here.daemon.kill();

    take(context, await here.start());
    assert.deepEqual((await get(id)).changes, changes);
    const again = await Events.open(daemon, `/api/v1/events`);
    await post(id, 'resume');
    await again.until(({ type, data }) => type === 'epoch' && data.step >= whole.at(-1).step && data.step > changes[2].step);
    again.close();
    assert.deepEqual((await stop(id)).changes, changes);
    assert.deepEqual((await rows()).slice(0, whole.length), whole);
    assert.ok(changes[0].step > 0 && changes.length === 3);
});

test('with other settings a run goes on from its checkpoint, and says from which step on', async () => {
    const { id } = await makeRun(daemon, endless());
    await trains(daemon, id);
    const stopped = await stop(id);
    await post(id, 'resume', { config: { learning_rate: 0.125 } });
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    const running = (await events.until(({ type, data }) => type === 'state' && data.state === 'running' &&
        data.changes.length > 0)).at(-1).data;
    events.close();
    assert.deepEqual(running.changes, [{ step: stopped.checkpoint.step,
        learning_rate: [stopped.config.learning_rate, 0.125] }]);
    assert.equal(running.config.learning_rate, 0.125);
    await stop(id);
});

test('readers are told how far a run went back, those who come later too', async (context) => {
    const here = await place(context, { environment: never });
    take(context, await here.start());
    const { id } = await makeRun(daemon, endless());
    const all = await Events.open(daemon, '/api/v1/events');
    await trains(daemon, id);
    await post(id, 'pause');
    const paused = await inState(daemon, id, 'paused');
    await post(id, 'resume');
    await all.until(({ type, data }) => type === 'points' && data.steps.at(-1) > paused.progress.step + 100);
    const { next } = (await daemon.json('GET', `/api/v1/runs/${id}/metrics`)).body;
    assert.ok(next >= paused.progress.step);
    await here.daemon.kill();
    all.close();

    take(context, await here.start());
    const second = await Events.open(daemon, '/api/v1/events');
    await post(id, 'resume');
    const seen = await second.until(({ type }) => type === 'points');
    second.close();
    const dropped = seen.findIndex(({ type }) => type === 'dropped');
    assert.deepEqual(seen[dropped].data, { run: id, after: paused.progress.step });
    assert.equal(seen.at(-1).data.steps[0], paused.progress.step + 40); /* the next window */
    await here.daemon.kill();

    take(context, await here.start());
    for (const where of [`/api/v1/runs/${id}/events`, '/api/v1/events']) {
        const late = await Events.open(daemon, where, { 'Last-Event-ID': all.lastId });
        assert.deepEqual((await late.next()).data, { run: id, after: paused.progress.step }, where);
        late.close();
    }
});

test('a checkpoint is a file with a tag, whole or in parts; none yet is a 404 with the reason', async () => {
    const { id } = await makeRun(daemon, endless());
    const where = `/api/v1/runs/${id}/checkpoint`;
    await trains(daemon, id);
    const none = await daemon.json('GET', where);
    assert.equal(none.status, 404);
    assert.match(none.body.detail, /no checkpoint yet/);
    assert.equal((await get(id)).checkpoint, null);
    assert.equal((await daemon.json('GET', '/api/v1/runs/9999/checkpoint')).status, 404);
    const { checkpoint } = await stop(id);

    const whole = await daemon.request(where);
    const bytes = Buffer.from(await whole.arrayBuffer());
    const tag = whole.headers.get('etag');
    assert.equal(bytes.length, checkpoint.bytes);
    assert.equal(whole.headers.get('content-type'), 'application/octet-stream');
    assert.equal((await daemon.request(where, { headers: { 'If-None-Match': tag } })).status, 304);
    const head = await daemon.request(where, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(bytes.length)]);
    for (const [range, from, to] of [['bytes=0-99', 0, 100], ['bytes=100-', 100, bytes.length],
        ['bytes=-50', bytes.length - 50, bytes.length], ['bytes=8-999999999', 8, bytes.length]]) {
        const part = await daemon.request(where, { headers: { Range: range } });
        assert.equal(part.status, 206, range);
        assert.equal(part.headers.get('content-range'), `bytes ${from}-${to - 1}/${bytes.length}`);
        assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(from, to), range);
    }
    for (const [headers, status] of [[{ Range: `bytes=${bytes.length}-` }, 416], [{ Range: 'bytes=9-3' }, 200],
        [{ Range: 'bytes=-0' }, 416], [{ Range: 'bytes=--5' }, 200], [{ Range: 'bytes=5--3' }, 200],
        [{ Range: 'bytes=0-9-12' }, 200], [{ Range: 'bytes=-' }, 200], [{ Range: 'bytes=0-9,20-29' }, 200],
        [{ Range: 'lines=1-2' }, 200], [{ Range: 'bytes=0-9', 'If-Range': '"other"' }, 200],
        [{ Range: 'bytes=0-9', 'If-Range': tag }, 206]])
        assert.equal((await daemon.request(where, { headers })).status, status, JSON.stringify(headers));
    assert.equal((await raw(daemon, { method: 'POST', path: where })).status, 405);

    await post(id, 'resume');
    await trains(daemon, id);
    await stop(id);
    assert.notEqual((await daemon.request(where)).headers.get('etag'), tag);
    assert.equal((await daemon.json('DELETE', `/api/v1/runs/${id}`)).status, 204);
    assert.equal((await daemon.request(where)).status, 404);
});

test('weights are given while a run trains and after, and what is not there is said', async () => {
    const { id } = await makeRun(daemon, endless());
    const weights = (layer, query = '') => daemon.request(`/api/v1/runs/${id}/layers/${layer}/weights${query}`);
    await trains(daemon, id);
    const live = await weights(1);
    assert.equal(live.status, 200);
    assert.equal(live.headers.get('x-shape'), '1,16');
    assert.equal(live.headers.get('etag'), null);
    assert.equal((await live.arrayBuffer()).byteLength, 64);
    await stop(id);
    const rest = await weights(1, '?unit=2&count=10');
    assert.equal(rest.headers.get('x-shape'), '10,16');
    assert.ok(new Float32Array(await rest.arrayBuffer()).every(Number.isFinite));
    const again = await daemon.request(`/api/v1/runs/${id}/layers/1/weights?unit=2&count=10`,
        { headers: { 'If-None-Match': rest.headers.get('etag') } });
    assert.equal(again.status, 304);
    for (const [layer, query, status] of [[2, '', 404], ['x', '', 404], [-1, '', 404], [1, '?unit=12', 404],
        [1, '?unit=x', 400], [1, '?unit=-1', 400], [1, '?unit=4294967296', 400], [1, '?count=0', 400], [1, '?unit=11&count=2', 400], [1, '?units=1', 400]]) {
        const answer = await daemon.json('GET', `/api/v1/runs/${id}/layers/${layer}/weights${query}`);
        assert.equal(answer.status, status, `${layer}${query}`);
        assert.ok(answer.body.detail.length > 20);
    }
});

test('the environment asks for checkpoints at the end of every epoch', async (context) => {
    const here = await place(context, { environment: often });
    take(context, await here.start());
    const { id } = await makeRun(daemon, endless());
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    const steps = new Set();
    await events.until(({ type, data }) => type === 'state' && data.checkpoint && steps.add(data.checkpoint.step).size >= 3);
    events.close();
    for (const step of steps)
        assert.equal(step % 40, 0);
});

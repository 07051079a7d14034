// The weights of a run's best epoch, kept beside the newest; and rules that predict by a read-out or a softmax.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { findings, often, place } from './lives.mjs';
import { CLASSES, ended, endless, Events, makeRun, small, startDaemon, stopAll } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
afterEach(() => stopAll(daemon));
after(() => daemon.stop());

const predict = (where, body) => daemon.json('POST', `/api/v1/runs/${where}`, body);

/** What `goodness evaluate` says of a file of the daemon's. */
async function evaluate(here, id, which, more = []) {
    const response = await here.request(`/api/v1/runs/${id}/checkpoint?which=${which}`);
    assert.equal(response.status, 200);
    const file = path.join(here.home, `${id}-${which}.safetensors`);
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    const { stdout, stderr, status } = spawnSync(process.env.GOODNESS,
        ['evaluate', file, '--data', `bars=${path.join(here.home, 'bars')}`, ...more], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return { ...JSON.parse(stdout), disposition: response.headers.get('content-disposition') };
}

/** A run that gets worse again: its rate grows beyond what is good, and the epochs after the best are judged too. */
const wavering = (fields = {}) => small({ epochs: 12, learning_rate: 0.05, schedule: 'constant', negatives: 'random', batch_size: 50,
    ...fields });

test('the weights of the best epoch are given, and judge as they did then', async () => {
    const { id } = await makeRun(daemon, wavering());
    const run = await ended(daemon, id);
    assert.equal(run.state, 'finished');
    const { epochs } = (await daemon.json('GET', `/api/v1/runs/${id}/epochs`)).body;
    const lowest = Math.min(...epochs.map((row) => row.test_error));
    assert.deepEqual(run.best, { test_error: lowest, epoch: epochs.find((row) => row.test_error === lowest).epoch });
    assert.ok(run.best.epoch < 12, 'the last epoch is no better than an earlier one, or this tests nothing');

    const best = await evaluate(daemon, id, 'best');
    assert.equal(best.error, run.best.test_error);
    assert.equal(best.epoch, run.best.epoch);
    assert.equal(best.disposition, `attachment; filename="goodness-run-${id}-best.safetensors"`);
    const newest = await evaluate(daemon, id, 'newest');
    assert.equal(newest.epoch, 12);
    assert.equal(newest.error, run.last.test_error);

    assert.equal((await predict(`${id}/predict?which=best`, { sample: 3 })).body.step, epochs[run.best.epoch - 1].step);
    assert.equal((await predict(`${id}/predict?which=newest`, { sample: 3 })).body.step, run.progress.steps);
    assert.equal((await predict(`${id}/predict`, { sample: 3 })).body.step, run.progress.steps);
});

test('the best on held-out images judges those as it did then', async () => {
    const { id } = await makeRun(daemon, wavering({ validation: 120, evaluate_on: 'validation' }));
    const run = await ended(daemon, id);
    const { error, split, images, epoch } = await evaluate(daemon, id, 'best', ['--split', 'validation']);
    assert.deepEqual({ error, split, images, epoch },
        { error: run.best.test_error, split: 'validation', images: 120, epoch: run.best.epoch });
    assert.equal((await evaluate(daemon, id, 'best', ['--split', 'train'])).images, 400 - 120);
});

test('the best weights answer while the run trains on', async () => {
    const { id } = await makeRun(daemon, endless({ evaluate_every: 1 }));
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until(({ type, data }) => type === 'state' && data.checkpoint !== null && data.best !== null);
    events.close();
    const { status, body } = await predict(`${id}/predict?which=best`, { sample: 5 });
    assert.equal(status, 200);
    assert.ok(body.step > 0 && body.step % 40 === 0, `${body.step} is the end of an epoch`);
});

test('where nothing was judged yet there is no best, and another word is refused', async () => {
    const { id } = await makeRun(daemon, endless());
    const none = await daemon.json('GET', `/api/v1/runs/${id}/checkpoint?which=best`);
    assert.equal(none.status, 404);
    assert.match(none.body.detail, /no best weights yet/);
    const asked = await predict(`${id}/predict?which=best`, { sample: 5 });
    assert.equal(asked.status, 409);
    assert.match(asked.body.detail, /no best weights yet/);
    for (const answer of [await daemon.json('GET', `/api/v1/runs/${id}/checkpoint?which=latest`),
        await predict(`${id}/predict?which=latest`, { sample: 5 })]) {
        assert.equal(answer.status, 400);
        assert.match(answer.body.detail, /"which" must be newest or best/);
    }
});

test('the best weights survive a kill and what comes after it', async (context) => {
    const here = await place(context, { environment: often });
    const wrong = () => findings(here.state).filter((line) => !/left over when it was being written/.test(line));
    const first = await here.start();
    const { id } = await makeRun(first, wavering({ epochs: 600 }));
    const events = await Events.open(first, `/api/v1/runs/${id}/events`);
    await events.until(({ type, data }) => type === 'state' && data.checkpoint?.epoch > 20);
    events.close();
    await first.kill();
    assert.deepEqual(wrong(), []);

    const second = await here.start();
    await second.json('POST', `/api/v1/runs/${id}/resume`);
    const run = await ended(second, id);
    assert.equal(run.state, 'finished');
    const best = await evaluate(second, id, 'best');
    assert.equal(best.epoch, run.best.epoch);
    assert.equal(best.error, run.best.test_error);
    await second.json('DELETE', `/api/v1/runs/${id}`);
    assert.equal((await second.json('GET', `/api/v1/runs/${id}/checkpoint?which=best`)).status, 404);
    await second.stop();
    assert.deepEqual(findings(here.state), []);
});

/** Rules whose networks are shown no labels: what they say of an image. */
const unlabelled = {
    unsupervised: { rule: 'unsupervised', readout: 'softmax', readout_from: 0, predict: 'readout', epochs: 10 },
    backprop: { rule: 'backprop', normalize: 'none', layers: [16, CLASSES], epochs: 10 },
};

for (const [name, fields] of Object.entries(unlabelled)) {
    test(`${name} learns, and answers with a goodness a layer`, async () => {
        const { id } = await makeRun(daemon, small(fields));
        const run = await ended(daemon, id);
        assert.equal(run.state, 'finished', run.reason);
        assert.ok(run.last.test_error < 0.1, `${run.last.test_error}`);
        const { body } = await predict(`${id}/predict`, { sample: 6 });
        assert.equal(body.label, body.truth);
        assert.deepEqual(body.goodness.map((layer) => layer.length), [1, 1]);
        assert.equal(body.probabilities.length, CLASSES);
        assert.ok(Math.abs(body.probabilities.reduce((sum, value) => sum + value) - 1) < 1e-5);
    });
}

test('a read-out beside pairs and class groups predicts, alone and with the goodness', async () => {
    const predictions = [];
    for (const rule of ['pairs', 'class_groups']) {
        for (const how of ['readout', 'readout_and_goodness', 'goodness']) {
            const { id } = await makeRun(daemon, small({ rule, readout: 'softmax', predict: how, epochs: 6 }));
            const run = await ended(daemon, id);
            assert.equal(run.state, 'finished', run.reason);
            assert.ok(run.last.test_error < 0.1, `${rule} ${how}: ${run.last.test_error}`);
            const { body } = await predict(`${id}/predict`, { sample: 6 });
            assert.deepEqual(body.goodness.map((layer) => layer.length), [CLASSES, CLASSES]);
            predictions.push(body);
        }
    }
    for (const at of [0, 3]) { // the same network is trained, whatever predicts
        assert.deepEqual(predictions[at].goodness, predictions[at + 1].goodness);
        assert.notDeepEqual(predictions[at].probabilities, predictions[at + 1].probabilities);
        assert.notDeepEqual(predictions[at].probabilities, predictions[at + 2].probabilities);
    }
});

test('the timeline names the read-out, on a stage of its own too', async () => {
    const { id } = await makeRun(daemon, endless({ readout: 'softmax' }), { placement: { stages: 3, threads: 1 } });
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until(({ type }) => type === 'epoch');
    events.close();
    const { traceEvents } = (await daemon.json('GET', `/api/v1/runs/${id}/timeline`)).body;
    const named = (name) => traceEvents.filter((event) => event.name === name);
    assert.ok(named('read-out train').length > 0 && named('layer 1 train').length > 0 && named('layer 2 train').length === 0);
    assert.deepEqual(named('thread_name').map(({ args }) => args.name),
        ['stage 0 (layer 0)', 'stage 1 (layer 1)', 'stage 2 (read-out)']);
});

test('backpropagation on more than one stage trains on one, and says so', async () => {
    const { status, body } = await daemon.json('POST', '/api/v1/runs',
        { config: small(unlabelled.backprop), placement: { stages: 2, threads: 1 } });
    assert.equal(status, 201);
    const run = await ended(daemon, body.id);
    assert.equal(run.placement.stages, 1);
    assert.ok(run.warnings.some((warning) => /2 stages were asked for, but backpropagation trains on one/.test(warning)), run.warnings.join());
});

// What evaluations mistook for what: the matrix, the surest mistakes, over restarts and resumes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { often, place } from './lives.mjs';
import { CLASSES, ended, endless, makeRun, small, startDaemon } from './support.mjs';

const TRAIN = 400, TEST = 100;

let daemon;
before(async () => { daemon = await startDaemon(); });
after(() => daemon.stop());

/** One that makes mistakes: it hardly learns. */
const poor = (fields = {}) => small({ learning_rate: 1e-6, epochs: 3, ...fields });

async function confusion(on, id) {
    const { status, body } = await on.json('GET', `/api/v1/runs/${id}/confusion`);
    assert.equal(status, 200, body.detail);
    return body;
}

const predict = (id, question) => daemon.json('POST', `/api/v1/runs/${id}/predict`, question).then(({ body }) => body);
const sum = (values) => values.reduce((total, value) => total + value, 0);

test('the matrix counts every judged image, and its mistakes are the error', async () => {
    const { id } = await makeRun(daemon, poor());
    const run = await ended(daemon, id);
    const found = await confusion(daemon, id);
    assert.deepEqual([found.epoch, found.step, found.split, found.images], [3, 120, 'test', TEST]);
    assert.deepEqual(found.matrix.map(sum), new Array(CLASSES).fill(TEST / CLASSES));
    const right = sum(found.matrix.map((row, label) => row[label]));
    assert.equal(found.wrong, TEST - right);
    assert.ok(found.wrong > 0);
    assert.equal(found.error, run.last.test_error);
});

test('the surest mistakes are those that the network makes', async () => {
    const { id } = await makeRun(daemon, poor());
    await ended(daemon, id);
    const { mistakes, wrong } = await confusion(daemon, id);
    assert.equal(mistakes.length, Math.min(wrong, 50));
    mistakes.forEach((mistake, i) =>
        assert.ok(i === 0 || mistake.confidence <= mistakes[i - 1].confidence));
    for (const { sample, split, truth, label, confidence } of mistakes.slice(0, 5)) {
        const answer = await predict(id, { sample, split });
        assert.deepEqual([answer.truth, answer.label], [truth, label]);
        assert.ok(Math.abs(answer.probabilities[label] - confidence) < 1e-5);
        const { body } = await daemon.json('GET', `/api/v1/datasets/bars/samples/${split}/${sample}`);
        assert.equal(body.label, truth);
    }
    assert.equal(new Set(mistakes.map((each) => each.sample)).size, mistakes.length);
});

test('held-out images are named as those of the training split that they are', async () => {
    const { id } = await makeRun(daemon, poor({ validation: 60, evaluate_on: 'validation' }));
    await ended(daemon, id);
    const found = await confusion(daemon, id);
    assert.deepEqual([found.split, found.images], ['train', 60]);
    assert.ok(found.mistakes.length > 0);
    for (const { sample, split, truth } of found.mistakes) {
        assert.equal(split, 'train');
        assert.ok(sample >= TRAIN - 60 && sample < TRAIN);
        assert.equal(truth, sample % CLASSES);
    }
});

test('an epoch that is not judged leaves the one before', async () => {
    const { id } = await makeRun(daemon, poor({ epochs: 3, evaluate_every: 2 }));
    await ended(daemon, id); /* the last epoch is always judged */
    assert.equal((await confusion(daemon, id)).epoch, 3);
    const before = await makeRun(daemon, endless());
    const none = { epoch: null, step: 0, split: 'test', images: 0, wrong: 0, error: null, matrix: [], mistakes: [] };
    assert.deepEqual(await confusion(daemon, before.id), none);
    await daemon.json('POST', `/api/v1/runs/${before.id}/stop`);
    await ended(daemon, before.id);
    assert.equal((await daemon.json('GET', `/api/v1/runs/${id}/confusion?epoch=2`)).status, 400);
    assert.equal((await daemon.json('GET', '/api/v1/runs/999/confusion')).status, 404);
});

test('it is there after a restart, and follows a run that goes on', async (context) => {
    const here = await place(context, { environment: often });
    const first = await here.start();
    const { id } = await makeRun(first, poor({ schedule: 'constant', warmup: 0 }));
    await ended(first, id);
    const found = await confusion(first, id);
    await first.stop();
    const second = await here.start();
    assert.deepEqual(await confusion(second, id), found);
    await second.json('POST', `/api/v1/runs/${id}/resume`, { epochs: 2 });
    await ended(second, id);
    const alone = await makeRun(daemon, poor({ schedule: 'constant', warmup: 0, epochs: 5 }));
    await ended(daemon, alone.id);
    assert.deepEqual(await confusion(second, id), await confusion(daemon, alone.id));
});

// Runs with convolutions over HTTP: what is refused, what is told, and that they go on like any other.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { ended, endless, makeRun, small, startDaemon, stopAll, trains } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
after(async () => {
    await stopAll(daemon);
    await daemon.stop();
});

const conv = (channels, kernel, more = {}) => ({ kind: 'conv', channels, kernel, ...more });
const layers = [conv(8, 3, { padding: 1, pool: true }), conv(12, 2, { stride: 2 }), 16];
const settings = (make, more = {}) => make({ layers, rule: 'class_groups', batch_normalization: true,
    normalize: 'channel_rms', predict: 'log_softmax', average: 0.9, ...more });
const refused = async (config) => {
    const { status, body } = await daemon.json('POST', '/api/v1/runs', { config });
    assert.equal(status, 422, JSON.stringify(config));
    return body.errors.map(({ pointer, detail }) => `${pointer} ${detail}`);
};

test('a run with convolutions learns, tells its layers with all they have, and predicts', async () => {
    const { id } = await makeRun(daemon, settings(small, { epochs: 4 }));
    const run = await ended(daemon, id);
    assert.equal(run.state, 'finished');
    assert.deepEqual(run.config.layers, [{ kind: 'conv', channels: 8, kernel: 3, stride: 1, padding: 1, pool: true },
        { kind: 'conv', channels: 12, kernel: 2, stride: 2, padding: 0, pool: false }, 16]);
    assert.equal(run.parameters, 9 * 8 + 4 * 8 * 12 + 2 * 2 * 12 * 16);
    assert.ok(run.last.test_error < 0.1, `error ${run.last.test_error}`);
    const { body } = await daemon.json('POST', `/api/v1/runs/${id}/predict`, { sample: 6, split: 'test' });
    assert.equal(body.label, 2);
    assert.equal(body.goodness.length, 3);
    assert.ok(body.goodness.every((row) => row.length === 4));
});

test('weights of a convolution come as pictures, while it trains and from its checkpoint, whose tensors have their shape', async () => {
    const { id } = await makeRun(daemon, settings(endless));
    const weights = (layer, query) => daemon.request(`/api/v1/runs/${id}/layers/${layer}/weights?${query}`);
    await trains(daemon, id);
    const live = await weights(1, 'unit=2&count=3');
    assert.equal(live.headers.get('x-shape'), '3,8,2,2');
    assert.equal((await live.arrayBuffer()).byteLength, 3 * 8 * 2 * 2 * 4);
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);

    const file = path.join(daemon.home, 'convolution.safetensors');
    execFileSync('curl', ['-sS', '-o', file, `${daemon.base}/api/v1/runs/${id}/checkpoint`]);
    const bytes = await readFile(file), length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
    assert.deepEqual(header['layer.0.weights.average'].shape, [1, 3, 3, 8]);
    assert.deepEqual(header['layer.1.weights'].shape, [8, 2, 2, 12]);
    assert.deepEqual(header['layer.1.normalization.variance'].shape, [12]);
    assert.deepEqual(header['layer.2.weights'].shape, [48, 16]);
    assert.equal(header['layer.0.bias'], undefined);

    const { data_offsets: [begin, end] } = header['layer.1.weights.average'];
    const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 8 + length + begin, bytes.byteOffset + 8 + length + end));
    const rest = await weights(1, 'unit=2&count=3');
    assert.equal(rest.headers.get('x-shape'), '3,8,2,2');
    const told = new Float32Array(await rest.arrayBuffer());
    for (let unit = 0; unit < 3; unit++)
        for (let input = 0; input < 32; input++)
            assert.equal(told[unit * 32 + input], all[input * 12 + 2 + unit]);
});

test('a checkpoint of convolutions is judged as the run was, with the running figures of its batches', async () => {
    const { id } = await makeRun(daemon, settings(small));
    const run = await ended(daemon, id);
    const file = path.join(daemon.home, 'judged.safetensors');
    execFileSync('curl', ['-sS', '-o', file, `${daemon.base}/api/v1/runs/${id}/checkpoint`]);
    const judged = spawnSync(process.env.GOODNESS, ['evaluate', file, '--data', `bars=${path.join(daemon.home, 'bars')}`],
        { encoding: 'utf8' });
    assert.equal(judged.status, 0, judged.stderr);
    assert.equal(JSON.parse(judged.stdout).error, run.last.test_error);
});

test('a convolution gives the same weights on any placement, and when it is gone on with', async () => {
    const digests = [];
    for (const placement of [{ stages: 1, threads: 1 }, { stages: 3, threads: 2 }]) {
        const { id } = await makeRun(daemon, settings(small, { epochs: 3 }), { placement });
        digests.push((await ended(daemon, id)).last.digest);
    }
    const config = settings(small, { epochs: 1, schedule: 'constant', warmup: 0 });
    const { id } = await makeRun(daemon, config);
    await ended(daemon, id);
    assert.equal((await daemon.json('POST', `/api/v1/runs/${id}/resume`, { epochs: 2 })).status, 200);
    const whole = await makeRun(daemon, { ...config, epochs: 3 });
    digests.push((await ended(daemon, id)).last.digest, (await ended(daemon, whole.id)).last.digest);
    assert.equal(digests[0], digests[1]);
    assert.equal(digests[2], digests[3]);
});

test('layers that cannot be are refused where they are wrong', async () => {
    assert.deepEqual(await refused(settings(small, { layers: [conv(8, 3, { stride: 3 }), conv(8, 3)] })),
        ['/config/layers/1/kernel must fit into what enters this layer, 2 x 2 with 0 of padding around it, got 3; pool or '
            + 'stride less below it']);
    assert.match((await refused(settings(small, { layers: [16, conv(8, 3)] })))[0], /^\/config\/layers\/1 a convolution needs an image/);
    assert.match((await refused(settings(small, { layers: [conv(7, 3)] })))[0], /^\/config\/layers\/0\/channels .*7 are not a multiple of 4/);
    assert.match((await refused(small({ layers: [conv(8, 3)], rule: 'pairs' })))[0], /^\/config\/label .*"overlay"/);
    assert.match((await refused(small({ layers: [conv(8, 3)], label: 'overlay' })))[0], /^\/config\/negatives /);
    assert.equal((await refused(settings(small, { layers: [{ kind: 'conv', channel: 8 }, 0] }))).length, 4);
});

test('the schema has a layer as a number or as an object', async () => {
    const { body } = await daemon.json('GET', '/api/v1/config');
    const [dense, convolution] = body.properties.layers.items.oneOf;
    assert.equal(dense.type, 'integer');
    assert.deepEqual(convolution.required, ['kind', 'channels', 'kernel']);
    assert.deepEqual(Object.keys(convolution.properties), ['kind', 'channels', 'kernel', 'stride', 'padding', 'pool']);
    assert.equal(convolution.properties.kind.const, 'conv');
    assert.deepEqual(convolution.properties.stride, { minimum: 1, maximum: 64, type: 'integer', default: 1,
        description: 'pixels from one place to the next' });
});

// The series and the epochs of a run, as JSON and as CSV, and its text log.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ended, makeRun, small, startDaemon } from './support.mjs';

let daemon, id, whole;
before(async () => {
    daemon = await startDaemon();
    id = (await makeRun(daemon, small({ epochs: 3 }))).id;
    await ended(daemon, id);
    whole = await metrics('max_points=100000');
});
after(() => daemon.stop());

async function metrics(query) {
    const { status, body } = await daemon.json('GET', `/api/v1/runs/${id}/metrics?${query}`);
    assert.equal(status, 200);
    return body;
}

const columns = ['positive', 'negative', 'positive_low', 'positive_high', 'negative_low', 'negative_high', 'loss',
    'accuracy'];

test('every point is there once, in order', () => {
    assert.deepEqual(whole.steps, Array.from({ length: 120 }, (_, i) => i + 1));
    assert.equal(whole.epochs.at(-1), 3);
    assert.equal(whole.next, 120);
    assert.equal(whole.downsampled, false);
    assert.deepEqual(whole.layers.map((layer) => layer.layer), [0, 1]);
    for (const layer of whole.layers)
        for (const column of columns)
            assert.equal(layer[column].length, 120, column);
});

test('downsampling keeps means, the lowest low and the highest high', async () => {
    const some = await metrics('max_points=7');
    assert.ok(some.steps.length <= 7);
    assert.equal(some.downsampled, true);
    assert.equal(some.next, 120);
    let from = 0;
    some.steps.forEach((step, bucket) => {
        const range = whole.layers[1];
        const lows = range.positive_low.slice(from, step), highs = range.negative_high.slice(from, step);
        const losses = range.loss.slice(from, step);
        const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
        assert.equal(some.layers[1].positive_low[bucket], Math.min(...lows));
        assert.equal(some.layers[1].negative_high[bucket], Math.max(...highs));
        assert.ok(Math.abs(some.layers[1].loss[bucket] - mean) < 1e-5 * Math.abs(mean));
        assert.equal(some.elapsed[bucket], whole.elapsed[step - 1]);
        from = step;
    });
    assert.equal(from, 120);
});

test('pages by `after` join to the whole series', async () => {
    const first = await metrics('max_points=100000&after=0');
    const rest = await metrics('after=60');
    assert.deepEqual(rest.steps, first.steps.slice(60));
    assert.deepEqual(rest.layers[0].positive, first.layers[0].positive.slice(60));
    const nothing = await metrics(`after=${first.next}`);
    assert.deepEqual(nothing.steps, []);
    assert.equal(nothing.next, 120);
    assert.equal(nothing.layers.length, 2);
});

test('a stretch between two steps has finer points', async () => {
    const stretch = await metrics('after=30&before=61&max_points=30');
    assert.deepEqual(stretch.steps, whole.steps.slice(30, 60));
    assert.deepEqual(stretch.layers[1].negative_low, whole.layers[1].negative_low.slice(30, 60));
    assert.deepEqual([stretch.downsampled, stretch.next], [false, 60]);
    const coarse = await metrics('after=30&before=61&max_points=10');
    assert.deepEqual(coarse.steps, [33, 36, 39, 42, 45, 48, 51, 54, 57, 60]);
    assert.equal(coarse.downsampled, true);
    assert.deepEqual((await metrics('after=0&before=1')).steps, []);
    assert.deepEqual((await metrics('after=50&before=20')).steps, []);
    assert.deepEqual((await metrics('before=4')).steps, [1, 2, 3]);
    assert.deepEqual((await metrics('before=100000')).steps, whole.steps);
});

test('single layers can be asked for', async () => {
    assert.deepEqual((await metrics('layers=1')).layers.map((layer) => layer.layer), [1]);
    assert.deepEqual((await metrics('layers=1,0')).layers.map((layer) => layer.layer), [0, 1]);
});

test('CSV has the same figures as JSON', async () => {
    const { headers, text } = await daemon.json('GET', `/api/v1/runs/${id}/metrics?format=csv&max_points=100000`);
    assert.match(headers.get('content-type'), /^text\/csv/);
    const [head, ...rows] = text.trimEnd().split('\n').map((line) => line.split(','));
    assert.deepEqual(head.slice(0, 5), ['step', 'epoch', 'elapsed', 'layer0_positive', 'layer0_negative']);
    assert.equal(rows.length, 120);
    const at = head.indexOf('layer1_accuracy');
    assert.deepEqual(rows.map((row) => Number(row[at])), whole.layers[1].accuracy);
});

test('wrong queries are refused with what is wrong', async () => {
    for (const query of ['layers=2', 'layers=', 'layers=0,', 'layers=a', 'layers=0;1', 'max_points=0', 'after=-1', 'before=0', 'before=x',
        'format=xml', 'afetr=1']) {
        const { status, body } = await daemon.json('GET', `/api/v1/runs/${id}/metrics?${query}`);
        assert.equal(status, 400, query);
        assert.ok(body.detail.includes(query.split('=')[0]), body.detail);
    }
});

test('an epoch is a row, as JSON and as CSV', async () => {
    const { epochs } = (await daemon.json('GET', `/api/v1/runs/${id}/epochs`)).body;
    assert.deepEqual(epochs.map((row) => [row.epoch, row.step]), [[1, 40], [2, 80], [3, 120]]);
    for (const row of epochs) {
        assert.match(row.digest, /^sha256:[0-9a-f]{64}$/);
        assert.equal(row.layers.length, 2);
        assert.ok(row.test_error >= 0 && row.test_error <= 1);
    }
    const csv = (await daemon.json('GET', `/api/v1/runs/${id}/epochs?format=csv`)).text.trimEnd().split('\n');
    assert.equal(csv.length, 4);
    const at = csv[0].split(',').indexOf('test_error');
    assert.deepEqual(csv.slice(1).map((line) => Number(line.split(',')[at])), epochs.map((row) => row.test_error));
});

test('the log is plain text in the layout of the original', async () => {
    const { headers, text } = await daemon.json('GET', `/api/v1/runs/${id}/log`);
    assert.match(headers.get('content-type'), /^text\/plain/);
    assert.match(text, /Epoch 3:\n {2}Layer 0: Pos=[\d.]+, Neg=[\d.]+, Gap=-?[\d.]+\n/);
    assert.match(text, /Logic timer for train time for all layers: 240\n/);
});

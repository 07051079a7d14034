// `mpirun -n N goodness train`: the bits of one process on any number of ranks, for every rule; left on some ranks and
// gone on with on others; ranks that differ are refused, in words.

import assert from 'node:assert/strict';
import { appendFile, copyFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { begin, linesOf, makeFolder, program, run, unable } from './support.mjs';

const base = { dataset: 'bars', batch_size: 20, epochs: 3, layers: [24, 20, 16, 12, 8] };
const spread = { placement: { stages: 7 } };
const runs = {
    pairs: { ...spread, config: base },
    hard: { ...spread, config: { ...base, negatives: 'hard', average: 0.99, dropout: { pixels: 0.1, inputs: 0.1, units: 0.2 } } },
    readout: { ...spread, config: { ...base, readout: 'softmax', predict: 'readout_and_goodness', predict_from: 1 } },
    groups: { ...spread, config: { ...base, rule: 'class_groups', predict: 'log_softmax', optimizer: 'adam' } },
    unsupervised: { ...spread, config: { ...base, rule: 'unsupervised', readout: 'softmax', predict: 'readout' } },
    convolution: { ...spread, config: { ...base, rule: 'class_groups', predict: 'log_softmax', batch_normalization: true,
        layers: [{ kind: 'conv', channels: 8, kernel: 3, padding: 1, pool: true },
            { kind: 'conv', channels: 12, kernel: 3, padding: 1 }, 16] } },
    original: { ...spread, config: { ...base, batch_size: 1, optimizer: 'sgd', forward_after_update: true, objective: 'gap',
        learning_rate: 0.004, activation: 'tanh', train_limit: 100 } },
    backprop: { ...spread, config: { ...base, rule: 'backprop', layers: [24, 4], normalize: 'none' } },
};

let place, alone;
const files = () => Object.keys(runs).map((name) => place.file(`${name}.json`));
/* What is the same on every placement: all figures of all epochs, but the time. */
const results = (result) => linesOf(result, 'epoch').map(({ elapsed, evaluating, ...row }) => JSON.stringify(row));

before(async () => {
    place = await makeFolder(runs);
    alone = await run(0, ['train', ...files(), ...place.data]);
    assert.equal(alone.status, 0, alone.errors);
    assert.equal(linesOf(alone, 'epoch').length, 3 * Object.keys(runs).length);
});
after(() => place.remove());

for (const ranks of [1, 2, 3, 4, 7]) {
    test(`every rule gives the same figures and weights on ${ranks} ranks`, async () => {
        const together = await run(ranks, ['train', ...files(), ...place.data]);
        assert.equal(together.status, 0, together.errors);
        assert.deepEqual(results(together), results(alone));
        for (const { name, placement } of linesOf(together, 'end')) {
            const stages = runs[name].config.layers.length + (runs[name].config.readout ? 1 : 0);
            const expected = name === 'backprop' || ranks === 1 ? undefined : Math.min(ranks, stages);
            assert.equal(placement.ranks, expected, name);
            assert.equal(placement.bytes_per_sample > 0, expected !== undefined, name);
        }
    });
}

test('what passes a boundary is its activities, once, and little beside', async () => {
    const together = await run(3, ['train', place.file('pairs.json'), ...place.data]);
    const [end] = linesOf(together, 'end');
    /* Two rows an image. The layers below the two boundaries have the widths of neighbours in the list. */
    const widest = 2 * 4 * (24 + 20), least = 2 * 4 * (12 + 16);
    assert.ok(end.placement.bytes_per_sample > least, JSON.stringify(end.placement));
    assert.ok(end.placement.bytes_per_sample < widest + 120, JSON.stringify(end.placement));
});

test('a run left on three ranks goes on on two, then alone, as if it had never been left', async () => {
    const checkpoint = place.file('left.safetensors'), epochs = 400; /* more than pass until it is left */
    const long = { ...spread, config: { ...base, negatives: 'hard', epochs } };
    const more = await makeFolder({ long });
    const whole = await run(0, ['train', more.file('long.json'), ...more.data]);
    const rows = [];
    const keep = (told) => rows.push(...told.output.split('\n').filter(Boolean).map((line) => JSON.parse(line))
        .filter((line) => line.event === 'epoch'));
    for (const ranks of [3, 2]) {
        const started = begin(ranks, ['train', ...(ranks === 3 ? [more.file('long.json')] : ['--resume', checkpoint]),
            ...more.data, '--checkpoint', checkpoint]);
        await started.until(/"event":"epoch"/);
        process.kill(await started.rank(0), 'SIGINT');
        keep(await started.ended);
    }
    const rest = await run(0, ['train', '--resume', checkpoint, ...more.data]);
    assert.equal(rest.status, 0, rest.errors);
    rows.push(...linesOf(rest, 'epoch'));
    assert.deepEqual(rows.map((row) => row.epoch), Array.from({ length: epochs }, (_, i) => i + 1));
    assert.deepEqual(rows.map((row) => row.digest), linesOf(whole, 'epoch').map((row) => row.digest));
    await more.remove();
});

const endless = { ...spread, config: { ...base, epochs: 100000, evaluate_every: 1000 } };

/** Four ranks train `endless`, and rank 2 is killed: what came of it. */
async function killRank(checkpoint, recovery) {
    const more = await makeFolder({ endless });
    const started = begin(4, ['train', more.file('endless.json'), ...more.data, '--checkpoint', checkpoint],
        { recovery, environment: { GOODNESS_CHECKPOINT_SECONDS: '0' } });
    await started.until(/"event":"epoch"[^]*"event":"epoch"/);
    process.kill(await started.rank(2), 'SIGKILL');
    const result = await started.ended;
    await more.remove();
    return result;
}

test('a killed rank ends the training as interrupted, with its checkpoint to go on from', { skip: unable }, async () => {
    const checkpoint = place.file('killed.safetensors');
    const { output, errors } = await killRank(checkpoint, true);
    const end = JSON.parse(output.trim().split('\n').at(-1));
    assert.equal(end.event, 'end');
    assert.equal(end.state, 'interrupted');
    assert.match(end.reason, /^rank 2 \(on .*\) does not answer any more/);
    assert.match(errors, /goodness train: endless: rank 2 /);
    const judged = await run(0, ['evaluate', checkpoint, ...place.data]);
    assert.equal(judged.status, 0, judged.errors);
});

test('where the launcher ends all ranks with the killed one, the checkpoint stays good', async () => {
    const checkpoint = place.file('ended.safetensors');
    const { status } = await killRank(checkpoint, false);
    assert.notEqual(status, 0);
    const judged = await run(0, ['evaluate', checkpoint, ...place.data]);
    assert.equal(judged.status, 0, judged.errors);
});

async function refused(others, pattern) {
    const result = await run(2, ['train', place.file('pairs.json'), ...place.data], { others });
    assert.notEqual(result.status, 0);
    assert.match(result.errors, pattern);
    assert.equal(result.output, ''); /* nothing was trained */
}

test('a rank with another build of the program is refused', async () => {
    const other = place.file('other-goodness');
    await copyFile(program, other);
    await appendFile(other, 'other');
    await refused([[1, other, 'train', place.file('pairs.json'), ...place.data]],
        /goodness train: rank 2 \(on .*\) has another program than rank 0: .*copy the same program to all machines/);
});

test('a rank with another BLAS kernel is refused', async () => {
    const { output } = await run(0, ['version']);
    const kernel = /BLAS kernel: Prescott/.test(output) ? 'Core2' : 'Prescott';
    await refused([[1, 'env', `OPENBLAS_CORETYPE=${kernel}`, program, 'train', place.file('pairs.json'), ...place.data]],
        /rank 2 \(on .*\) has another BLAS kernel than rank 0: .*OPENBLAS_CORETYPE/);
});

test('a rank that was given another configuration is refused', async () => {
    await refused([[1, program, 'train', place.file('hard.json'), ...place.data]],
        /rank 2 \(on .*\) has another command line than rank 0: train .*hard\.json/);
});

test('a program that was built without MPI says so when mpirun starts several', { skip: process.env.GOODNESS === undefined },
    async () => {
        const plain = [1, process.env.GOODNESS, 'train', place.file('pairs.json'), ...place.data];
        const result = await run(1, ['version'], { others: [plain, plain] });
        assert.match(result.errors, /mpirun started 3 of this program, which was built without MPI/);
    });

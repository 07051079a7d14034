// `goodness train` that is left and gone on with, and `goodness evaluate`: the real program, its signals and its files.
//
// GOODNESS_SEED chooses other instants; the one in use is among the test's diagnostics.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { small, writeDataset } from './support.mjs';

let home;
before(async () => {
    home = await mkdtemp(path.join(os.tmpdir(), 'goodness-program-'));
    await writeDataset(path.join(home, 'bars'));
});
after(() => rm(home, { recursive: true, force: true }));

const seed = Number(process.env.GOODNESS_SEED ?? Math.floor(Math.random() * 1e9));
let state = seed;

/** A whole number from 0 to `limit` - 1 (Numerical Recipes' generator). */
function random(limit) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
}

/**
 * Run the program to its end; { status, signal, output, errors, lines }. `config` goes to its standard input. `onLine(count,
 * child)` is called for each line that it has written.
 */
async function program(command, args, { config, environment = {}, onLine = () => {}, onStart = () => {} } = {}) {
    const child = spawn(process.env.GOODNESS, [command, '--data', `bars=${path.join(home, 'bars')}`, ...args],
        { env: { ...process.env, HOME: home, XDG_DATA_HOME: path.join(home, 'share'), ...environment } });
    let output = '', errors = '', count = 0;
    child.stdout.on('data', (data) => {
        output += data;
        for (let breaks = data.toString().split('\n').length - 1; breaks > 0; breaks--)
            onLine(++count, child);
    });
    child.stderr.on('data', (data) => { errors += data; });
    child.stdin.on('error', () => {}); /* it may have ended before it has read */
    child.stdin.end(config === undefined ? '' : JSON.stringify({ config }));
    onStart(child);
    const [status, signal] = await once(child, 'close');
    const whole = output.slice(0, output.lastIndexOf('\n') + 1);
    const lines = whole.trim().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    return { status, signal, output, errors, lines };
}

/** Train on `config` (undefined: of --resume alone). */
function train(config, args = [], options = {}) {
    return program('train', config === undefined ? args : [...args, '-'], { config, ...options });
}

/** Rows without what was timed, by epoch. */
function epochsOf(lines) {
    return lines.filter((line) => line.event === 'epoch').map(({ elapsed, evaluating, ...row }) => row);
}

/** All points' figures, by step. */
function pointsOf(lines) {
    return lines.filter((line) => line.event === 'points').map(({ steps, layers }) => ({ steps, layers }));
}

function placement() {
    return ['--stages', String(1 + random(3)), '--threads', String(1 + random(2))];
}

/** Long enough to be stopped often, and with all that a checkpoint has to hold. */
function long(fields = {}) {
    return small({ epochs: 400, layers: [24, 16, 12], optimizer: 'momentum', train_limit: 395, ...fields });
}

test('a run stopped at ten instants and gone on with elsewhere is one that was never left', async (t) => {
    t.diagnostic(`GOODNESS_SEED=${seed}`);
    const file = path.join(home, 'stopped');
    const whole = await train(long());
    const lines = [];
    let life, stops = 0, step = 0, epoch = 0;
    assert.equal(whole.status, 0, whole.errors);
    do {
        const instant = 2 + random(500);
        life = await train(stops === 0 ? long() : undefined,
            ['--checkpoint', file, ...(stops === 0 ? [] : ['--resume', file]), ...placement()],
            { onLine: (count, child) => count === instant && stops < 10 && child.kill('SIGTERM') });
        assert.equal(life.errors, '');
        assert.deepEqual(life.lines[0].resumed, stops === 0 ? undefined : { checkpoint: file, step, epoch });
        assert.equal(life.lines[0].progress.step, step);
        lines.push(...life.lines);
        step = life.lines.at(-1).progress.step;
        epoch += epochsOf(life.lines).length;
        if (life.lines.at(-1).state === 'stopped')
            stops++;
        assert.equal(life.status, life.lines.at(-1).state === 'stopped' ? 1 : 0);
    } while (life.lines.at(-1).state === 'stopped');
    assert.equal(stops, 10);
    assert.deepEqual(epochsOf(lines), epochsOf(whole.lines));
    assert.deepEqual(pointsOf(lines), pointsOf(whole.lines));
    assert.equal(life.lines.at(-1).last.digest, whole.lines.at(-1).last.digest);
});

test('a run killed while it keeps itself has a whole file at every instant', async (t) => {
    const file = path.join(home, 'killed');
    const config = small({ epochs: 1000, layers: [400, 300], train_limit: 100, optimizer: 'momentum' });
    const rows = new Map();
    const whole = await train(config);
    let torn = 0, kept = 0;
    t.diagnostic(`GOODNESS_SEED=${seed}`);
    for (let kills = 0; kills < 14; kills++) {
        const instant = 2 + random(100);
        const resume = existsSync(file) ? ['--resume', file] : [];
        const writes = random(4);
        let watcher;
        const life = await train(config, ['--checkpoint', file, ...resume, ...placement()], {
            environment: { GOODNESS_CHECKPOINT_SECONDS: '0' },
            onLine: (count, child) => kills % 2 === 0 && count === instant && child.kill('SIGKILL'),
            onStart: (child) => {
                let seen = 0;
                watcher = watch(home, (_, name) => kills % 2 === 1 && name === 'killed.tmp' && seen++ === writes &&
                    child.kill('SIGKILL'));
            },
        });
        watcher.close();
        assert.equal(life.signal, 'SIGKILL', life.errors);
        epochsOf(life.lines).forEach((row) => rows.set(row.epoch, row));
        torn += existsSync(`${file}.tmp`);
        if (!existsSync(file))
            continue;
        const found = await program('evaluate', [file]);
        assert.equal(found.status, 0, found.errors);
        assert.ok(found.lines[0].step >= kept, `${found.lines[0].step} after ${kept}`);
        kept = found.lines[0].step;
    }
    t.diagnostic(`${torn} of 14 kills fell into a write; the last checkpoint is of step ${kept}`);
    assert.ok(kept > 0);
    const last = await train(undefined, ['--resume', file, '--checkpoint', file]);
    assert.equal(last.status, 0, last.errors);
    epochsOf(last.lines).forEach((row) => rows.set(row.epoch, row));
    assert.deepEqual([...rows.values()].sort((a, b) => a.epoch - b.epoch), epochsOf(whole.lines));
    assert.ok(!existsSync(`${file}.tmp`));
});

test('a finished run that goes on for more epochs is one that was made with them', async () => {
    const file = path.join(home, 'more'), further = path.join(home, 'further');
    const config = small({ schedule: 'constant', warmup: 0 }); /* both depend on the number of epochs */
    const whole = await train({ ...config, epochs: 5 });
    assert.equal((await train(config, ['--checkpoint', file])).status, 0);
    const more = await train({ ...config, epochs: 5 }, ['--resume', file, '--checkpoint', further]);
    assert.equal(more.status, 0, more.errors);
    assert.deepEqual(epochsOf(more.lines), epochsOf(whole.lines).slice(2));
    assert.equal(more.lines[0].progress.epochs, 5);
    const done = await train(undefined, ['--resume', further]);
    assert.equal(done.status, 0);
    assert.deepEqual(done.lines.map((line) => line.event), ['start', 'end']);
});

for (const [what, fields, words] of [
    ['another learning rate', { learning_rate: 0.5 }, /asks for learning_rate 0\.5, but the run in .* has [0-9.]+: /],
    ['other layers', { layers: [16] }, /asks for layers \[16\], but .* only more epochs can be asked for/],
    ['fewer epochs', { epochs: 1 }, /asks for 1 epochs, but the run in .* has 2 already/],
])
    test(`a run that goes on does not take ${what}`, async () => {
        const file = path.join(home, 'same');
        await train(small(), ['--checkpoint', file]);
        const { status, output, errors } = await train(small(fields), ['--resume', file]);
        assert.equal(status, 1);
        assert.match(errors, words);
        assert.equal(errors.trim().split('\n').length, 1);
        assert.equal(output, '');
    });

test('the log for people says where it goes on', async () => {
    const file = path.join(home, 'text');
    await train(small(), ['--checkpoint', file]);
    const { output } = await train(small({ epochs: 3 }), ['--text', '--resume', file]);
    assert.match(output, new RegExp(`Goes on after step 80, with 2 epochs done, from ${file}\n`));
    assert.match(output, /Epoch 3:\n/);
    assert.doesNotMatch(output, /Epoch 2:\n/);
});

test('a checkpoint that cannot be written is said at the end, and what was there stays', async () => {
    const file = path.join(home, 'stays');
    assert.equal((await train(small(), ['--checkpoint', file])).status, 0);
    const before = await readFile(file);
    await mkdir(`${file}.tmp`); /* in the way of the new one */
    const { status, lines, errors } = await train(small({ epochs: 3 }), ['--checkpoint', file]);
    assert.equal(status, 1);
    assert.equal(lines.at(-1).state, 'finished');
    assert.equal(epochsOf(lines).length, 3);
    assert.match(errors, /stays(\.tmp)?: cannot be .*/);
    assert.equal(errors.trim().split('\n').length, 1);
    assert.equal(lines.at(-1).warnings.length, 1);
    assert.deepEqual(await readFile(file), before);
});

test('evaluate finds what the run found last', async () => {
    const file = path.join(home, 'judged');
    const config = small({ test_limit: 50, train_limit: 300, validation: 20, train_error_samples: 0, learning_rate: 0.001 });
    const run = await train(config, ['--checkpoint', file]);
    const { last, parameters } = run.lines.at(-1);
    assert.equal(run.status, 0, run.errors);
    assert.ok(last.test_error > 0, 'a run without errors shows nothing');
    for (const args of [[], ['--threads', '1'], ['--threads', '3']]) {
        const { status, lines, output } = await program('evaluate', [file, ...args]);
        assert.equal(status, 0);
        assert.equal(output.trim().split('\n').length, 1);
        assert.deepEqual(lines[0], { checkpoint: file, name: 'bars pairs-plain', dataset: 'bars', split: 'test', images: 50,
            wrong: Math.round(50 * last.test_error), error: last.test_error, step: 56, epoch: 2, parameters, predict: 'goodness', predict_from: 0 });
    }
    const trained = (await program('evaluate', [file, '--split', 'train'])).lines[0];
    assert.equal(trained.images, 280);
    assert.equal(trained.error, last.train_error);
    assert.equal((await program('evaluate', [file, '--dataset', 'bars'])).lines[0].images, 100);
});

/** A network that no way of predicting does perfectly, and a read-out; `fields` over it. */
function readers(fields = {}) {
    return small({ layers: [16, 12, 12], learning_rate: 0.0005, readout: 'softmax', readout_from: 0, readout_learning_rate: 0.0003, ...fields });
}

test('evaluate by another predictor finds what a run that predicts by it finds', async () => {
    const file = path.join(home, 'predictors');
    const kept = await train(readers(), ['--checkpoint', file]);
    assert.equal(kept.status, 0, kept.errors);
    const errors = new Set();
    for (const predict of ['goodness', 'log_softmax', 'readout', 'readout_and_goodness'])
        for (const from of [0, 2]) {
            const run = await train(readers({ predict, predict_from: from }));
            const { last } = run.lines.at(-1);
            assert.equal(last.digest, kept.lines.at(-1).last.digest);
            const found = await program('evaluate', [file, '--predict', predict, '--predict-from', String(from)]);
            assert.equal(found.status, 0, found.errors);
            assert.equal(found.lines[0].error, last.test_error, `${predict} from ${from}`);
            assert.equal(found.lines[0].predict, predict);
            assert.equal(found.lines[0].predict_from, from);
            errors.add(last.test_error);
        }
    assert.ok(errors.size > 4, `the predictors are to be told apart: ${[...errors]}`);
    assert.deepEqual((await program('evaluate', [file, '--predict-from', '2'])).lines,
        (await program('evaluate', [file, '--predict-from', '2', '--predict', 'goodness'])).lines);
});

for (const [what, config, args, words] of [
    ['a read-out where there is none', {}, ['--predict', 'readout'], /cannot predict so: predict needs a read-out/],
    ['a layer that is not there', {}, ['--predict-from', '2'], /predict_from must be below the number of layers, 2/],
    ['goodness of a network without labels', { rule: 'unsupervised', readout: 'softmax', readout_from: 0, predict: 'readout' },
        ['--predict', 'goodness'], /predict an unsupervised network is shown no labels/],
    ['goodness of one that was trained by backpropagation', { rule: 'backprop', layers: [8, 4], normalize: 'none' },
        ['--predict', 'goodness'], /rule backprop has neither/],
])
    test(`evaluate does not predict by ${what}`, async () => {
        const file = path.join(home, 'unpredictable');
        const run = await train(small(config), ['--checkpoint', file]);
        assert.equal(run.status, 0, run.errors);
        assert.equal((await program('evaluate', [file])).status, 0);
        const { status, output, errors } = await program('evaluate', [file, ...args]);
        assert.equal(status, 1);
        assert.match(errors, words);
        assert.equal(errors.trim().split('\n').length, 1);
        assert.equal(output, '');
    });

/** A run that gets worse again: its rate grows beyond what is good, and the epochs after the best are judged too. */
const worsening = (fields = {}) => small({ epochs: 12, batch_size: 20, learning_rate: 0.05, schedule: 'constant', warmup: 0,
    negatives: 'random', ...fields });

test('the weights of the best epoch are kept beside the newest, over lives and in other files too', async () => {
    const file = path.join(home, 'run.safetensors'), best = path.join(home, 'run.best.safetensors');
    const elsewhere = path.join(home, 'elsewhere');
    await writeFile(best, 'of a former run, whose file was the same');
    assert.equal((await train(small({ epochs: 0 }), ['--checkpoint', file])).status, 0);
    assert.ok(!existsSync(best), 'nothing was judged');
    const config = worsening();
    const whole = await train(config, ['--checkpoint', file]);
    assert.equal(whole.status, 0, whole.errors);
    const { best: reached, last } = whole.lines.at(-1);
    assert.ok(reached.epoch < 12 && reached.test_error < last.test_error, 'it must get worse again, or this tests nothing');
    const judged = async (kept) => {
        const { lines, errors } = await program('evaluate', [kept]);
        return lines.length ? { error: lines[0].error, epoch: lines[0].epoch } : errors;
    };
    const wanted = { error: reached.test_error, epoch: reached.epoch };
    assert.deepEqual(await judged(best), wanted);
    assert.deepEqual(await judged(file), { error: last.test_error, epoch: 12 });
    assert.ok(!existsSync(`${best}.tmp`));

    /* One that goes on remembers it, there and in another file. */
    const more = await train(worsening({ epochs: 13 }), ['--resume', file, '--checkpoint', elsewhere]);
    assert.equal(more.status, 0, more.errors);
    const after = more.lines.at(-1);
    assert.ok(after.last.test_error >= reached.test_error, 'no better, or this tests nothing');
    assert.deepEqual(after.best, reached);
    assert.deepEqual(await judged(`${elsewhere}.best`), wanted);
    assert.deepEqual(await judged(best), wanted);
    const back = await train(worsening({ epochs: 13 }), ['--resume', best]);
    assert.equal(back.lines[0].resumed.epoch, reached.epoch);
    assert.equal(back.lines.at(-1).last.digest, after.last.digest);
});

test('evaluate says what it cannot evaluate on', async () => {
    const file = path.join(home, 'elsewhere');
    await train(small(), ['--checkpoint', file]);
    for (const [name, words] of [['brs', /did you mean "bars"/], ['mnist', /mnist/]]) {
        const { status, output, errors } = await program('evaluate', [file, '--dataset', name]);
        assert.equal(status, 1);
        assert.match(errors, words);
        assert.equal(errors.trim().split('\n').length, 1);
        assert.equal(output, '');
    }
});

/** A safetensors file that is whole, and of somebody else. */
function foreign() {
    const header = JSON.stringify({ weight: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, Buffer.from(header), Buffer.alloc(8)]);
}

for (const [what, make, words] of [
    ['is not there', null, /cannot be opened: No such file/],
    ['is empty', () => Buffer.alloc(0), /cut short/],
    ['is of another format', () => Buffer.from('{"epochs": 5}\n'), /no safetensors file/],
    ["is somebody else's", foreign, /is not a checkpoint of this program/],
    ['has a bit tipped', (good) => { good[good.length - 100] ^= 4; return good; }, /damaged|sum/],
    ['lacks its end', (good) => good.subarray(0, good.length - 1), /cut short|shorter|bytes/],
])
    test(`a checkpoint that ${what} is refused in one sentence`, async () => {
        const good = path.join(home, 'good'), file = path.join(home, 'bad');
        await train(small(), ['--checkpoint', good]);
        await rm(file, { force: true });
        if (make !== null)
            await writeFile(file, make(await readFile(good)));
        for (const [command, args] of [['evaluate', [file]], ['train', ['--resume', file]],
            ['train', ['--resume', file, '--checkpoint', file]]]) {
            const { status, output, errors } = await program(command, args);
            assert.equal(status, 1);
            assert.match(errors, words);
            assert.ok(errors.startsWith(`goodness ${command}: `));
            assert.ok(errors.includes(file));
            assert.equal(errors.trim().split('\n').length, 1);
            assert.equal(output, '');
        }
        if (make !== null)
            assert.deepEqual(await readFile(file), make(await readFile(good)));
    });

test('a checkpoint may be moved, and read while the run goes on', async () => {
    const file = path.join(home, 'moved'), copy = path.join(home, 'copy of it');
    await train(small(), ['--checkpoint', file]);
    await copyFile(file, copy);
    assert.equal((await program('evaluate', [copy])).lines[0].epoch, 2);
    const asked = [];
    await train(long({ epochs: 60 }), ['--checkpoint', file], {
        environment: { GOODNESS_CHECKPOINT_SECONDS: '0' },
        onLine: (count) => count % 500 === 0 && asked.push(program('evaluate', [file])),
    });
    assert.ok(asked.length > 0);
    for (const { status, errors } of await Promise.all(asked))
        assert.equal(status, 0, errors);
});

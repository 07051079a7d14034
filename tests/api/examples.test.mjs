// The example scripts of server/examples/, run as a person would run them.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { CLASSES, ended, inState, makeRun, SIDE, small, startDaemon } from './support.mjs';

const run = promisify(execFile);
const folder = path.resolve(import.meta.dirname, '../../server/examples');

let daemon;
before(async () => { daemon = await startDaemon(); });
after(() => daemon.stop());

/** Run a script to its end; { status, stdout, stderr }. */
async function example(name, args = [], environment = {}) {
    ran.add(name);
    const command = name.endsWith('.py') ? ['/usr/bin/python3', [path.join(folder, name), ...args]] : [path.join(folder, name), args];
    const env = { ...process.env, GOODNESS_URL: daemon.base, ...environment };
    try {
        return { status: 0, ...await run(...command, { env }) };
    } catch (error) {
        return { status: error.code, stdout: error.stdout, stderr: error.stderr };
    }
}
const ran = new Set();
const lines = ({ stdout }) => stdout.trimEnd().split('\n');

test('train.sh trains to the end and prints the error', async () => {
    const answer = await example('train.sh', [JSON.stringify({ name: 'by script', config: small() })]);
    assert.equal(answer.status, 0, answer.stderr);
    const last = (await daemon.json('GET', '/api/v1/runs/latest')).body;
    assert.equal(lines(answer)[0], `run ${last.id}: by script`);
    assert.match(lines(answer).at(-1), new RegExp(`^test error ${last.last.test_error * 100} %, `));
});

test('train.sh prints why a run is refused, and fails', async () => {
    const answer = await example('train.sh', ['{"config": {"epochs": -1, "dataset": "bars"}}']);
    assert.equal(answer.status, 1);
    assert.match(answer.stderr, /\/config\/epochs/);
});

test('train.sh fails when the run does', async () => {
    const answer = await example('train.sh', [JSON.stringify({ config: small({ objective: 'gap', goodness: 'sum', normalize: 'none', optimizer: 'sgd',
        learning_rate: 10, epochs: 30 }) })]);
    assert.equal(answer.status, 1, answer.stdout);
    assert.match(lines(answer).at(-2), /^failed, /);
});

test('watch.sh follows a run to its end', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 3 }));
    const answer = await example('watch.sh', [String(id)]); /* to a run that has ended it tells the end alone */
    assert.equal(answer.status, 0, answer.stderr);
    assert.equal(lines(answer).at(-1), `run ${id} is finished`);

    const long = await makeRun(daemon, small({ epochs: 1000000, evaluate_every: 1000000 }));
    await inState(daemon, long.id, 'running');
    const script = execFile(path.join(folder, 'watch.sh'), ['current'], { env: { ...process.env, GOODNESS_URL: daemon.base } });
    let text = '', stopped;
    script.stdout.on('data', (part) => {
        text += part;
        if (/^epoch /m.test(text))
            stopped ??= daemon.json('POST', `/api/v1/runs/${long.id}/stop`);
    });
    const code = await new Promise((resolve) => { script.on('close', resolve); });
    await stopped;
    assert.equal(code, 0);
    assert.match(text, new RegExp(`^epoch \\d+: error not evaluated, gaps -?[\\d.]+ -?[\\d.]+$`, 'm'));
    assert.match(text, new RegExp(`run ${long.id} is stopped\n$`));
});

test('compare.sh trains the original\'s three architectures and prints them side by side', async () => {
    const config = { dataset: 'bars', train_limit: 40, test_limit: 40, epochs: 1 };
    const answer = await example('compare.sh', [], { CONFIG: JSON.stringify(config) });
    assert.equal(answer.status, 0, answer.stderr);
    const runs = (await daemon.json('GET', '/api/v1/runs?limit=3')).body.runs.reverse();
    assert.deepEqual(runs.map((each) => [each.name, each.config.layers, each.state]), [
        ['original-compare-shallow', [200, 10], 'finished'],
        ['original-compare-medium', [500, 300, 10], 'finished'],
        ['original-compare-deep', [800, 400, 200, 10], 'finished'],
    ]);
    const { text } = await daemon.json('GET', `/api/v1/compare?runs=${runs.map((each) => each.id)}&format=text`);
    assert.equal(answer.stdout, text);
    const refused = await example('compare.sh', ['original-compare-shalow']);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /original-compare-shallow/);
});

test('sweep.sh names the value with the least error', async () => {
    const answer = await example('sweep.sh', ['learning_rate', '0.000001', '0.01', '[0.01, 0.02]'], { CONFIG: JSON.stringify(small({ epochs: 3 })) });
    assert.equal(answer.status, 0, answer.stderr);
    const { runs } = (await daemon.json('GET', '/api/v1/runs?limit=3')).body;
    assert.deepEqual(runs.map((each) => each.config.learning_rate), [[0.01, 0.02], 0.01, 0.000001]);
    const best = Math.min(...runs.map((each) => each.best.test_error));
    assert.equal(lines(answer).length, 4);
    assert.match(lines(answer).at(-1), new RegExp(`^best: learning_rate .*, error ${best}, run \\d+$`));
    assert.match((await example('sweep.sh', ['activation', 'tahn'], { CONFIG: JSON.stringify(small()) })).stderr, /tanh/);
    assert.equal((await example('sweep.sh', ['activation'])).status, 2);
});

test('predict.sh draws the image and says its label', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 20 }));
    await ended(daemon, id);
    const answer = await example('predict.sh', [String(id), '6']);
    assert.equal(answer.status, 0, answer.stderr);
    assert.deepEqual(lines(answer).slice(0, SIDE).map((line) => line.length), new Array(SIDE).fill(2 * SIDE));
    assert.match(lines(answer)[2 * (6 % CLASSES)], /^[%@]+$/); /* the bright bar of its class */
    const { body } = await daemon.json('POST', `/api/v1/runs/${id}/predict`, { sample: 6 });
    assert.match(lines(answer)[SIDE], new RegExp(`^${body.label}, and it is ${6 % CLASSES}; sure to \\d+ %, after ${body.step} steps$`));
    assert.equal(lines(answer).length, SIDE + 3);
    assert.equal((await example('predict.sh', [String(id), '9999'])).status, 1);
});

test('weights.py has the weights as the interface gives them', async (context) => {
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    const home = await mkdtemp(path.join(os.tmpdir(), 'goodness-examples-'));
    context.after(() => rm(home, { recursive: true, force: true }));
    const file = path.join(home, 'weights.npy');
    const answer = await example('weights.py', [String(id), '1', file]);
    assert.equal(answer.status, 0, answer.stderr);
    const { stdout } = await run('/usr/bin/python3', ['-c', 'import numpy, sys; print(numpy.load(sys.argv[1]).tobytes().hex())', file]);
    const whole = await daemon.request(`/api/v1/runs/${id}/layers/1/weights?count=12`);
    const bytes = await whole.arrayBuffer(), values = [...new Float32Array(bytes)];
    assert.equal(stdout.trim(), Buffer.from(bytes).toString('hex'));
    assert.ok(answer.stdout.startsWith(`12 units of ${values.length / 12} inputs, from ${Math.min(...values).toFixed(4)} to ${Math.max(...values).toFixed(4)}, `),
        answer.stdout);
});

test('every script of the folder is run, told of in its README, and says its use', async () => {
    const names = (await readdir(folder)).filter((name) => name !== 'README.md').sort();
    assert.deepEqual([...ran].sort(), names);
    const readme = await readFile(path.join(folder, 'README.md'), 'utf8');
    for (const name of names) {
        assert.ok(readme.includes(`| \`${name}`), name);
        assert.ok((await readFile(path.join(folder, name), 'utf8')).includes(`    ${name} `), name);
    }
});

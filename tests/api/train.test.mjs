// `goodness train`: its JSON Lines, for runs that cannot train too.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { small, writeDataset } from './support.mjs';

let home;
before(async () => {
    home = await mkdtemp(path.join(os.tmpdir(), 'goodness-train-'));
    await writeDataset(path.join(home, 'bars'));
});
after(() => rm(home, { recursive: true, force: true }));

/** Run it on one configuration; { status, lines, errors }. */
async function train(config, args = []) {
    const child = spawn(process.env.GOODNESS, ['train', '--data', `bars=${path.join(home, 'bars')}`, ...args, '-'],
        { env: { ...process.env, HOME: home, XDG_DATA_HOME: path.join(home, 'share') } });
    let output = '', errors = '';
    child.stdout.on('data', (data) => { output += data; });
    child.stderr.on('data', (data) => { errors += data; });
    child.stdin.end(JSON.stringify({ config }));
    const [status] = await once(child, 'close');
    return { status, output, errors };
}

const linesOf = (output) => output.trim().split('\n').map((line) => JSON.parse(line));

test('a run is a line for its start, its points, its epochs and its end', async () => {
    const { status, output, errors } = await train(small());
    const lines = linesOf(output);
    assert.equal(status, 0, errors);
    assert.equal(lines[0].event, 'start');
    assert.equal(lines[0].state, 'running');
    assert.equal(lines[0].progress.remaining, null);
    assert.equal(lines.filter((line) => line.event === 'epoch').length, 2);
    assert.equal(lines.filter((line) => line.event === 'points').flatMap((line) => line.steps).length, 80);
    assert.equal(lines.at(-1).event, 'end');
    assert.equal(lines.at(-1).state, 'finished');
    assert.equal(lines.at(-1).progress.remaining, 0);
    assert.ok(lines.every((line) => line.run === 1));
});

for (const [what, config, words] of [
    ['does not fit its data set', { validation: 400 }, /validation/],
    ['has no data set', { dataset: 'brs' }, /did you mean "bars"/],
    ['needs more memory than there is', { layers: Array(30).fill(65000) }, /GB are free/],
])
    test(`a run that ${what} has a start and an end that say so`, async () => {
        const { status, output, errors } = await train(small(config));
        assert.equal(status, 1);
        const lines = linesOf(output);
        assert.deepEqual(lines.map((line) => line.event), ['start', 'end']);
        assert.equal(lines[0].state, 'running');
        assert.equal(lines[1].state, 'failed');
        assert.match(lines[1].reason, words);
        assert.ok(lines[1].ended !== null);
        assert.match(errors, words);
        assert.equal(errors.trim().split('\n').length, 1);
    });

test('the log for people says the same', async () => {
    const { status, output } = await train(small({ validation: 400 }), ['--text']);
    assert.equal(status, 1);
    assert.match(output, /State: failed \(.*validation.*\)/);
});

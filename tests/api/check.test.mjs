// `goodness check`: a state folder that the daemon left is consistent, and every damage that is done to it is found.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { ended, endless, Events, makeRun, small, startDaemon, writeDataset } from './support.mjs';

let home, good;

/** The program's answer; { status, output, errors, lines }. */
function check(state) {
    const { status, stdout, stderr } = spawnSync(process.env.GOODNESS, ['check', '--state', state], { encoding: 'utf8' });
    return { status, output: stdout, errors: stderr, lines: stdout.trim().split('\n') };
}

function sql(state, statements) {
    execFileSync('sqlite3', [path.join(state, 'goodness.db'), statements]);
}

/** The checkpoint of a run of this configuration that has finished. */
function keep(config, file) {
    const { status, stderr } = spawnSync(process.env.GOODNESS,
        ['train', '--data', `bars=${path.join(home, 'bars')}`, '--checkpoint', file, '-'],
        { input: JSON.stringify({ config }), encoding: 'utf8' });
    assert.equal(status, 0, stderr);
}

/** Wait for some points of a run, then stop it. */
async function stopped(daemon, id) {
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until((event) => event.type === 'points');
    events.close();
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    return ended(daemon, id);
}

/* Run 1 has finished and has a checkpoint; run 2 was stopped; run 3's windows are of three steps, its epochs of 350. */
const first = small(), third = small({ batch_size: 1, train_limit: 350 });
before(async () => {
    home = await mkdtemp(path.join(os.tmpdir(), 'goodness-check-'));
    good = path.join(home, 'good');
    await writeDataset(path.join(home, 'bars'));
    const daemon = await startDaemon({ state: good });
    for (const config of [first, endless(), third]) {
        const { id } = await makeRun(daemon, config);
        await (id === 2 ? stopped(daemon, id) : ended(daemon, id));
    }
    await daemon.stop();
    await mkdir(path.join(good, 'checkpoints'), { recursive: true });
    keep(first, path.join(good, 'checkpoints', '1.safetensors'));
});
after(() => rm(home, { recursive: true, force: true }));

/** A copy of the good folder, for the time of a test. */
async function damaged(work) {
    const state = path.join(home, 'damaged');
    await cp(good, state, { recursive: true });
    try {
        await work(state);
    } finally {
        await rm(state, { recursive: true, force: true });
    }
}

test('what a daemon left is consistent, and stays as it is', async () => {
    const before = await readdir(good);
    const { status, output, errors } = check(good);
    assert.equal(output.split('\n').length, 2, output);
    assert.match(output, /^3 runs, \d+ points, [1-3] checkpoints?: all consistent\n$/);
    assert.equal(errors, '');
    assert.equal(status, 0);
    assert.deepEqual(await readdir(good), before);
});

test('what a kill left is consistent', async () => {
    const state = path.join(home, 'killed');
    const daemon = await startDaemon({ state });
    const { id } = await makeRun(daemon, endless());
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until((event) => event.type === 'epoch' && event.data.epoch >= 20);
    await daemon.kill();
    const { status, output } = check(state);
    assert.match(output, /^1 run, \d+ points, [01] checkpoints?: all consistent\n$/);
    assert.equal(status, 0);
});

test('a folder that a daemon holds is not looked into', async () => {
    const daemon = await startDaemon({ state: path.join(home, 'held') });
    const { status, output, errors } = check(daemon.state);
    assert.equal(status, 1);
    assert.equal(output, '');
    assert.match(errors, new RegExp(`in use by a daemon \\(process ${daemon.process.pid}\\)`));
    await daemon.stop();
    assert.equal(check(daemon.state).output, '0 runs, 0 points, 0 checkpoints: all consistent\n');
});

test('a folder without runs is said', () => {
    const { status, output, errors } = check(path.join(home, 'nowhere'));
    assert.equal(status, 1);
    assert.equal(output, '');
    assert.match(errors, /^goodness check: no runs are kept in .*nowhere: .*No such file/);
    assert.equal(errors.trim().split('\n').length, 1);
});

for (const [what, statements, words] of [
    ['a layer of a point is gone', 'DELETE FROM points WHERE run = 1 AND step = 20 AND layer = 1',
        /^run 1: the point of step 20 has not one row for each of 2 layers$/],
    ['a layer of the last point is gone', 'DELETE FROM points WHERE run = 1 AND step = 80 AND layer = 1',
        /^run 1: the point of step 80 has not one row for each of 2 layers$/],
    ['a layer is too many', 'UPDATE points SET layer = 2 WHERE run = 1 AND step = 20 AND layer = 1',
        /^run 1: the point of step 20 has not one row/],
    ['a point is gone', 'DELETE FROM points WHERE run = 1 AND step = 20',
        /^run 1: the point of step 20 is missing, and the checkpoint is of step 80$/],
    ['the last points are gone', 'DELETE FROM points WHERE run = 1 AND step > 70',
        /^run 1: the point of step 71 is missing, .* and so for 9 more$/],
    ['all points are gone', 'DELETE FROM points WHERE run = 1', /^run 1: the point of step 1 is missing, .* 79 more$/],
    ['a point is between two', 'UPDATE points SET step = 304 WHERE run = 3 AND step = 303',
        /^run 3: the point of step 304 ends neither a window \(of 3 steps\) nor an epoch \(of 350\)$/],
    ['a point is beyond the end', 'INSERT INTO points SELECT run, 81, layer, event, 81 / 40.0, elapsed, positive, negative,'
        + ' positive_low, positive_high, negative_low, negative_high, loss, accuracy FROM points WHERE run = 1 AND step = 80',
        /^run 1: the point of step 81 is beyond the run's 80$/],
    ['a point came too early', 'UPDATE points SET event = 0 WHERE run = 1 AND step = 50',
        /^run 1: the point of step 50 came before the one in front of it$/],
    ['a point is of another epoch', 'UPDATE points SET epoch = epoch + 1 WHERE run = 1 AND step = 30',
        /^run 1: the point of step 30 says that it is elsewhere among epochs of 40 steps$/],
    ['the first epoch is gone', 'DELETE FROM epochs WHERE run = 1 AND epoch = 1', /^run 1: epoch 2 comes after epoch 0$/],
    ['the last epoch is gone', 'DELETE FROM epochs WHERE run = 1 AND epoch = 2',
        /^run 1: its last epoch is 1, and the checkpoint has 2 done$/],
    ['an epoch ends elsewhere', 'UPDATE epochs SET step = 79 WHERE run = 1 AND epoch = 2',
        /^run 1: epoch 2 ends with step 79, not 80$/],
    ['an epoch ends beyond the end', 'UPDATE epochs SET step = 120, epoch = 3 WHERE run = 1 AND epoch = 2',
        /^run 1: epoch 3 ends with step 120, beyond the run's 80$/],
    ['a digest is cut', 'UPDATE epochs SET digest = substr(digest, 1, 70) WHERE run = 1 AND epoch = 2',
        /^run 1: the digest of epoch 2 is not one$/],
    ['a digest is another sum', "UPDATE epochs SET digest = upper(digest) WHERE run = 1 AND epoch = 2",
        /^run 1: the digest of epoch 2 is not one$/],
    ['an epoch lacks a layer', 'DELETE FROM epoch_layers WHERE run = 1 AND epoch = 2 AND layer = 0',
        /^run 1: epoch 2 has 1 of 2 layers$/],
    ['a histogram lacks an image', "UPDATE histograms SET images = images + 1 WHERE run = 1 AND epoch = 2 AND layer = 1",
        /^run 1: the histogram of epoch 2, layer 1, counts 400 positive and 400 negative of 401 images$/],
    ['a histogram is cut', "UPDATE histograms SET negative = '[1,' WHERE run = 1 AND epoch = 1 AND layer = 0",
        /^run 1: the histogram of epoch 1, layer 0, counts 400 positive and 0 negative of 400 images$/],
    ['a histogram is gone', 'DELETE FROM histograms WHERE run = 1 AND epoch = 1 AND layer = 0',
        /^run 1: the histograms of epoch 1 are of 1 of 2 layers$/],
    ['a confusion is another', 'UPDATE evaluations SET wrong = wrong + 1 WHERE run = 1',
        /^run 1: the confusion of epoch 2 has 100 images, (\d+) wrong, and counts 100 and \d+$/],
    ['a run is gone and its rows are not', 'DELETE FROM runs WHERE id = 3', /^rows of "points" that belong to no run: 468$/],
    ['a state is none', "UPDATE runs SET state = 'asleep' WHERE id = 1", /^run 1: no state is called asleep$/],
    ['a configuration is cut', "UPDATE runs SET config = '{' WHERE id = 1",
        /^run 1: its configuration cannot be used: it is not JSON$/],
    ['a configuration is another', "UPDATE runs SET config = json_set(config, '$.seed', 99) WHERE id = 1",
        /^run 1: its checkpoint is of a run with another seed$/],
    ['a configuration cannot be', "UPDATE runs SET config = json_set(config, '$.batch_size', -1) WHERE id = 1",
        /^run 1: its configuration cannot be used: batch_size must/],
    ['a run has done too much', 'UPDATE runs SET step = 81 WHERE id = 1', /^run 1: it has done 81 of 80 steps$/],
    ['a run has finished early', 'UPDATE runs SET step = 79 WHERE id = 1', /^run 1: it has finished with 79 of 80 steps$/],
    ['the checkpoint is ahead', "UPDATE runs SET state = 'stopped', step = 60 WHERE id = 1",
        /^run 1: its checkpoint is of step 80, beyond the run's 60$/],
    ['the schema is of another program', 'PRAGMA user_version = 7', /^the database has schema 7, and this program knows 1 to \d+$/],
    ['the database is of another program', 'PRAGMA application_id = 7', /goodness\.db is not a database of goodness$/],
    ['a table is gone', 'DROP TABLE epoch_layers', /^the database cannot be read: no such table: epoch_layers$/],
])
    test(`it finds that ${what}`, () => damaged((state) => {
        sql(state, statements);
        const { status, lines, errors } = check(state);
        assert.ok(lines.some((line) => words.test(line)), lines.join('\n'));
        assert.match(lines.at(-1), new RegExp(`: ${lines.length - 1} findings?$`));
        assert.equal(errors, '');
        assert.equal(status, 1);
    }));

/* As schema 2 has them; a database of that schema has them already. */
const tables = `CREATE TABLE IF NOT EXISTS checkpoints(run INTEGER PRIMARY KEY, step INTEGER, epochs INTEGER, bytes INTEGER, written INTEGER);
    CREATE TABLE IF NOT EXISTS changes(run INTEGER, step INTEGER, event INTEGER, config TEXT);
    INSERT OR REPLACE INTO checkpoints(run, step, epochs, bytes, written) VALUES(1, 80, 2, 1, 1);
    PRAGMA user_version = 2;`;

test('it knows checkpoints and changes of the second schema', () => damaged((state) => {
    sql(state, `${tables} INSERT INTO changes(run, step, event, config) VALUES(1, 40, 9, '{"learning_rate": 0.5}')`);
    const { status, output } = check(state);
    assert.equal(status, 0, output);
}));

for (const [what, statements, words] of [
    ['a checkpoint has no file', 'INSERT OR REPLACE INTO checkpoints(run, step, epochs, bytes, written) VALUES(3, 350, 1, 1, 1)',
        /^run 3: its checkpoint \(step 350\) has no file$/],
    ['a checkpoint is older than it should be', 'UPDATE checkpoints SET step = 81 WHERE run = 1',
        /^run 1: its checkpoint is of step 80, and the database says 81$/],
    ['a change is beyond the end', "INSERT INTO changes(run, step, event, config) VALUES(1, 81, 9, '{}')",
        /^run 1: a change of step 81, and it has 80 steps$/],
    ['a change is not JSON', "INSERT INTO changes(run, step, event, config) VALUES(1, 8, 9, '{')",
        /^run 1: the change of step 8 is not of live settings$/],
    ['a change is of a setting that is not live', "INSERT INTO changes(run, step, event, config) VALUES(1, 8, 9, '{\"seed\": 2}')",
        /^run 1: the change of step 8 is not of live settings$/],
])
    test(`it finds in the second schema that ${what}`, () => damaged(async (state) => {
        sql(state, `${tables} ${statements}`);
        if (what.endsWith('no file'))
            await rm(path.join(state, 'checkpoints', '3.safetensors'), { force: true });
        const { status, lines } = check(state);
        assert.deepEqual(lines.filter((line) => words.test(line)).length, 1, lines.join('\n'));
        assert.match(lines.at(-1), /: 1 finding$/);
        assert.equal(status, 1);
    }));

/** Turn a byte of a file over. */
async function tip(file, position) {
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, position);
    byte[0] ^= 1;
    await handle.write(byte, 0, 1, position);
    await handle.close();
}

for (const [what, work, words] of [
    ['a checkpoint is damaged', (folder) => tip(path.join(folder, '1.safetensors'), 5000), /^run 1: its checkpoint cannot be used: .*/],
    ["a checkpoint is another run's", (folder) => cp(path.join(folder, '1.safetensors'), path.join(folder, '3.safetensors')),
        /^run 3: its checkpoint is of a run with another [a-z_]+$/],
    ['a checkpoint belongs to nobody', (folder) => cp(path.join(folder, '1.safetensors'), path.join(folder, '99.safetensors')),
        /^checkpoints\/99\.safetensors belongs to no run$/],
    ['a write was broken off', (folder) => writeFile(path.join(folder, '1.safetensors.tmp'), 'half'),
        /^checkpoints\/1\.safetensors\.tmp was left over/],
    ['something else lies there', (folder) => writeFile(path.join(folder, 'notes.txt'), 'buy milk'),
        /^checkpoints\/notes\.txt is not a run's checkpoint$/],
])
    test(`it finds that ${what}`, () => damaged(async (state) => {
        await work(path.join(state, 'checkpoints'));
        const { status, lines } = check(state);
        assert.ok(lines.some((line) => words.test(line)), lines.join('\n'));
        assert.equal(status, 1);
    }));

test('what is left of a run that was deleted is passed over', () => damaged((state) => {
    sql(state, 'INSERT INTO removals VALUES(3); DELETE FROM points WHERE run = 3 AND step < 100');
    const { status, output } = check(state);
    assert.match(output, /^2 runs, \d+ points, [12] checkpoints?: all consistent\n$/);
    assert.equal(status, 0);
}));

test('a damaged checkpoint that was kept aside is nothing to find', () => damaged(async (state) => {
    await writeFile(path.join(state, 'checkpoints', '1.safetensors.damaged'), 'was one');
    assert.equal(check(state).status, 0);
}));

test('it finds damaged pages of the database, wherever they are', async () => {
    const size = 4096;
    const pages = Number(execFileSync('sqlite3', [path.join(good, 'goodness.db'), 'PRAGMA page_count'], { encoding: 'utf8' }));
    for (const page of [0, 1, Math.floor(pages / 2), pages - 1])
        await damaged(async (state) => {
            const handle = await open(path.join(state, 'goodness.db'), 'r+');
            await handle.write(Buffer.alloc(size, 0xA5), 0, size, page * size);
            await handle.close();
            const { status, lines, errors } = check(state);
            assert.equal(status, 1, `page ${page} of ${pages}`);
            assert.match(lines.at(-1), /: \d+ findings?$/);
            assert.equal(errors, '');
        });
    assert.ok(!existsSync(path.join(home, 'damaged')));
});

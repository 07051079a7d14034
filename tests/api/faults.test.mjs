// What goes wrong from outside: kills at any instant, full and unwritable disks, damaged files. Nothing is lost but what
// cannot be kept, and what happened is said.
//
// GOODNESS_KILLS says how many kills there are to be (20); GOODNESS_SEED repeats their instants.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';

import { assertKept, findings, historyOf, lively, place, random, seedOf, undisturbed, wasWriting } from './lives.mjs';
import { ended, endless, Events, inState, json, makeRun, small, startDaemon } from './support.mjs';

const root = process.getuid() === 0;

/**
 * One run after the other, each ended again and again by `signal` and resumed, until there were so many ends, and
 * `enough(told)` holds.
 */
async function disturb(context, { ends, signal, longest, enough = () => true }) {
    const { history, run: calm } = await undisturbed(lively());
    const latest = Math.max(10, Math.min(longest, 1000 * calm.progress.elapsed)); /* most ends are to come before the run's */
    const draw = random(seedOf(context));
    const here = await place(context);
    const told = { ends: 0, runs: 0, writing: 0, queued: 0, resumes: [], latest: 0 };
    let daemon = await here.start();

    while (told.ends < ends || !enough(told)) {
        const { id } = await makeRun(daemon, lively());
        told.runs++;
        for (let run = { state: 'queued' }; run.state !== 'finished';) {
            const wait = ended(daemon, id).catch(() => null);
            await Promise.race([wait, pass(draw(1000) / 1000 * latest)]);
            run = (await daemon.json('GET', `/api/v1/runs/${id}`)).body;
            if (run.state === 'finished')
                break;
            const began = performance.now();
            await daemon[signal]();
            await wait;
            told.latest = Math.max(told.latest, performance.now() - began);
            told.ends++;
            const writing = await wasWriting(here.state);
            told.writing += writing ? 1 : 0;
            assert.deepEqual(findings(here.state).filter((line) => !line.includes('was left over')), []);
            daemon = await here.start();
            run = (await daemon.json('GET', `/api/v1/runs/${id}`)).body;
            if (run.state === 'finished') /* just before the end came */
                break;
            if (run.state === 'queued' || run.state === 'running') { /* killed before its turn was stored: it waits on */
                told.queued++;
                continue;
            }
            assert.equal(run.state, 'interrupted');
            run = await assertKept(daemon, id, history);
            if (signal === 'stop') /* an end in order leaves nothing beyond the checkpoint */
                assert.equal(run.checkpoint?.step ?? 0, run.progress.step); /* none: ended before its trainer was there */
            const asked = performance.now();
            const events = await Events.open(daemon, '/api/v1/events');
            const answer = await daemon.json('POST', `/api/v1/runs/${id}/resume`);
            assert.equal(answer.status, 200, answer.text);
            await events.until(({ type, data }) => (type === 'points' || type === 'epoch') && data.run === id ||
                type === 'state' && data.id === id && data.state === 'finished');
            events.close();
            told.resumes.push(performance.now() - asked);
        }
        assert.deepEqual(await historyOf(daemon, id), history);
    }
    const middle = told.resumes.sort((a, b) => a - b)[Math.floor(told.resumes.length / 2)];
    context.diagnostic(`${told.ends} ends in ${told.runs} runs, ${told.writing} while a checkpoint was written, ` +
        `${told.queued} before the run's turn was stored; resume to the first figures: median ${middle.toFixed(0)} ms; ` +
        `slowest end ${told.latest.toFixed(0)} ms`);
    return told;
}

test('a daemon killed at any instant loses nothing below its checkpoint, and the run comes to the same end', async (context) => {
    const ends = Number(process.env.GOODNESS_KILLS ?? 20);
    await disturb(context, { ends, signal: 'kill', longest: 500,
        enough: ({ writing }) => ends < 20 || writing > 0 }); /* at least one while a checkpoint is written */
});

test('a daemon that is ended in order leaves a checkpoint, within 5 s, and the run comes to the same end', async (context) => {
    const told = await disturb(context, { ends: 8, signal: 'stop', longest: 400 });
    assert.equal(told.writing, 0);
    assert.ok(told.latest < 5000);
});

/** Start a daemon that is to fail; { status, errors }. */
async function fails(...args) {
    const child = spawn(process.env.GOODNESS, ['serve', '--port', '0', ...args]);
    let errors = '';
    child.stderr.on('data', (data) => { errors += data; });
    const [status] = await once(child, 'exit');
    return { status, errors };
}

test('a second daemon on a state folder says who holds it, and disturbs nobody', async (context) => {
    const here = await place(context);
    const daemon = await here.start();
    const { id } = await makeRun(daemon, endless());
    await inState(daemon, id, 'running');
    const { status, errors } = await fails('--state', here.state);
    assert.equal(status, 1);
    assert.match(errors, new RegExp(`in use by another goodness \\(process ${daemon.process.pid}\\)`));
    assert.equal(errors.trim().split('\n').length, 1);
    assert.equal((await daemon.json('GET', `/api/v1/runs/${id}`)).body.state, 'running');
});

/** A small disk of the test's own; null (and the test is skipped, which it says) without the right to mount one. */
async function disk(context, options) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'goodness-disk-'));
    const mounted = root && spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'goodness', folder]).status === 0;
    context.after(async () => {
        if (mounted)
            spawnSync('umount', ['-l', folder]);
        await rm(folder, { recursive: true, force: true });
    });
    if (mounted)
        return folder;
    context.skip('needs the right to mount a small disk');
    return null;
}

test('a folder that can only be read is refused with what to do', async (context) => {
    let folder;
    if (root) {
        folder = await disk(context, 'size=1m,ro');
        if (folder === null)
            return;
    } else {
        folder = await mkdtemp(path.join(os.tmpdir(), 'goodness-readonly-'));
        await chmod(folder, 0o500);
        context.after(() => rm(folder, { recursive: true, force: true }));
    }
    for (const state of [folder, path.join(folder, 'below')]) {
        const { status, errors } = await fails('--state', state);
        assert.equal(status, 1);
        assert.match(errors, /cannot be (written|made)/);
        assert.match(errors, /name another/);
        assert.equal(errors.trim().split('\n').length, 1);
    }
});

/** Wait until the daemon says that it is ready, or is not; by asking, since nothing else tells. */
async function untilReady(daemon, status) {
    for (let i = 0; i < 1800; i++) {
        const answer = await daemon.json('GET', '/readyz');
        if (answer.status === status)
            return answer;
        await pass(100);
    }
    throw new Error(`/readyz does not say ${status}`);
}

test('on a full disk training goes on, and when there is room again all is as before', async (context) => {
    const folder = await disk(context, 'size=12m');
    if (folder === null)
        return;
    const daemon = await startDaemon({ state: folder, environment: { GOODNESS_CHECKPOINT_SECONDS: '0' } });
    context.after(() => daemon.stop());
    const { id } = await makeRun(daemon, endless({ layers: [64, 48], batch_size: 100 }));
    await inState(daemon, id, 'running');
    const filler = path.join(folder, 'filler');
    const file = await open(filler, 'w');
    for (let room = true; room;)
        room = await file.write(Buffer.alloc(65536)).then(() => true, () => false);
    await file.close();
    const trouble = await untilReady(daemon, 503);
    assert.match(trouble.body.detail, /disk is full/);
    const during = (await daemon.json('GET', `/api/v1/runs/${id}`)).body;
    assert.equal(during.state, 'running');
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    const full = (await events.until(({ type, data }) => type === 'state' && data.progress.step > during.progress.step &&
        data.warnings.some((warning) => /checkpoint could not be written/.test(warning)))).at(-1).data;
    assert.equal(full.state, 'running');

    await rm(filler);
    await untilReady(daemon, 200);
    await events.until(({ type, data }) => type === 'state' && data.checkpoint?.step > full.progress.step);
    events.close();
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    const run = await ended(daemon, id);
    assert.equal(run.state, 'stopped');
    assert.equal(run.checkpoint.step, run.progress.step);
    assert.match(run.warnings.join('\n'), /points of the series may be missing/);
    const log = await daemon.logged(/warning the database cannot be written.*the disk is full[^]*info the database is written again/);
    assert.ok(log.match(/the database cannot be written/g).length <= 3, 'it is said when it begins');
    assert.equal((await daemon.json('DELETE', `/api/v1/runs/${id}`)).status, 204);
    assert.deepEqual(await readdir(path.join(folder, 'checkpoints')), []);
});

/** Turn a bit in the middle of a file over. */
async function tip(file) {
    const handle = await open(file, 'r+');
    const { size } = await handle.stat();
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, Math.floor(size / 2));
    byte[0] ^= 16;
    await handle.write(byte, 0, 1, Math.floor(size / 2));
    await handle.close();
}

test('a damaged checkpoint is said and kept aside, and the run can begin anew to the same end', async (context) => {
    const config = lively({ epochs: 50, schedule: 'constant', warmup: 0 }); /* the same at any number of epochs */
    const { history } = await undisturbed(config);
    const here = await place(context);
    const daemon = await here.start();
    const { id } = await makeRun(daemon, config);
    const finished = await ended(daemon, id);
    const folder = path.join(here.state, 'checkpoints');
    await tip(path.join(folder, `${id}.safetensors`));

    const asked = await daemon.json('POST', `/api/v1/runs/${id}/predict`, { sample: 1 });
    assert.equal(asked.status, 409);
    assert.match(asked.body.detail, /damaged/);
    await daemon.json('POST', `/api/v1/runs/${id}/resume`, { epochs: 10 });
    const failed = await ended(daemon, id);
    assert.equal(failed.state, 'failed');
    assert.match(failed.reason, new RegExp(`kept aside as checkpoints/${id}\\.safetensors\\.damaged`));
    assert.equal(failed.checkpoint, null);
    assert.deepEqual(await readdir(folder), [`${id}.safetensors.damaged`]);
    assert.deepEqual((await historyOf(daemon, id)).steps, history.steps); /* what was measured stays */
    assert.equal((await daemon.request(`/api/v1/runs/${id}/checkpoint`)).status, 404);

    await daemon.json('POST', `/api/v1/runs/${id}/resume`);
    const again = await ended(daemon, id);
    assert.equal(again.state, 'finished');
    const now = await historyOf(daemon, id);
    assert.equal(now.epochs.length, 60);
    assert.deepEqual(now.epochs.slice(0, 50), history.epochs);
    assert.equal(finished.last.digest, history.epochs[49].digest);
});

test('a damaged database is said and left as it is', async (context) => {
    const here = await place(context);
    let daemon = await here.start();
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    await daemon.stop();
    const file = path.join(here.state, 'goodness.db');
    const sound = await readFile(file);
    const broken = Buffer.from(sound);
    broken.fill(0x5a, 4096, 12288);
    await writeFile(file, broken);
    const { status, errors } = await fails('--state', here.state);
    assert.equal(status, 1);
    assert.match(errors, /damaged/);
    assert.deepEqual(await readFile(file), broken);
    await writeFile(file, sound);
    daemon = await here.start();
    assert.equal((await daemon.json('GET', `/api/v1/runs/${id}`)).body.state, 'finished');
});

/** A safetensors file, by its public description: { metadata, tensors: name -> { shape, values } }. */
function readSafetensors(bytes) {
    const length = Number(bytes.readBigUInt64LE(0));
    const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.subarray(8, 8 + length).toString());
    for (const tensor of Object.values(tensors)) {
        const [from, to] = tensor.data_offsets;
        const data = bytes.subarray(8 + length + from, 8 + length + to);
        if (tensor.dtype === 'F32')
            tensor.values = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
    }
    return { metadata, tensors };
}

test('a checkpoint that was downloaded is the file, and its weights are those that are told', async (context) => {
    const here = await place(context);
    const daemon = await here.start();
    const { id } = await makeRun(daemon, small());
    const run = await ended(daemon, id);
    const copy = path.join(here.state, 'copy.safetensors');
    const headers = execFileSync('curl', ['-sS', '-D', '-', '-o', copy, `${daemon.base}/api/v1/runs/${id}/checkpoint`], { encoding: 'utf8' });
    assert.match(headers, /^HTTP\/1.1 200/);
    assert.match(headers, new RegExp(`content-disposition: attachment; filename="goodness-run-${id}.safetensors"`, 'i'));
    const bytes = await readFile(copy);
    assert.equal(bytes.length, run.checkpoint.bytes);
    assert.deepEqual(bytes, await readFile(path.join(here.state, 'checkpoints', `${id}.safetensors`)));

    const { metadata, tensors } = readSafetensors(bytes);
    assert.equal(JSON.parse(metadata.standing).step, run.progress.step);
    for (const layer of [0, 1]) {
        const { shape, values } = tensors[`layer.${layer}.weights`];
        const answer = await daemon.request(`/api/v1/runs/${id}/layers/${layer}/weights?unit=3&count=4`);
        assert.equal(answer.headers.get('x-shape'), `4,${shape[0]}`);
        const told = new Float32Array(await answer.arrayBuffer());
        for (let unit = 0; unit < 4; unit++)
            for (let input = 0; input < shape[0]; input++)
                assert.equal(told[unit * shape[0] + input], values[input * shape[1] + 3 + unit]);
    }
    const judged = spawnSync(process.env.GOODNESS, ['evaluate', copy, '--data', `bars=${path.join(daemon.home, 'bars')}`], { encoding: 'utf8' });
    assert.equal(judged.status, 0, judged.stderr);
    assert.equal(JSON.parse(judged.stdout).error, run.last.test_error);
    assert.equal((await stat(path.join(here.state, 'checkpoints'))).mode & 0o777, 0o700);
});

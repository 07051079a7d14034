// lives.mjs - a run over several lives of the daemon: killed, started again, resumed, and compared with one left alone.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { ended, makeRun, small, startDaemon } from './support.mjs';

/** Whole numbers that look random and repeat with the seed (mulberry32). */
export function random(seed) {
    let state = seed >>> 0;
    return (below) => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) % below;
    };
}

/** The seed of a test's instants; said, so that a failure can be had again. */
export function seedOf(context) {
    const seed = Number(process.env.GOODNESS_SEED ?? Date.now() % 1e9);
    context.diagnostic(`GOODNESS_SEED=${seed}`);
    return seed;
}

/** Four steps an epoch, a point each; checkpoints at every epoch's end. */
export const lively = (fields = {}) => small({ layers: [48, 32], batch_size: 100, epochs: 800, ...fields });
export const often = { GOODNESS_CHECKPOINT_SECONDS: '0' };

/** A state folder of the test's own, and daemons on it, ended and removed with the test. */
export async function place(context, options = {}) {
    const state = await mkdtemp(path.join(os.tmpdir(), 'goodness-lives-'));
    const here = {
        state,
        daemon: null,
        start: async (more = {}) => (here.daemon = await startDaemon({ state, environment: often, ...options, ...more })),
    };
    context.after(async () => {
        await here.daemon?.stop();
        await rm(state, { recursive: true, force: true });
    });
    return here;
}

/** What a run has told so far, without what was timed: { epochs, steps, layers }. */
export async function historyOf(daemon, id) {
    const { epochs } = (await daemon.json('GET', `/api/v1/runs/${id}/epochs`)).body;
    const points = (await daemon.json('GET', `/api/v1/runs/${id}/metrics?max_points=10000`)).body;
    assert.equal(points.downsampled, false);
    return {
        epochs: epochs.map(({ elapsed, evaluating, ...row }) => row),
        steps: points.steps,
        layers: points.layers,
    };
}

/** A history up to so many steps. */
export function until(history, step) {
    const count = history.steps.findIndex((each) => each > step);
    const cut = (column) => (Array.isArray(column) && count >= 0 ? column.slice(0, count) : column);
    return {
        epochs: history.epochs.filter((row) => row.step <= step),
        steps: cut(history.steps),
        layers: history.layers.map((layer) => Object.fromEntries(Object.entries(layer).map(([name, column]) => [name, cut(column)]))),
    };
}

/** The history of such a run that nobody disturbed, and how long it took. */
export async function undisturbed(config) {
    const daemon = await startDaemon();
    const { id } = await makeRun(daemon, config);
    const run = await ended(daemon, id);
    const history = await historyOf(daemon, id);
    await daemon.stop();
    assert.equal(run.state, 'finished');
    return { history, run };
}

/** What `goodness check` finds in the folder that no daemon holds. */
export function findings(state) {
    const { stdout, status } = spawnSync(process.env.GOODNESS, ['check', '--state', state], { encoding: 'utf8' });
    const lines = stdout.trim().split('\n');
    assert.ok(status === 0 || lines.length > 1, stdout);
    return lines.slice(0, -1);
}

/** Whether the end of a daemon fell into the writing of a checkpoint. */
export async function wasWriting(state) {
    return (await readdir(path.join(state, 'checkpoints'))).some((name) => name.endsWith('.tmp'));
}

/**
 * After an end: nothing there twice, nothing missing below the checkpoint, all of it as in the run that was left alone.
 * Returns the run.
 */
export async function assertKept(daemon, id, whole) {
    const run = (await daemon.json('GET', `/api/v1/runs/${id}`)).body;
    const history = await historyOf(daemon, id);
    const last = history.steps.at(-1) ?? 0;
    const kept = run.checkpoint ?? { step: 0, epoch: 0 };

    assert.deepEqual(history.epochs.map((row) => row.epoch), history.epochs.map((_, i) => i + 1));
    assert.deepEqual(history.steps, history.steps.map((_, i) => i + 1));
    assert.ok(last >= kept.step, `points up to ${last}, and a checkpoint of step ${kept.step}`);
    assert.ok(history.epochs.length >= kept.epoch, `${history.epochs.length} epochs, and a checkpoint after ${kept.epoch}`);
    const expected = until(whole, last);
    assert.deepEqual(history.steps, expected.steps);
    assert.deepEqual(history.layers, expected.layers);
    assert.deepEqual(history.epochs, expected.epochs.slice(0, history.epochs.length));
    return run;
}

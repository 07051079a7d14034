// What a start finds: runs that waited, data sets that are gone, and readers who were told more than was kept.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { ended, endless, Events, inState, makeRun, small, startDaemon } from './support.mjs';

/** A state folder of the test's own; `start` starts a daemon on it, which is stopped at the end. */
async function place(context) {
    const state = await mkdtemp(path.join(os.tmpdir(), 'goodness-state-'));
    let daemon;
    context.after(async () => {
        await daemon?.stop();
        await rm(state, { recursive: true, force: true });
    });
    return {
        start: async (options = {}) => {
            daemon = await startDaemon({ state, ...options });
            return daemon;
        },
    };
}

for (const how of ['stop', 'kill'])
    test(`runs that wait when the daemon ends (${how}) train after the next start, in their order`, async (context) => {
        const { start } = await place(context);
        let daemon = await start();
        const first = await makeRun(daemon, endless());
        await inState(daemon, first.id, 'running');
        const waiting = [];
        for (let i = 0; i < 3; i++)
            waiting.push((await makeRun(daemon, small({ seed: i }), { name: `waits ${i}` })).id);
        await daemon[how]();

        daemon = await start();
        assert.equal((await daemon.json('GET', `/api/v1/runs/${first.id}`)).body.state, 'interrupted');
        const runs = [];
        for (const id of waiting)
            runs.push(await ended(daemon, id));
        assert.deepEqual(runs.map((run) => [run.state, run.name, run.config.seed]),
            [0, 1, 2].map((i) => ['finished', `waits ${i}`, i]));
        for (let i = 1; i < 3; i++)
            assert.ok(Date.parse(runs[i].started) >= Date.parse(runs[i - 1].ended));
    });

test('a run that waited for a data set that is gone fails at its turn, and says so', async (context) => {
    const { start } = await place(context);
    let daemon = await start();
    const first = await makeRun(daemon, endless());
    await inState(daemon, first.id, 'running');
    const { id } = await makeRun(daemon, small());
    await daemon.stop();

    daemon = await start({ named: false });
    const run = await ended(daemon, id);
    assert.equal(run.state, 'failed');
    assert.match(run.reason, /there is no data set "bars"/);
});

test('a reader who was told more than a killed daemon kept is told from where to ask', async (context) => {
    const { start } = await place(context);
    let lost = 0;
    for (let i = 0; i < 6 && lost === 0; i++) {
        let daemon = await start();
        const { id } = await makeRun(daemon, endless());
        const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
        let last;
        for (let points = 0; points < 3;) {
            last = await events.next();
            points += last.type === 'points' ? 1 : 0;
        }
        await daemon.kill();
        events.close();

        daemon = await start();
        const { next } = (await daemon.json('GET', `/api/v1/runs/${id}/metrics`)).body;
        for (const where of [`/api/v1/runs/${id}/events`, '/api/v1/events']) {
            const again = await Events.open(daemon, where, { 'Last-Event-ID': last.id });
            if (next < last.data.steps.at(-1)) {
                lost++;
                const first = await again.next();
                assert.equal(first.type, 'dropped');
                assert.deepEqual(first.data, { run: id, after: next });
                assert.equal(first.id, undefined);
            } else if (where !== '/api/v1/events') {
                assert.equal((await again.next()).type, 'state');
            }
            again.close();
        }
        await daemon.stop();
    }
    assert.ok(lost > 0, 'no kill came before what was told was committed');
});

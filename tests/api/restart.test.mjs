// What a start finds: runs that waited, data sets that are gone, and readers who were told more than was kept; and the service
// manager that is told of it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
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
        state,
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

/** Nobody else can write to the database before this is let go of. */
async function holdDatabase(state) {
    const holder = spawn('sqlite3', [path.join(state, 'goodness.db')], { stdio: ['pipe', 'pipe', 'inherit'] });

    holder.stdin.write(".timeout 60000\nBEGIN IMMEDIATE;\nSELECT 'held';\n");
    const [text] = await once(holder.stdout, 'data');
    assert.equal(String(text).trim(), 'held');
    return async () => {
        holder.stdin.end();
        await once(holder, 'exit');
    };
}

test('a reader who was told more than a killed daemon kept is told from where to ask', async (context) => {
    const { start, state } = await place(context);
    let daemon = await start();
    const { id } = await makeRun(daemon, endless());
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until((event) => event.type === 'points');
    const letGo = await holdDatabase(state);
    const { progress } = (await daemon.json('GET', `/api/v1/runs/${id}`)).body;
    const last = (await events.until((event) => event.type === 'points' && event.data.steps.at(-1) > progress.step)).at(-1);
    await daemon.kill();
    events.close();
    await letGo();

    daemon = await start();
    const { next } = (await daemon.json('GET', `/api/v1/runs/${id}/metrics`)).body;
    assert.ok(next < last.data.steps.at(-1));
    for (const where of [`/api/v1/runs/${id}/events`, '/api/v1/events']) {
        const again = await Events.open(daemon, where, { 'Last-Event-ID': last.id });
        const first = await again.next();
        assert.equal(first.type, 'dropped');
        assert.deepEqual(first.data, { run: id, after: next });
        assert.equal(first.id, undefined);
        again.close();
    }
});

test('a reader who was told no more than a killed daemon kept goes on without a gap', async (context) => {
    const { start } = await place(context);
    let daemon = await start();
    const { id } = await makeRun(daemon, endless());
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    const last = (await events.until((event) => event.type === 'points')).at(-1);
    for (let kept = 0; kept < last.data.steps.at(-1);)
        kept = (await daemon.json('GET', `/api/v1/runs/${id}/metrics`)).body.next;
    await daemon.kill();
    events.close();

    daemon = await start();
    const again = await Events.open(daemon, `/api/v1/runs/${id}/events`, { 'Last-Event-ID': last.id });
    assert.notEqual((await again.next()).type, 'dropped');
    again.close();
});

/** What a service manager hears: its socket, and the datagrams as they come, a line each. */
async function manager(context) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'goodness-manager-')), socket = path.join(folder, 'notify');
    const child = spawn('/usr/bin/python3', ['-uc', `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("here")
while True:
    print(listener.recv(4096).decode().replace("\\n", " "))
`, socket]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    context.after(async () => {
        child.kill();
        await rm(folder, { recursive: true });
    });
    assert.equal((await lines.next()).value, 'here');
    return { socket, heard: async () => (await lines.next()).value };
}

test('a service manager hears when the daemon listens and where, and when it ends', { timeout: 120000 }, async (context) => {
    const { start } = await place(context), { socket, heard } = await manager(context);
    const daemon = await start({ environment: { NOTIFY_SOCKET: socket } });
    assert.equal(await heard(), `READY=1 STATUS=listening on ${daemon.base}`);
    await daemon.stop();
    assert.match(await heard(), /^STOPPING=1 STATUS=/);
});

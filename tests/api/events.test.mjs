// Server-Sent Events: nothing missing, nothing doubled, over lost connections and restarts.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { ended, endless, Events, inState, makeRun, small, startDaemon, stopAll } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
afterEach(() => stopAll(daemon));
after(() => daemon.stop());

const stepsOf = (events) => events.filter((event) => event.type === 'points').flatMap((event) => event.data.steps);
const count = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('a run is followed from its queue to its end', async () => {
    const blocker = await makeRun(daemon, endless());
    const { id } = await makeRun(daemon, small());
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    assert.match(events.response.headers.get('content-type'), /^text\/event-stream/);
    const first = await events.next();
    assert.equal(first.type, 'state');
    assert.equal(first.data.state, 'queued');

    await daemon.json('POST', `/api/v1/runs/${blocker.id}/stop`);
    const rest = await events.rest();
    assert.equal(rest.at(-1).type, 'state');
    assert.equal(rest.at(-1).data.state, 'finished');
    assert.deepEqual(stepsOf(rest), count(1, 80));
    assert.deepEqual(rest.filter((event) => event.type === 'epoch').map((event) => event.data.epoch), [1, 2]);
    for (const event of rest) {
        assert.equal(event.type === 'state' ? event.data.id : event.data.run, id);
        assert.ok(Number(event.id) > Number(first.id ?? 0)); /* others may have been under way when it was opened */
    }
    const numbers = rest.map((event) => Number(event.id));
    assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
});

test('the stream of a run that has ended sends its state and ends', async () => {
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    const all = await (await Events.open(daemon, `/api/v1/runs/${id}/events`)).rest();
    assert.equal(all.length, 1);
    assert.equal(all[0].data.state, 'finished');
});

test('points keep coming while a run trains', async () => {
    const { id } = await makeRun(daemon, endless());
    const events = await Events.open(daemon, `/api/v1/runs/${id}/events`);
    await events.until((event) => event.type === 'points');
    const again = await events.until((event) => event.type === 'points');
    assert.ok(again.length > 0);
    events.close();
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    await ended(daemon, id);
});

test('a reader who comes back again and again misses no point and gets none twice', async () => {
    const { id } = await makeRun(daemon, small({ epochs: 40, evaluate_every: 40 }));
    const seen = [];
    let last, turns = 0;
    for (;;) {
        const events = await Events.open(daemon, `/api/v1/runs/${id}/events`,
            last === undefined ? { 'Last-Event-ID': '0' } : { 'Last-Event-ID': last });
        let got = 0, event;
        while (got < 3 && (event = await events.next()) !== null) {
            if (event.type === 'state')
                continue;
            got++;
            seen.push(event);
            last = event.id;
        }
        events.close();
        turns++;
        if (event === null)
            break;
    }
    assert.ok(turns > 2);
    assert.deepEqual(stepsOf(seen), count(1, 1600));
    assert.deepEqual(seen.filter((event) => event.type === 'epoch').map((event) => event.data.epoch), count(1, 40));
});

test('the stream of all runs names the run of each event', async () => {
    const events = await Events.open(daemon, '/api/v1/events');
    const first = await makeRun(daemon, small({ epochs: 1 }));
    const second = await makeRun(daemon, small({ epochs: 1 }));
    const all = await events.until((event) =>
        event.type === 'state' && event.data.id === second.id && event.data.state === 'finished');
    events.close();
    for (const { id } of [first, second]) {
        const own = all.filter((event) => event.data.run === id || event.data.id === id);
        assert.deepEqual(stepsOf(own), count(1, 40));
        assert.equal(own.filter((event) => event.type === 'epoch').length, 1);
        assert.equal(own.at(-1).data.state, 'finished');
    }
});

test('an idle stream says that it is alive, at least every 15 seconds', async () => {
    const events = await Events.open(daemon, '/api/v1/events');
    assert.match(await events.block(), /^:/); /* the greeting */
    const started = performance.now();
    let block;
    do {
        block = await events.block();
    } while (!block.startsWith(':'));
    assert.ok(performance.now() - started < 25000); /* a busy machine may be late */
    events.close();
});

test('after a restart a reader gets what was missed, and the run that was cut off is interrupted', async (context) => {
    const state = await mkdtemp(path.join(os.tmpdir(), 'goodness-state-'));
    let own = await startDaemon({ state });
    context.after(async () => {
        await own.stop();
        await rm(state, { recursive: true, force: true });
    });
    const done = await makeRun(own, small());
    await ended(own, done.id);
    const { id } = await makeRun(own, small({ layers: [256, 256], epochs: 2500, evaluate_every: 2500 })); /* a point a step */
    const events = await Events.open(own, `/api/v1/runs/${id}/events`);
    const before = await events.until((event) => event.type === 'points');
    const last = before.at(-1);
    const more = await events.until((event) => event.type === 'points' && event.data.steps[0] > 800);
    const seen = stepsOf(more).at(-1);
    events.close();
    await own.stop();

    own = await startDaemon({ state });
    const run = (await own.json('GET', `/api/v1/runs/${id}`)).body;
    assert.equal(run.state, 'interrupted');
    assert.equal((await own.json('GET', `/api/v1/runs/${done.id}`)).body.state, 'finished');
    const again = await Events.open(own, `/api/v1/runs/${id}/events`, { 'Last-Event-ID': last.id });
    const all = await again.rest();
    const steps = stepsOf(all);
    assert.equal(all[0].type, 'state');
    assert.ok(steps.length > 300, 'the replay takes several events');
    assert.deepEqual(steps, count(stepsOf(before).at(-1) + 1, steps.at(-1)));
    assert.ok(steps.at(-1) >= seen);

    const everything = await Events.open(own, '/api/v1/events', { 'Last-Event-ID': '1' });
    const replay = await everything.until((event) => event.type === 'points' && event.data.run === id &&
        event.data.steps.at(-1) === steps.at(-1));
    everything.close();
    assert.deepEqual(stepsOf(replay.filter((event) => event.data.run === done.id)), count(1, 80));
    assert.deepEqual(stepsOf(replay.filter((event) => event.data.run === id)), count(1, steps.at(-1)));
});

test('the end of the daemon ends streams and waiting requests', async (context) => {
    const own = await startDaemon();
    context.after(() => own.stop());
    const { id } = await makeRun(own, endless());
    await inState(own, id, 'running');
    const events = await Events.open(own, '/api/v1/events');
    await events.next();
    const waiting = own.json('GET', `/api/v1/runs/${id}?wait=300`);
    const second = await Events.open(own, `/api/v1/runs/${id}/events`);
    await second.next();
    const stopped = own.stop();
    await events.rest();
    await second.rest();
    assert.equal((await waiting).status, 200);
    await stopped;
});

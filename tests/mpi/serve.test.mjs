// `mpirun -n N goodness serve`: rank 0 is the daemon, the others have stages, run after run; questions, weights and
// knobs go through the line; ranks that die, in training and while nothing trains.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { begin, linesOf, makeFolder, run, startDaemon, unable, untilEvent } from './support.mjs';

const config = { dataset: 'bars', batch_size: 20, epochs: 3, layers: [24, 20, 16], negatives: 'hard' };
const endless = { ...config, epochs: 900000, evaluate_every: 900000 };

async function make(daemon, fields) {
    const answer = await daemon.json('POST', '/api/v1/runs', fields);
    assert.equal(answer.status, 201, answer.text);
    return answer.body.id;
}

async function ended(daemon, id) {
    for (;;) {
        const { body } = await daemon.json('GET', `/api/v1/runs/${id}?wait=300`);
        if (!['queued', 'running', 'paused'].includes(body.state))
            return body;
    }
}

/** The digest after the last epoch, of one process alone. */
async function digestAlone(fields) {
    const place = await makeFolder({ alone: { config: fields } });
    const result = await run(0, ['train', place.file('alone.json'), ...place.data]);
    await place.remove();
    return linesOf(result, 'epoch').at(-1).digest;
}

test('runs train on all ranks one after the other, and show where', async () => {
    const daemon = await startDaemon(3);
    const digest = await digestAlone(config);
    for (const stages of [3, 2, 1]) {
        const run = await ended(daemon, await make(daemon, { config, placement: { stages } }));
        assert.equal(run.state, 'finished', run.reason);
        assert.equal(run.last.digest, digest);
        assert.equal(run.placement.stages, stages);
        assert.equal(run.placement.ranks, stages > 1 ? stages : undefined);
        assert.equal(run.placement.bytes_per_sample > 0, stages > 1);
    }
    const { body: stored } = await daemon.json('GET', '/api/v1/runs/1');
    assert.equal(stored.placement.ranks, 3);
    const result = await daemon.stop();
    assert.equal(result.status, 0, result.errors);
});

test('predictions, weights, knobs, pauses and the timeline reach layers on other ranks while it trains', async () => {
    const daemon = await startDaemon(3);
    const id = await make(daemon, { config: endless, placement: { stages: 3 } });
    await untilEvent(daemon.base, id, (event) => event === 'points');
    const predicted = await daemon.json('POST', `/api/v1/runs/${id}/predict`, { sample: 3, split: 'test' });
    assert.equal(predicted.status, 200, predicted.text);
    assert.equal(predicted.body.goodness.length, 3);
    for (const row of predicted.body.goodness)
        assert.ok(row.every((value) => value > 0));
    const weights = await fetch(`${daemon.base}/api/v1/runs/${id}/layers/2/weights?unit=0&count=16`);
    assert.equal(weights.headers.get('x-shape'), '16,20');
    const values = new Float32Array(await weights.arrayBuffer());
    assert.ok(values.some((value) => value !== 0));
    const turned = await daemon.json('PATCH', `/api/v1/runs/${id}`, { config: { learning_rate: 0.0001 } });
    assert.equal(turned.status, 200, turned.text);
    assert.equal(turned.body.changes.length, 1);
    await daemon.json('POST', `/api/v1/runs/${id}/pause`);
    await untilEvent(daemon.base, id, (event, data) => event === 'state' && data.state === 'paused');
    const timeline = await (await fetch(`${daemon.base}/api/v1/runs/${id}/timeline`)).json();
    const spans = timeline.traceEvents.filter((event) => event.ph === 'X');
    assert.deepEqual([...new Set(spans.map((span) => span.tid))].length, 3);
    assert.ok(spans.every((span) => span.dur >= 0 && span.ts >= 0));
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    const run = await ended(daemon, id);
    assert.equal(run.state, 'stopped');
    assert.equal(run.checkpoint.step, run.progress.step); /* gathered through the line */
    await daemon.stop();
});

test('a checkpoint that was gathered over ranks goes on on another number of them with the same bits', async () => {
    const long = { ...config, epochs: 60 };
    const daemon = await startDaemon(3);
    const id = await make(daemon, { config: long, placement: { stages: 3 } });
    await untilEvent(daemon.base, id, (event) => event === 'points');
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    assert.equal((await ended(daemon, id)).state, 'stopped');
    await daemon.json('POST', `/api/v1/runs/${id}/resume`, { placement: { stages: 2 } });
    const run = await ended(daemon, id);
    assert.equal(run.state, 'finished', run.reason);
    assert.equal(run.placement.ranks, 2);
    assert.equal(run.last.digest, await digestAlone(long));
    await daemon.stop();
});

test('a rank killed in training interrupts the run; the daemon lives, and the others go on with it', { skip: unable }, async () => {
    const daemon = await startDaemon(3);
    const id = await make(daemon, { config: endless, placement: { stages: 3 } });
    await untilEvent(daemon.base, id, (event) => event === 'epoch');
    process.kill(await daemon.rank(1), 'SIGKILL');
    const broken = await ended(daemon, id);
    assert.equal(broken.state, 'interrupted');
    assert.match(broken.reason, /^rank 1 \(on .*\) does not answer any more/);
    assert.notEqual(broken.checkpoint, null);
    await daemon.until(/rank 1 does not answer any more/, 'errors');
    assert.equal((await fetch(`${daemon.base}/healthz`)).status, 200);
    const resumed = await daemon.json('POST', `/api/v1/runs/${id}/resume`, { placement: { stages: 3 } });
    assert.equal(resumed.status, 200, resumed.text);
    await untilEvent(daemon.base, id, (event) => event === 'points');
    await daemon.json('POST', `/api/v1/runs/${id}/stop`);
    const run = await ended(daemon, id);
    assert.equal(run.placement.ranks, 2);
    const short = await ended(daemon, await make(daemon, { config, placement: { stages: 3 } }));
    assert.equal(short.last.digest, await digestAlone(config));
    await daemon.stop();
});

/** Seconds in which this process was not let work when it wanted to, until it is asked: as ranks count a silence, what is
 *  beyond a tenth of a second between two looks. */
function watchStandstills() {
    let before = performance.now(), stood = 0;
    const look = () => {
        const now = performance.now();
        stood += Math.max(0, now - before - 100) / 1000;
        before = now;
    };
    const timer = setInterval(look, 20);
    return () => { look(); clearInterval(timer); return stood; };
}

/* Promised are 10 seconds, of which 8 are the silence after which a rank is lost. Both sides of the comparison are the
 * clock of this machine: when the process was killed, and when the daemon says that the run ended. What a slow machine may
 * add is time in which the daemon, or this test, was not let work; each says how much that was, and it is allowed
 * for. So a daemon that takes longer by itself fails on any machine, and a machine that stands still fails nobody. */
test('a run whose rank was killed is interrupted within ten seconds of a machine that works', { skip: unable }, async () => {
    const daemon = await startDaemon(2);
    const id = await make(daemon, { config: endless, placement: { stages: 2 } });
    await untilEvent(daemon.base, id, (event) => event === 'points');
    const pid = await daemon.rank(1), standstills = watchStandstills(), killed = Date.now();
    process.kill(pid, 'SIGKILL');
    const broken = await ended(daemon, id);
    const stood = standstills(), passed = (Date.parse(broken.ended) - killed) / 1000;
    assert.equal(broken.state, 'interrupted');
    const [, silent, watched] = (await daemon.until(/nothing was heard of it for ([\d.]+) s, in ([\d.]+) of which/, 'errors')).map(Number);
    assert.ok(watched <= 8.2, `lost after ${watched} s`); /* looks are a tenth of a second apart at most; MPI may know earlier */
    assert.ok(passed <= 10 + (silent - watched) + stood, `${passed} s, with ${silent} s of silence, ${watched} s watched, ${stood} s stood`);
    await daemon.stop();
});

test('where the launcher ends all ranks with the killed one, the run goes on when the daemon is started again', async () => {
    const daemon = await startDaemon(3, { recovery: false });
    const id = await make(daemon, { config: endless, placement: { stages: 3 } });
    await untilEvent(daemon.base, id, (event) => event === 'epoch');
    process.kill(await daemon.rank(2), 'SIGKILL');
    await daemon.ended;
    const again = await startDaemon(2, { place: daemon.place });
    const found = await ended(again, id);
    assert.equal(found.state, 'interrupted');
    assert.notEqual(found.checkpoint, null);
    const resumed = await again.json('POST', `/api/v1/runs/${id}/resume`, { placement: { stages: 2 } });
    assert.equal(resumed.status, 200, resumed.text);
    await untilEvent(again.base, id, (event) => event === 'points');
    await again.stop();
});

test('a rank killed while nothing trains is left out of the next run', { skip: unable }, async () => {
    const daemon = await startDaemon(4);
    process.kill(await daemon.rank(2), 'SIGKILL');
    const run = await ended(daemon, await make(daemon, { config, placement: { stages: 4 } }));
    assert.equal(run.state, 'finished', run.reason);
    assert.equal(run.placement.ranks, 3);
    assert.equal(run.last.digest, await digestAlone(config));
    await daemon.stop();
});

/** Processor time of a process in clock ticks. */
const ticks = async (pid) => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ').slice(13, 15)
    .reduce((sum, value) => sum + Number(value), 0);

test('ranks that have nothing to do leave the processor alone', async () => {
    const daemon = await startDaemon(3);
    await ended(daemon, await make(daemon, { config, placement: { stages: 3 } }));
    const pid = await daemon.rank(2), before = await ticks(pid);
    const answer = await daemon.json('GET', '/api/v1/runs/1'); /* ended: nothing trains */
    assert.equal(answer.body.state, 'finished');
    await new Promise((resolve) => setTimeout(resolve, 3000)); /* what is looked at is a time */
    assert.ok(await ticks(pid) - before < 60, 'less than a fifth of it'); /* of 300 */
    await daemon.stop();
});

test('when rank 0 is killed, the others end', async () => {
    const place = await makeFolder();
    const started = begin(3, ['serve', '--port', '0', '--state', place.file('state'), ...place.data]);
    await started.until(/listening on/);
    process.kill(await started.rank(0), 'SIGKILL');
    await started.ended; /* mpirun ends when all have */
    await place.remove();
});

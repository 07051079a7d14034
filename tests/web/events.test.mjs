/* The stream, kept up: what was missed is fetched before live points are let through. Browser and server are played
 * by small stand-ins, so that every order of things can be had exactly. */
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

/** The server: one run, whose points lie at every 10th step up to `stored`. */
const server = { stored: 0, state: 'running', status: 200, asked: [] };
let sources = [];

class FakeEventSource extends EventTarget {
    constructor(url) {
        super();
        this.url = url;
        this.closed = false;
        sources.push(this);
    }

    close() {
        this.closed = true;
    }

    say(type, data) {
        this.dispatchEvent(Object.assign(new Event(type), { data: JSON.stringify(data) }));
    }
}

const run = () => ({ id: 3, state: server.state, progress: { step: server.stored, steps: 100000, epochs: 100 } });

function points(from, to) {
    const steps = [];
    for (let step = from; step <= to; step += 10) steps.push(step);
    return { run: 3, steps, epochs: steps, elapsed: steps, layers: [] };
}

function answer(path) {
    if (path.includes('/metrics'))
        return { ...points(Number(/after=(\d+)/.exec(path)[1]) + 10, server.stored), downsampled: false };
    return path.endsWith('/epochs') ? { epochs: [] } : run();
}

globalThis.EventSource = FakeEventSource;
globalThis.fetch = async (path) => {
    server.asked.push(path);
    if (server.status === 0) throw new TypeError('refused');
    if (server.status !== 200) return Response.json({ detail: 'no such run' }, { status: server.status });
    return Response.json(answer(path));
};

const { Follower, windowSteps } = await import('../../web/lib/events.js');

/** Everything that waits for an answer has got it. */
async function settle() {
    for (let i = 0; i < 40; i++) await new Promise((resolve) => setImmediate(resolve));
}

let seen;
let phases;
let missing;
let deleted;

function follow() {
    seen = [];
    phases = [];
    missing = [];
    deleted = [];
    const follower = new Follower({
        run() {},
        lastStep: () => seen.at(-1) ?? 0,
        points: ({ steps }) => seen.push(...steps.filter((step) => step > (seen.at(-1) ?? 0))),
        epochs() {},
        histograms() {},
        dropped: (after) => (seen = seen.filter((step) => step <= after)),
        deleted: (id) => deleted.push(id),
        missing: (problem) => missing.push(problem.message),
        phase: (phase) => phases.push(phase),
    });
    follower.follow(3);
    follower.connect();
    return follower;
}

const source = () => sources.at(-1);
const everyTenth = (to) => points(10, to).steps;

beforeEach(() => {
    Object.assign(server, { stored: 0, state: 'running', status: 200, asked: [] });
    sources = [];
});

test('a_window_is_as_the_server_cuts_it', () => {
    assert.equal(windowSteps({ progress: { steps: 100000, epochs: 100 } }), 10);
    assert.equal(windowSteps({ progress: { steps: 36000, epochs: 60 } }), 6);
    assert.equal(windowSteps({ progress: { steps: 4000000, epochs: 4000000 } }), 40);
    assert.equal(windowSteps({ progress: { steps: 0, epochs: 0 } }), Infinity);
});

test('live_points_wait_until_those_before_them_were_read', async () => {
    server.stored = 50;
    follow();
    source().say('open');
    source().say('points', points(60, 70));
    assert.deepEqual(seen, []);
    await settle();
    assert.deepEqual(seen, everyTenth(70));
    assert.equal(phases.at(-1), 'live');
});

test('points_that_were_read_and_streamed_are_there_once', async () => {
    server.stored = 70;
    follow();
    source().say('open');
    source().say('points', points(40, 80));
    await settle();
    assert.deepEqual(seen, everyTenth(80));
});

test('a_missing_window_is_fetched_before_the_next_is_let_through', async () => {
    server.stored = 20;
    follow();
    source().say('open');
    await settle();
    server.stored = 60;
    source().say('points', points(50, 60));
    assert.deepEqual(seen, everyTenth(20));
    await settle();
    assert.deepEqual(seen, everyTenth(60));
});

test('consecutive_points_ask_for_nothing', async () => {
    follow();
    source().say('open');
    await settle();
    const before = server.asked.length;
    source().say('points', points(10, 30));
    source().say('points', points(40, 40));
    await settle();
    assert.equal(server.asked.length, before);
    assert.deepEqual(seen, everyTenth(40));
});

test('points_that_are_stored_a_little_later_are_waited_for', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    server.stored = 10;
    follow();
    source().say('open');
    source().say('points', points(50, 50));
    await settle();
    assert.deepEqual(seen, [10]);
    server.stored = 40;
    mock.timers.tick(200);
    await settle();
    mock.timers.reset();
    assert.deepEqual(seen, everyTenth(50));
});

test('points_that_are_nowhere_do_not_hold_up_the_rest', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    follow();
    source().say('open');
    source().say('points', points(50, 50));
    for (let i = 0; i < 4; i++) {
        await settle();
        mock.timers.tick(1000);
    }
    await settle();
    mock.timers.reset();
    assert.deepEqual(seen, [50]);
});

test('dropped_is_repaired', async () => {
    follow();
    source().say('open');
    await settle();
    server.stored = 30;
    source().say('dropped', { after: 0 });
    await settle();
    assert.deepEqual(seen, everyTenth(30));
});

/* A run goes on from step 20: what came later comes again, from 30 on, and the server has no more than that. */
test('a_run_that_goes_back_is_neither_missed_nor_seen_twice', async () => {
    server.stored = 50;
    follow();
    source().say('open');
    await settle();
    assert.deepEqual(seen, everyTenth(50));
    server.stored = 30;
    source().say('dropped', { run: 3, after: 20 });
    assert.deepEqual(seen, everyTenth(20));
    source().say('points', points(30, 30));
    source().say('points', points(40, 40));
    await settle();
    assert.deepEqual(seen, everyTenth(40));
});

test('what_was_being_read_when_a_run_goes_back_is_not_let_through', async () => {
    server.stored = 50;
    follow();
    source().say('open'); /* the old points are on their way */
    source().say('points', points(60, 60));
    server.stored = 20;
    source().say('dropped', { run: 3, after: 20 });
    source().say('points', points(30, 30));
    await settle();
    assert.deepEqual(seen, everyTenth(30));
});

test('another_run_that_goes_back_takes_nothing_away', async () => {
    server.stored = 50;
    follow();
    source().say('open');
    await settle();
    source().say('dropped', { run: 4, after: 20 });
    assert.deepEqual(seen, everyTenth(50));
});

test('a_run_that_is_deleted_is_told_of_and_followed_no_more', async () => {
    server.stored = 50;
    const follower = follow();
    source().say('open'); /* its points are on their way */
    source().say('deleted', { run: 4 });
    assert.equal(follower.id, 3);
    source().say('deleted', { run: 3 });
    assert.deepEqual(deleted, [4, 3]);
    assert.equal(follower.id, 0);
    await settle();
    assert.deepEqual([seen, missing, phases.at(-1)], [[], [], 'live']);
});

test('when_training_comes_to_a_stand_the_last_points_are_read', async () => {
    follow();
    source().say('open');
    await settle();
    server.stored = 20;
    server.state = 'paused';
    source().say('state', run());
    await settle();
    assert.deepEqual(seen, everyTenth(20));
});

test('a_broken_stream_is_tried_again_with_longer_waits_and_the_gap_is_fetched', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    server.stored = 20;
    follow();
    source().say('open');
    await settle();
    for (const wait of [500, 1000, 2000, 4000, 8000, 8000]) {
        const broken = source();
        broken.say('error');
        assert.ok(broken.closed);
        mock.timers.tick(wait - 1);
        assert.equal(source(), broken, `waits ${wait} ms`);
        mock.timers.tick(1);
        assert.notEqual(source(), broken);
    }
    assert.ok(phases.includes('lost') && phases.includes('gone'));
    server.stored = 90;
    source().say('open');
    await settle();
    mock.timers.reset();
    assert.deepEqual(seen, everyTenth(90));
    assert.equal(phases.at(-1), 'live');
});

test('a_server_that_dies_while_the_gap_is_read_is_tried_again', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    follow();
    server.status = 0;
    source().say('open');
    await settle();
    assert.equal(phases.at(-1), 'lost');
    server.status = 200;
    server.stored = 10;
    mock.timers.tick(500);
    source().say('open');
    await settle();
    mock.timers.reset();
    assert.deepEqual(seen, [10]);
});

test('a_run_that_is_not_there_is_told_in_the_servers_words', async () => {
    server.status = 404;
    follow();
    source().say('open');
    await settle();
    assert.deepEqual(missing, ['no such run']);
    assert.equal(phases.at(-1), 'live');
});

test('another_run_gets_nothing_of_the_one_before', async () => {
    server.stored = 50;
    const follower = follow();
    source().say('open');
    follower.follow(0);
    await settle();
    assert.deepEqual(seen, []);
});

test('a_stream_at_rest_is_closed_and_taken_up_again', async () => {
    const follower = follow();
    source().say('open');
    await settle();
    follower.rest();
    assert.ok(source().closed);
    server.stored = 40;
    follower.connect();
    source().say('open');
    await settle();
    assert.deepEqual(seen, everyTenth(40));
});

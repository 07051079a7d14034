// soak.mjs - the daemon under random use for a long time: runs, controls, streams, questions, kills, restarts.
//
//     GOODNESS=.build-tests/goodness node tests/soak.mjs [--minutes N] [--seed S]
//
// Several workers draw operations from the seed, so two soaks of one seed differ only where timing decides. Each answer
// is held against the contract when it comes, each stream point by point; memory, descriptors and the state folder are
// looked at on the way and at the end. The last line is "N passed, N failed"; a check fails once, with its findings.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { CLASSES, SIDE, startDaemon } from './api/support.mjs';

const { values: options } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
const minutes = Number(options.minutes ?? 60), seed = Number(options.seed ?? Date.now() % 1000000);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
    console.error('soak.mjs: --minutes takes a number above 0, --seed a whole number');
    process.exit(2);
}

const WORKERS = 4, READERS = 8, RUNS_KEPT = 40, QUEUED_KEPT = 10, IMAGES = { train: 1200, test: 200 };
const begun = performance.now(), length = minutes * 60000;
const FINAL = ['finished', 'stopped', 'failed', 'interrupted'];
const STATES = ['queued', 'running', 'paused', ...FINAL];

/* --- findings and counts ---------------------------------------------------------------------------------------- */

const checks = new Map(); /* name -> Map(finding without its numbers -> { count, example }) */
for (const name of ['the daemon lives', 'no 5xx', 'answers have the promised shape', 'streams are whole',
    'nothing is lost by a restart', 'same configuration, same digests', 'SIGTERM ends it well within 5 s', 'memory does not grow',
    'the folder is consistent', 'checkpoint files are those of the runs', 'descriptors are given back'])
    checks.set(name, new Map());

function find(check, sentence) {
    const key = sentence.replace(/ \(.*/s, '').replace(/\d+/g, 'N');
    const found = checks.get(check).get(key) ?? { count: 0, example: sentence };
    found.count++;
    checks.get(check).set(key, found);
    if (found.count === 1)
        console.log(`[${((performance.now() - begun) / 1000).toFixed(1)} s] ${check}: ${sentence}`);
}

const counts = {};
const count = (kind) => { counts[kind] = (counts[kind] ?? 0) + 1; };

/** mulberry32: numbers from 0 to 1 that depend on the seed alone. */
function generator(state) {
    const next = () => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    return { next, whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
        of: (list) => list[Math.floor(next() * list.length)], chance: (share) => next() < share };
}

/* --- the daemon and its lives ----------------------------------------------------------------------------------- */

const state = await mkdtemp(path.join(os.tmpdir(), 'goodness-soak-'));
const known = new Map(), deleted = new Set(); /* id -> the run as last seen */
const lives = { number: 0, ending: false, kills: 0, terms: 0, peak: 0, ended: 0, samples: [] };
let daemon, agent, baseline, alive; /* `alive`: resolves when the next life has begun */

/* Connections to the database are opened when several ask at once, and kept: up to 8 readers and a writer. */
const DATABASE_MOST = 9, isDatabase = (name) => /^\/goodness\.db(-wal)?$/.test(name);

function descriptors() {
    const folder = `/proc/${daemon.process.pid}/fd`;
    return readdirSync(folder).map((name) => {
        try {
            return readlinkSync(path.join(folder, name)).replace(/\[\d+\]/, '').replace(state, '');
        } catch {
            return '';
        }
    }).filter(Boolean).sort();
}

function sampleMemory() {
    const status = readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8');
    const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    if (rss > 0)
        lives.samples.push({ life: lives.number, ended: lives.ended, at: (performance.now() - begun) / length, rss });
    lives.peak = Math.max(lives.peak, rss || 0);
}

async function begin(random) {
    const environment = random.chance(0.5) ? { GOODNESS_CHECKPOINT_SECONDS: '0.5' } : {};
    daemon = await startDaemon({ state, dataset: IMAGES, environment });
    Object.assign(lives, { number: lives.number + 1, ending: false, ended: 0 });
    const own = daemon, number = lives.number;
    daemon.process.once('exit', (code, signal) => {
        if (!lives.ending && lives.number === number)
            find('the daemon lives', `it ended by itself with ${code ?? signal}`);
    });
    own.process.stderr.on('data', (text) => {
        for (const line of String(text).split('\n'))
            if (/ error |Sanitizer|runtime error/.test(line))
                find('the daemon lives', `it logged: ${line.slice(25)}`);
    });
    agent = new http.Agent({ keepAlive: true });
    baseline ??= descriptors().filter((name) => !isDatabase(name)); /* of the first life: nothing waits to go on */
}

/** All runs there are, by pages. */
async function listRuns() {
    const runs = [];
    for (let before = ''; ;) {
        const answer = await call('GET', `/api/v1/runs?limit=50${before}`);
        if (answer === null || answer.status !== 200)
            return null;
        runs.push(...answer.json.runs);
        if (answer.json.next === null)
            return runs;
        before = `&before=${answer.json.next}`;
    }
}

async function end(how) {
    lives.ending = true;
    const before = performance.now();
    try {
        await daemon[how]();
    } catch (error) {
        find('SIGTERM ends it well within 5 s', error.message.slice(0, 400));
    }
    if (how === 'stop' && performance.now() - before > 5000)
        find('SIGTERM ends it well within 5 s', `it took ${(performance.now() - before).toFixed(0)} ms`);
    agent.destroy();
}

async function restart(random) {
    const how = random.chance(0.6) ? 'kill' : 'stop';
    let tell;
    alive = new Promise((resolve) => { tell = resolve; });
    lives[how === 'kill' ? 'kills' : 'terms']++;
    await end(how);
    const promised = [...known.keys()], gone = [...deleted];
    await begin(random);
    const runs = await listRuns(), ids = new Set(runs.map((run) => run.id));
    for (const id of promised)
        if (!ids.has(id) && !deleted.has(id) && !cutDeletes.has(id))
            find('nothing is lost by a restart', `run ${id} was answered before the ${how}, and is not there after it`);
    for (const id of gone)
        if (ids.has(id))
            find('nothing is lost by a restart', `run ${id} was deleted before the ${how}, and is there after it`);
    known.clear();
    for (const run of runs)
        look(run);
    cutDeletes.clear();
    tell();
    openMonitor();
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

function send(method, where, body, headers) {
    return new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const request = http.request(daemon.base + where, { method, agent,
            headers: { ...headers, ...(text === undefined ? {} : { 'Content-Type': 'application/json' }) } }, (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.on('end', () => resolve({ status: response.statusCode, headers: response.headers,
                body: Buffer.concat(parts) }));
            response.on('error', reject);
            response.on('close', () => reject(new Error('the connection closed in the middle of the answer')));
        });
        request.on('error', (error) => reject(Object.assign(error, { reused: request.reusedSocket })));
        request.end(text);
    });
}

/** What the daemon may answer is looked at here for all; null when its end cut the answer off. */
async function call(method, where, body, { headers = {}, busy = false } = {}) {
    const life = lives.number, cut = () => lives.ending || life !== lives.number;
    let answer;
    try {
        answer = await send(method, where, body, headers);
    } catch (error) {
        if (!cut())
            find('the daemon lives', `${method} ${where}: ${error.message}${error.reused ? ' (on a connection kept open)' : ''}`);
        return null;
    }
    const type = answer.headers['content-type'] ?? '';
    if (type.includes('json')) {
        try {
            answer.json = JSON.parse(answer.body);
        } catch {
            return wrong(`${method} ${where}`, answer, 'is not JSON');
        }
    }
    if (answer.status >= 400 && (!type.startsWith('application/problem+json') || answer.json.status !== answer.status ||
        !(answer.json.detail?.length > 10)))
        wrong(`${method} ${where}`, answer, 'is no problem that says what is wrong');
    if (answer.status >= 500 && !cut()) {
        count(`answer ${answer.status}: ${answer.json?.detail?.replace(/\d+/g, 'N')}`);
        if (answer.status !== 503 || !busy || !/^\d+$/.test(answer.headers['retry-after'] ?? ''))
            find('no 5xx', `${method} ${where} ${JSON.stringify(body ?? null).slice(0, 300)}: ${answer.status} ${answer.body}`);
    }
    return cut() && answer.status >= 500 ? null : answer;
}

function wrong(what, answer, sentence) {
    find('answers have the promised shape', `${what}: ${answer.status} ${sentence}: ${answer.body.subarray(0, 300)}`);
    return null;
}

/** Whether `answer` has one of the statuses; 404 is right too when the run was deleted meanwhile. */
function expect(what, answer, statuses, run) {
    if (answer === null)
        return false;
    const away = run === 'current' || run === 'latest' || !known.has(Number(run)) || cutDeletes.has(Number(run));
    const gone = answer.status === 404 && away;
    if (!statuses.includes(answer.status) && !gone && answer.status < 500)
        wrong(what, answer, `is none of ${statuses}`);
    return answer.status >= 200 && answer.status < 300;
}

/* --- shapes ----------------------------------------------------------------------------------------------------- */

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const isFigure = (value) => value === null || isNumber(value);
const isTime = (value) => value === null || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
const FIGURES = ['positive', 'negative', 'positive_low', 'positive_high', 'negative_low', 'negative_high', 'loss', 'accuracy'];

/** What is wrong with a run's representation, or ''. */
function runProblem(run) {
    for (const name of ['id', 'name', 'notes', 'tags', 'preset', 'state', 'pending', 'reason', 'created', 'started', 'ended',
        'progress', 'best', 'last', 'config', 'changes', 'checkpoint', 'placement', 'parameters', 'warnings'])
        if (run?.[name] === undefined)
            return `there is no ${name}`;
    const { progress, last } = run;
    if (!STATES.includes(run.state) || ![null, 'pause', 'resume', 'stop'].includes(run.pending))
        return `state ${run.state}, pending ${run.pending}`;
    if (![run.created, run.started, run.ended].every(isTime) || run.created === null)
        return 'a time is none';
    if (FINAL.includes(run.state) !== (run.ended !== null))
        return `it is ${run.state} and ended ${run.ended}`;
    if (run.state === 'failed' && !run.reason)
        return 'it failed without a reason';
    if (!['epoch', 'epochs', 'step', 'steps', 'elapsed', 'evaluating'].every((name) => progress[name] >= 0))
        return `progress ${JSON.stringify(progress)}`;
    if (progress.steps > 0 && (progress.step > progress.steps || progress.epoch > progress.epochs))
        return `progress beyond the end: ${JSON.stringify(progress)}`;
    if (run.state === 'finished' && (progress.step !== progress.steps || progress.epoch !== run.config.epochs))
        return `finished at ${JSON.stringify(progress)} of ${run.config.epochs} epochs`;
    if (last !== null && last.layers.length !== run.config.layers.length)
        return `last has ${last.layers.length} layers`;
    if (last !== null && last.epoch > progress.epoch)
        return `progress says epoch ${progress.epoch} at step ${progress.step} of ${progress.steps}, ` +
            `and the last epoch is ${last.epoch}`;
    if (run.checkpoint !== null && run.checkpoint.step > progress.step)
        return `checkpoint of step ${run.checkpoint.step} at step ${progress.step}`;
    return '';
}

/** A run that was seen: its shape, and its place among those that are known. */
function look(run, what = 'a run') {
    const problem = runProblem(run);
    if (problem !== '')
        find('answers have the promised shape', `a run: ${problem} (${what}, run ${run?.id}, ${run?.state})`);
    if (run?.id > 0 && !deleted.has(run.id))
        known.set(run.id, run);
    if (run?.state === 'failed' && !/diverged/.test(run.reason))
        find('the daemon lives', `run ${run.id} failed: ${run.reason}`);
}

/** The step of the point after `step`: a window later, or at the epoch's end. */
function following(config, step) {
    const images = config.train_limit || IMAGES.train, epoch = Math.ceil(images / config.batch_size);
    const into = step % epoch;
    return step - into + Math.min(into + Math.max(Math.floor(epoch / 100), 1), epoch);
}

function seriesProblem(series, config) {
    const same = (column) => Array.isArray(column) && column.length === series.steps.length && column.every(isFigure);
    if (![series.steps, series.epochs, series.elapsed].every(same) || series.layers.length !== config.layers.length)
        return 'columns are not of one length';
    return series.layers.every((layer) => FIGURES.every((name) => same(layer[name]))) ? '' : 'a column of a layer is wrong';
}

/* Epochs' digests by what decides them: all of the configuration but how long it is and how it is judged. */
const digests = new Map();
function compareDigests(run, rows) {
    if (run.changes.length > 0 || turned.has(run.id))
        return;
    const { epochs, evaluate_every, evaluate_samples, ...decisive } = run.config;
    const key = JSON.stringify(decisive);
    for (const row of rows) {
        const place = `${key} ${row.epoch}`, before = digests.get(place);
        if (before === undefined)
            digests.set(place, { digest: row.digest, run: run.id });
        else if (before.digest !== row.digest)
            find('same configuration, same digests',
                `epoch ${row.epoch}: run ${before.run} has ${before.digest}, run ${run.id} ${row.digest}`);
        else if (before.run !== run.id)
            count('digests that agree between runs');
    }
}
const turned = new Set(); /* runs whose settings were asked to change */
const cutDeletes = new Set(); /* runs whose DELETE is not answered, or was not */

/* --- streams ---------------------------------------------------------------------------------------------------- */

/** A reader that holds each point against the one before. It comes back with the last number it had. */
class Reader {
    constructor(run, { slow = false, first } = {}) {
        Object.assign(this, { run, slow, lastId: first, open: false, text: '', positions: new Map(), gaps: new Map() });
        this.committed = new Map();
        this.committedGaps = new Map();
        this.lives = new Map();
        this.from0 = first === '0';
    }

    get where() {
        return this.run === undefined ? '/api/v1/events' : `/api/v1/runs/${this.run}/events`;
    }

    async connect() {
        this.note(undefined, `connects from ${this.lastId} in life ${lives.number}, where runs up to ${Math.max(0, ...known.keys())} are known`);
        Object.assign(this, { open: true, text: '', life: lives.number, final: false, left: false, asked: this.lastId });
        this.response?.destroy(); /* a slow one may have left something of it unread: that comes again */
        this.response = undefined;
        this.positions = new Map(this.lastId === undefined ? [] : this.committed);
        this.gaps = new Map(this.lastId === undefined ? [] : this.committedGaps);
        this.request = http.get(daemon.base + this.where, { agent: false,
            headers: this.lastId === undefined ? {} : { 'Last-Event-ID': this.lastId } });
        const over = new Promise((resolve) => {
            this.request.on('error', () => { this.open = false; resolve(); });
            this.request.on('close', () => { this.open = false; resolve(); });
        });
        this.over = over;
        this.request.on('response', (response) => this.listen(response));
        await Promise.race([over, once(this.request, 'response').catch(() => {})]);
    }

    listen(response) {
        this.response = response;
        if (response.statusCode !== 200) {
            if (response.statusCode !== 404 && !lives.ending)
                find('no 5xx', `GET ${this.where}: ${response.statusCode}`);
            response.resume();
            return;
        }
        this.newest = Math.max(0, ...known.keys()) + 2 * WORKERS;
        if (!this.slow)
            response.on('data', (part) => this.take(part));
        response.on('end', () => {
            if (response !== this.response)
                return;
            const kept = known.has(this.run) && !cutDeletes.has(this.run); /* nor is just being deleted */
            if (!this.final && this.run !== undefined && kept && !lives.ending && this.life === lives.number)
                find('streams are whole', `${this.where} ended (after ${this.lastId}) without a final state; ${this.past(this.run)}`);
        });
        response.on('error', () => {});
    }

    /** Of a slow one: what has come, a bit of it. */
    sip() {
        const part = this.response?.read(1000) ?? this.response?.read();
        if (part)
            this.take(part);
    }

    leave() {
        this.left = true;
        this.request?.destroy();
    }

    take(part) {
        this.text += part.toString('latin1'); /* characters may be cut; no figure is */
        for (let at; (at = this.text.indexOf('\n\n')) >= 0 && !this.left;) {
            const block = this.text.slice(0, at);
            this.text = this.text.slice(at + 2);
            const field = (name) => block.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
            const data = field('data'), id = field('id');
            if (data !== undefined)
                this.event(field('event'), id, JSON.parse(data));
            if (id !== undefined)
                this.number(id, field('event'));
        }
    }

    /** What happened last: among all, and to each run. */
    note(run, what) {
        const add = (list, most) => [...(list ?? []).slice(1 - most), what];
        this.history = add(this.history, 12);
        if (run === undefined)
            this.connects = add(this.connects, 4);
        else
            this.lives.set(run, add(this.lives.get(run), 10));
    }

    /** All of that which may explain a finding about a run. */
    past(run) {
        return `${this.slow ? 'slow; ' : ''}its last events: ${this.history.join('; ')}; those of the run: ` +
            `${(this.lives.get(run) ?? []).join('; ')}; it ${(this.connects ?? []).join('; ')}`;
    }

    number(id, type) {
        if (this.lastId !== undefined && Number(id) < Number(this.lastId))
            find('streams are whole', `${this.where}: ${type ?? 'number'} ${id} comes after ${this.lastId} ` +
                `(its last events: ${this.history.join('; ')})`);
        this.lastId = id;
        this.committed = new Map(this.positions);
        this.committedGaps = new Map(this.gaps);
    }

    event(type, id, data) {
        count(`event ${type}`);
        const run = type === 'state' ? data.id : data.run;
        this.note(run, `${id ?? '-'} ${type} of ${run} ` +
            (data.state ?? data.after ?? data.epoch ?? `${data.steps?.[0]} to ${data.steps?.at(-1)}`));
        if (this.run !== undefined && run !== this.run)
            find('streams are whole', `${this.where} has a ${type} of run ${run}`);
        if (type === 'state') {
            look(data, this.where);
            this.final = this.run !== undefined && FINAL.includes(data.state);
            this.seen?.(data);
        } else if (type === 'points') {
            this.points(run, data);
        } else if (type === 'dropped') {
            this.dropped(run, data.after);
        } else if (type === 'deleted') {
            this.final = this.run !== undefined;
        }
    }

    position(run) {
        return this.positions.get(run) ?? (this.from0 || (this.run === undefined && run > this.newest) ? 0 : undefined);
    }

    dropped(run, after) {
        if (!Number.isInteger(after) || after < 0)
            find('streams are whole', `${this.where}: dropped after ${after}`);
        for (const other of this.run === undefined ? this.positions.keys() : [])
            this.gaps.set(other, this.positions.get(other));
        const position = this.position(run);
        this.positions.set(run, position === undefined ? after : Math.min(position, after));
        this.gaps.set(run, Math.min(this.gaps.get(run) ?? Infinity, after)); /* what was lost before still is */
    }

    points(run, data) {
        const config = known.get(run)?.config;
        if (config === undefined)
            return;
        const problem = seriesProblem(data, config);
        if (problem !== '')
            find('streams are whole', `${this.where}: points of run ${run}: ${problem}`);
        for (const step of data.steps) {
            const position = this.position(run), gap = this.gaps.get(run);
            const said = gap !== undefined && position >= gap && step > position;
            if (position !== undefined && step !== following(config, position) && !said)
                find('streams are whole', `${this.where}: after step ${position} of run ${run} comes ${step}, not ` +
                    `${following(config, position)} (${this.past(run)})`);
            this.positions.set(run, step);
            if (gap !== undefined && step > gap)
                this.gaps.delete(run);
        }
    }
}

/** Sees every run end, and takes the daemon's measure then. */
let monitor;
function openMonitor() {
    monitor = new Reader(undefined, { first: monitor?.lastId });
    monitor.seen = (run) => {
        if (FINAL.includes(run.state) && !lives.ending) {
            lives.ended++;
            sampleMemory();
        }
    };
    return monitor.connect();
}

/* --- operations ------------------------------------------------------------------------------------------------- */

const readers = [];
const some = (random) => random.chance(0.35) ? random.of(['current', 'current', 'latest'])
    : random.of([...known.keys()]) ?? 'latest';

/** The live settings of a step. */
const knobs = (random) => random.of([{ learning_rate: random.of([0.001, 0.01, 0.02]) }, { threshold: [1, 1.5] }, { alpha: 3 },
    { temperature: random.of([0.1, 0.2]), weight_decay: 0.0001 }, { dropout: { units: 0.1 } }]);

function configuration(random) {
    const config = { dataset: 'bars', layers: random.of([[16, 12], [64, 32], [160, 100]]), epochs: random.whole(1, 40),
        batch_size: random.of([1, 4, 10, 60]), seed: random.whole(1, 2), schedule: 'constant', warmup: 0 };
    if (random.chance(0.3))
        config.evaluate_every = random.whole(1, 10);
    return config;
}

const operations = {
    post: [8, async (random) => {
        const waiting = [...known.values()].filter((run) => run.state === 'queued').length;
        if (waiting >= QUEUED_KEPT)
            return;
        const placement = random.chance(0.4) ? { stages: random.whole(1, 2), threads: 1 } : 'auto';
        const asked = { config: configuration(random), placement, tags: ['soak'] };
        const answer = await call('POST', '/api/v1/runs', asked, { busy: true });
        if (!expect('POST runs', answer, [201]))
            return;
        look(answer.json, 'POST runs');
        if (answer.headers.location !== `/api/v1/runs/${answer.json.id}`)
            wrong('POST runs', answer, `has the Location ${answer.headers.location}`);
    }],
    'post invalid': [3, async (random) => {
        const [body, pointer] = random.of([[{ config: { ...configuration(random), layers: [0] } }, '/config/layers/0'],
            [{ config: { ...configuration(random), learning_rat: 1 } }, '/config/learning_rat'], [{ colour: 1 }, '/colour'],
            [{ config: { dataset: 'nowhere' } }, '/config/dataset'], [{ preset: 'no such' }, '/preset'],
            [{ config: { ...configuration(random), batch_size: -1 } }, '/config/batch_size']]);
        const answer = await call('POST', '/api/v1/runs', body);
        expect('POST invalid runs', answer, [422]);
        if (answer?.status === 422 && !answer.json.errors.some((error) => error.pointer === pointer))
            wrong('POST invalid runs', answer, `does not point at ${pointer}`);
    }],
    pause: [5, (random) => control(some(random), 'pause')],
    resume: [8, (random) => control(random.chance(0.6) ? 'current' : some(random), 'resume')],
    stop: [3, (random) => control(some(random), 'stop')],
    'resume ended': [6, async (random) => {
        const ended = [...known.values()].filter((run) => FINAL.includes(run.state) && run.config.epochs < 60);
        if (ended.length === 0)
            return;
        const { id } = random.of(ended), body = { epochs: random.whole(1, 20) };
        if (random.chance(0.2))
            body.config = knobs(random);
        if (random.chance(0.3))
            body.placement = { stages: random.whole(1, 2), threads: 1 };
        if (body.config !== undefined)
            turned.add(id);
        await control(id, 'resume', body);
    }],
    'patch settings': [6, async (random) => {
        const id = random.chance(0.7) ? 'current' : some(random), config = knobs(random);
        const shown = await call('GET', `/api/v1/runs/${id}`);
        if (!expect('GET run', shown, [200], id))
            return;
        turned.add(shown.json.id);
        const answer = await call('PATCH', `/api/v1/runs/${shown.json.id}`, { config }, { busy: true });
        if (!expect('PATCH settings', answer, [200, 409], shown.json.id))
            return;
        look(answer.json, 'PATCH settings');
    }],
    'patch labels': [3, async (random) => {
        const id = some(random), name = `soaked ${random.whole(1, 99)} ä`;
        const answer = await call('PATCH', `/api/v1/runs/${id}`, { name });
        if (expect('PATCH labels', answer, [200], id))
            look(answer.json, 'PATCH labels');
    }],
    delete: [3, async (random) => {
        const id = random.of([...known.keys()].slice(0, -5));
        if (id === undefined || (known.size < RUNS_KEPT && random.chance(0.7)))
            return;
        await forget(id);
    }],
    'open a stream': [5, async (random) => {
        if (readers.length >= READERS)
            readers.splice(random.whole(0, READERS - 1), 1)[0].leave();
        const current = await call('GET', '/api/v1/runs/current');
        const run = random.chance(0.3) ? undefined : current?.status === 200 ? current.json.id : random.of([...known.keys()]);
        const reader = new Reader(run, { slow: random.chance(0.3), first: random.chance(0.3) ? '0' : undefined });
        readers.push(reader);
        await reader.connect();
    }],
    'drop a stream': [4, (random) => random.of(readers)?.leave()],
    'come back to a stream': [8, async (random) => {
        const reader = random.of(readers.filter(({ open, lastId, run }) =>
            !open && lastId !== undefined && (run === undefined || known.has(run))));
        if (reader !== undefined)
            await reader.connect();
    }],
    'read slowly': [12, () => readers.filter((reader) => reader.slow && reader.open).forEach((reader) => reader.sip())],
    predict: [10, async (random) => {
        const id = some(random), sample = random.whole(0, IMAGES.test - 1);
        const body = random.chance(0.6) ? { sample } : { image: Array.from({ length: SIDE * SIDE }, () => random.next()) };
        const answer = await call('POST', `/api/v1/runs/${id}/predict`, body, { busy: true });
        if (!expect('predict', answer, [200, 409], id))
            return;
        const { label, probabilities, goodness, step, truth } = answer.json;
        const right = probabilities.indexOf(Math.max(...probabilities)) === label && probabilities.length === CLASSES;
        if (!right || !(step >= 0) || (body.image === undefined && truth !== sample % CLASSES) ||
            !goodness.every((layer) => layer.length === CLASSES && layer.every(isNumber)))
            wrong('predict', answer, 'is no prediction');
    }],
    weights: [5, async (random) => {
        const id = random.of([...known.keys()]);
        if (id === undefined)
            return;
        const { config } = known.get(id), layer = random.whole(0, config.layers.length - 1), many = random.whole(1, 4);
        const where = `/api/v1/runs/${id}/layers/${layer}/weights?unit=${random.whole(0, 8)}&count=${many}`;
        const answer = await call('GET', where, undefined, { busy: true });
        if (!expect('weights', answer, [200, 409], id))
            return;
        const [units, inputs] = answer.headers['x-shape'].split(',').map(Number);
        const wanted = layer === 0 ? SIDE * SIDE + CLASSES : config.layers[0];
        if (units !== many || ![wanted, SIDE * SIDE].includes(inputs) || answer.body.length !== 4 * units * inputs)
            wrong('weights', answer, `is ${answer.body.length} bytes of shape ${units},${inputs}, not ${many},${wanted}`);
    }],
    checkpoint: [4, async (random) => {
        const id = some(random), had = known.get(id)?.checkpoint ?? null;
        const answer = await call('GET', `/api/v1/runs/${id}/checkpoint`);
        if (!expect('checkpoint', answer, had === null ? [200, 404] : [200], id))
            return;
        const header = Number(answer.body.readBigUInt64LE(0)), tensors = JSON.parse(answer.body.subarray(8, 8 + header));
        const { __metadata__: metadata, ...rest } = tensors;
        const last = Math.max(...Object.values(rest).map((tensor) => tensor.data_offsets[1]));
        if (answer.body.length !== 8 + header + last || metadata === undefined)
            find('answers have the promised shape',
                `the checkpoint of run ${id} has ${answer.body.length} bytes, not ${8 + header + last}`);
    }],
    metrics: [5, async (random) => {
        const id = random.of([...known.keys()]) ?? 0, thin = random.chance(0.5), at = `GET metrics of run ${id}`;
        const answer = await call('GET', `/api/v1/runs/${id}/metrics?max_points=${thin ? 50 : 100000}`);
        if (!expect(at, answer, [200], id) || !known.has(id))
            return;
        const { config } = known.get(id), { steps } = answer.json, problem = seriesProblem(answer.json, config);
        const odd = steps.find((step, i) => step !== following(config, i > 0 ? steps[i - 1] : 0));
        if (problem !== '' || steps.length > (thin ? 50 : 100000))
            wrong(at, answer, problem || `has ${steps.length} points`);
        else if (!thin && odd !== undefined)
            find('nothing is lost by a restart', `${at}: step ${odd} comes after ${steps[steps.indexOf(odd) - 1] ?? 0}`);
    }],
    epochs: [4, async (random) => {
        const id = random.of([...known.keys()]) ?? 0, answer = await call('GET', `/api/v1/runs/${id}/epochs`);
        const shown = await call('GET', `/api/v1/runs/${id}`);
        if (!expect('epochs', answer, [200], id) || !expect('GET run', shown, [200], id))
            return;
        if (answer.json.epochs.some((row, i) => row.epoch !== i + 1 || !/^sha256:[0-9a-f]{64}$/.test(row.digest)))
            wrong('epochs', answer, 'has not each epoch once, with a digest');
        compareDigests(shown.json, answer.json.epochs);
    }],
    look: [8, async (random) => {
        const id = some(random);
        const where = random.of([`/api/v1/runs/${id}`, `/api/v1/runs/${id}/log`, `/api/v1/runs/${id}/timeline`,
            '/api/v1/datasets', '/api/v1/presets', '/api/v1/config', '/api/v1/version', '/healthz', '/',
            '/api/v1/datasets/bars/samples/test/7']);
        const answer = await call('GET', where);
        if (expect(`GET ${where}`, answer, [200], id) && answer.body.length < 10)
            wrong(`GET ${where}`, answer, 'is empty');
        if (answer?.headers.etag !== undefined && answer.status === 200 && !where.includes('runs'))
            expect(`GET ${where} again`,
                await call('GET', where, undefined, { headers: { 'If-None-Match': answer.headers.etag } }), [304]);
    }],
    list: [3, async () => (await listRuns())?.forEach((run) => look(run, 'GET runs'))],
    wait: [20, async () => {
        const answer = await call('GET', '/api/v1/runs/current?wait=1');
        if (expect('wait', answer, [200], 'current'))
            look(answer.json, 'wait');
    }],
    flood: [0.1, async () => {
        const made = [], config = { dataset: 'bars', layers: [16, 12], epochs: 500 };
        let answer;
        do {
            answer = await call('POST', '/api/v1/runs', { config }, { busy: true });
            if (answer?.status === 201)
                made.push(answer.json.id);
        } while (answer?.status === 201 && made.length < 80);
        if (answer?.status === 503)
            count('a queue that was full');
        else if (answer !== null)
            wrong('flood', answer, `after ${made.length} runs in the queue`);
        for (const id of made.reverse()) {
            await control(id, 'stop');
            await forget(id);
        }
    }],
};

async function forget(id) {
    cutDeletes.add(id);
    const answer = await call('DELETE', `/api/v1/runs/${id}`);
    if (answer === null)
        return;
    cutDeletes.delete(id);
    if (expect('DELETE', answer, [204, 409], id) || answer.status === 404) {
        deleted.add(id);
        known.delete(id);
    }
}

async function control(id, what, body) {
    const answer = await call('POST', `/api/v1/runs/${id}/${what}`, body, { busy: what === 'resume' });
    if (!expect(what, answer, [200, 409], id))
        return null;
    look(answer.json, what);
    return answer.json;
}

/* --- the soak --------------------------------------------------------------------------------------------------- */

const names = Object.keys(operations), total = names.reduce((sum, name) => sum + operations[name][0], 0);

function draw(random) {
    let place = random.next() * total;
    return names.find((name) => (place -= operations[name][0]) < 0);
}

async function work(random, over) {
    while (!over()) {
        if (lives.ending)
            await alive;
        const name = draw(random);
        count(name);
        await operations[name][1](random);
    }
}

/** Kills and restarts at instants of the seed, about once a minute; in a short soak five times. */
async function killer(random) {
    const every = Math.min(60000, length / 5);
    for (let at = every; at < length - every; at += every * (0.5 + random.next())) {
        await new Promise((resolve) => setTimeout(resolve, begun + at - performance.now()));
        await restart(random);
    }
}

const median = (samples) => samples.map((sample) => sample.rss).sort((a, b) => a - b)[Math.floor(samples.length / 2)];

function compareMemory(what, before, after) {
    if (before.length < 5 || after.length < 5)
        return;
    const from = median(before), to = median(after);
    console.log(`memory, ${what}: median ${from.toFixed(1)} MiB, later ${to.toFixed(1)} MiB`);
    if (to > from * 1.1 + 10)
        find('memory does not grow', `${what}: from ${from.toFixed(1)} to ${to.toFixed(1)} MiB`);
}

/* Between lives: the soak's second third with its last, after as many runs in a life. Within the longest life: its own. */
function judgeMemory() {
    const second = lives.samples.filter(({ at }) => at > 1 / 3 && at <= 2 / 3);
    const last = lives.samples.filter(({ at }) => at > 2 / 3);
    const most = Math.min(...[second, last].map((phase) => Math.max(0, ...phase.map((sample) => sample.ended))));
    const alike = ({ ended }) => ended > most / 3 && ended <= most;
    compareMemory(`lives of the soak's second third and of its last, after ${Math.ceil(most / 3)} to ${most} runs`,
        second.filter(alike), last.filter(alike));
    const own = Array.from({ length: lives.number }, (_, i) => lives.samples.filter(({ life }) => life === i + 1));
    const longest = own.reduce((a, b) => (b.length > a.length ? b : a)), third = Math.floor(longest.length / 3);
    compareMemory(`the longest life, of ${longest.length} runs`, longest.slice(third, 2 * third), longest.slice(2 * third));
}

/** Stop what trains or waits, the newest first; all runs, ended. */
async function stopAll() {
    for (const run of await listRuns())
        if (!FINAL.includes(run.state))
            await control(run.id, 'stop');
    const runs = await listRuns();
    for (const run of runs.filter(({ state }) => !FINAL.includes(state))) {
        const answer = await call('GET', `/api/v1/runs/${run.id}?wait=60`);
        if (!FINAL.includes(answer?.json?.state))
            find('the daemon lives', `run ${run.id} was stopped and is ${answer?.json?.state} a minute later`);
    }
    return listRuns();
}

/** Each reader of one run reads on to the end, and must have come as far as the series. */
async function readToTheEnd() {
    for (const reader of readers.filter(({ run }) => run !== undefined && known.has(run))) {
        reader.leave();
        await reader.over;
        reader.slow = false;
        await reader.connect();
        await reader.over;
        const { json } = await call('GET', `/api/v1/runs/${reader.run}/metrics?max_points=1`);
        const position = reader.position(reader.run);
        const told = position === undefined || position === json.next || reader.gaps.has(reader.run);
        if (reader.lastId !== undefined && !told)
            find('streams are whole',
                `${reader.where} ended after the point of step ${position}; the series goes to ${json.next}`);
    }
}

/** The daemon closes what its clients have left when it sees that; until then it is asked again. */
async function judgeDescriptors() {
    const deadline = performance.now() + 40000;
    let now, all;
    do {
        await new Promise((resolve) => setTimeout(resolve, 200));
        all = descriptors();
        now = all.filter((name) => !isDatabase(name));
    } while (now.join() !== baseline.join() && performance.now() < deadline);
    for (const name of ['/goodness.db', '/goodness.db-wal'])
        if (all.filter((one) => one === name).length > DATABASE_MOST)
            find('descriptors are given back', `${name} is open ${all.filter((one) => one === name).length} times`);
    if (now.join() !== baseline.join()) {
        const without = (all, some) => some.reduce((rest, one) => {
            const at = rest.indexOf(one);
            return at < 0 ? rest : rest.toSpliced(at, 1);
        }, all);
        find('descriptors are given back', `${baseline.length} at the start, ${now.length} at the end, more: ` +
            `${without(now, baseline).join(', ') || 'none'}; fewer: ${without(baseline, now).join(', ') || 'none'}`);
    }
}

function judgeFolder(runs) {
    const { status, stdout, stderr } = spawnSync(process.env.GOODNESS, ['check', '--state', state], { encoding: 'utf8' });
    console.log(`goodness check: ${(stdout + stderr).trim().split('\n').at(-1)}`);
    if (status !== 0 || !/all consistent\n$/.test(stdout))
        find('the folder is consistent', `goodness check: ${(stdout + stderr).slice(0, 600)}`);
    const best = (name) => /^(\d+)\.best\.safetensors$/.exec(name)?.[1]; /* beside the newest one */
    const files = readdirSync(path.join(state, 'checkpoints')).filter((name) => !runs.some(({ id }) => id === Number(best(name)))).sort();
    const wanted = runs.filter((run) => run.checkpoint !== null).map((run) => `${run.id}.safetensors`).sort();
    const odd = [...files.filter((name) => !wanted.includes(name)), ...wanted.filter((name) => !files.includes(name))];
    if (odd.length > 0)
        find('checkpoint files are those of the runs', `there or missing against the runs' list: ${odd.slice(0, 8).join(', ')}`);
}

async function settle() {
    const runs = await stopAll();
    await readToTheEnd();
    [...readers, monitor].forEach((reader) => reader.leave());
    agent.destroy();
    agent = new http.Agent({ keepAlive: true });
    await judgeDescriptors();
    await end('stop');
    judgeFolder(runs);
    judgeMemory();
}

function report() {
    console.log(`\nseed ${seed}, ${minutes} minutes, ${lives.kills} kills, ${lives.terms} SIGTERMs, ` +
        `peak RSS ${lives.peak.toFixed(1)} MiB`);
    for (const name of Object.keys(counts).sort())
        console.log(`${String(counts[name]).padStart(8)}  ${name}`);
    let failed = 0;
    for (const [name, found] of checks) {
        console.log(`${found.size === 0 ? 'ok  ' : 'FAIL'} ${name}`);
        for (const { count: times, example } of found.values())
            console.log(`     ${times} times: ${example}`);
        failed += found.size === 0 ? 0 : 1;
    }
    console.log(`${checks.size - failed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
}

console.log(`soak: seed ${seed}, ${minutes} minutes, state in ${state}`);
const kills = generator(seed * 101);
try {
    await begin(kills);
    await openMonitor();
    let over = false;
    const workers = Array.from({ length: WORKERS }, (_, i) => work(generator(seed * 101 + i + 1), () => over));
    await Promise.all([killer(kills), new Promise((resolve) => setTimeout(resolve, length))]);
    over = true;
    await Promise.all(workers);
    await settle();
} catch (error) {
    find('the daemon lives', `the soak could not go on: ${error.stack}`);
    lives.ending = true;
    await daemon?.kill();
}
report();
if (process.exitCode === 0)
    await rm(state, { recursive: true, force: true });
else
    console.log(`the state folder is left in ${state}`);
process.exit();

// GET /metrics by Prometheus' own rules: every line of the format, the names' conventions, and figures that follow what happens.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { ended, endless, Events, makeRun, raw, small, startDaemon } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
after(() => daemon.stop());

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (NaN|[+-]Inf|-?[0-9][0-9.e+-]*)$`);
const LABELS = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/gy;

function parseLabels(text) {
    const labels = {};
    let end = 0;
    for (const match of text.matchAll(LABELS)) {
        assert.ok(!(match[1] in labels), text);
        labels[match[1]] = match[2];
        end += match[0].length;
    }
    assert.equal(end, text.length, text);
    return labels;
}

/** The families, strictly: help, type, then samples, none of a family elsewhere. */
function parse(text) {
    assert.ok(text.endsWith('\n'));
    const families = new Map();
    let family = null;
    for (const line of text.slice(0, -1).split('\n')) {
        const help = new RegExp(`^# HELP (${NAME}) (\\S.*\\.)$`).exec(line), type = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line);
        if (help) {
            assert.ok(!families.has(help[1]), `${help[1]} is there twice`);
            family = { name: help[1], help: help[2], type: null, samples: [] };
            families.set(help[1], family);
        } else if (type) {
            assert.equal(type[1], family.name);
            assert.equal(family.type, null);
            family.type = type[2];
        } else {
            const [, name, labels, value] = SAMPLE.exec(line) ?? assert.fail(`not a sample: ${line}`);
            const suffix = family.type === 'histogram' ? '(_bucket|_sum|_count)' : '';
            assert.match(name, new RegExp(`^${family.name}${suffix}$`), line);
            family.samples.push({ name, labels: parseLabels(labels ?? ''), value: Number(value.replace('Inf', 'Infinity')) });
        }
    }
    return families;
}

async function scrape() {
    const answer = await daemon.json('GET', '/metrics');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    return parse(answer.text);
}

/** The value of the one sample with these labels; undefined: there is none. */
function value(families, name, labels = {}) {
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
    const found = (family?.samples ?? []).filter((sample) => sample.name === name
        && Object.entries(labels).every(([label, wanted]) => sample.labels[label] === wanted));
    assert.ok(found.length <= 1, `${name} ${JSON.stringify(labels)} is ${found.length} samples`);
    return found[0]?.value;
}

const requests = (families, method, route, status) =>
    value(families, 'goodness_http_requests_total', { method, route, status: String(status) }) ?? 0;

test('every family is named by the conventions, and no sample is there twice', async () => {
    const families = await scrape();
    assert.ok(families.size > 20, String(families.size));
    for (const { name, type, samples } of families.values()) {
        assert.match(name, /^(goodness|process)_[a-z_]+$/);
        assert.equal(name.endsWith('_total'), type === 'counter', name);
        assert.ok(!/_(milliseconds|ms|kilobytes|percent)/.test(name), name);
        const keys = samples.map((sample) => sample.name + JSON.stringify(Object.entries(sample.labels).sort()));
        assert.equal(new Set(keys).size, keys.length, name);
    }
});

test('promtool has nothing to say', async (t) => {
    if (spawnSync('promtool', ['--version']).status !== 0) {
        t.skip('promtool is not installed (Debian: prometheus)');
        return;
    }
    const { text } = await daemon.json('GET', '/metrics');
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    assert.equal(stdout + stderr, '');
    assert.equal(status, 0);
});

test('requests are counted by route and status, and those that no route took too', async () => {
    const before = await scrape();
    await daemon.json('GET', '/api/v1/runs/999');
    await daemon.json('GET', '/api/v1/runs/998/');
    await daemon.json('POST', '/api/v1/runs', { config: { epochs: -1 } });
    await raw(daemon, { path: '/', headers: { 'Host': 'evil.example' } });
    await raw(daemon, { method: 'HEAD', path: '/healthz' });
    const now = await scrape(), more = (...which) => requests(now, ...which) - requests(before, ...which);
    assert.equal(more('GET', '/api/v1/runs/{id}', 404), 1);
    assert.equal(more('POST', '/api/v1/runs', 422), 1);
    assert.equal(more('GET', '/healthz', 200), 1);
    assert.equal(more('GET', '/{path*}', 404), 1);
    assert.equal(more('GET', '/{path*}', 421), 1);
    assert.equal(more('GET', '/metrics', 200), 1);
});

test('durations are a histogram that adds up', async () => {
    await daemon.json('GET', '/api/v1/presets');
    const families = await scrape(), name = 'goodness_http_request_duration_seconds', labels = { route: '/api/v1/presets' };
    const buckets = families.get(name).samples.filter((sample) => sample.name.endsWith('_bucket') && sample.labels.route === labels.route);
    const bounds = buckets.map((sample) => Number(sample.labels.le.replace('+Inf', 'Infinity')));
    assert.deepEqual(bounds, [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, Infinity]);
    buckets.forEach((sample, i) => assert.ok(i === 0 || sample.value >= buckets[i - 1].value));
    assert.equal(buckets.at(-1).value, value(families, `${name}_count`, labels));
    assert.equal(buckets.at(-1).value, requests(families, 'GET', labels.route, 200));
    assert.ok(value(families, `${name}_sum`, labels) > 0);
});

test('runs by state, and the figures of the one that trains, are those of the REST interface', async () => {
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    const idle = await scrape();
    assert.equal(value(idle, 'goodness_runs', { state: 'finished' }), 1);
    assert.equal(value(idle, 'goodness_runs', { state: 'running' }), 0);
    assert.ok(!idle.has('goodness_run_step') && !idle.has('goodness_layer_goodness'), 'no run trains');

    const long = await makeRun(daemon, endless());
    const events = await Events.open(daemon, `/api/v1/runs/${long.id}/events`);
    await events.until((event) => event.type === 'epoch');
    assert.equal(value(await scrape(), 'goodness_http_streams'), 1);
    await daemon.json('POST', `/api/v1/runs/${long.id}/pause`);
    await events.until((event) => event.type === 'state' && event.data.state === 'paused');
    const run = (await daemon.json('GET', `/api/v1/runs/${long.id}`)).body, now = await scrape(), labels = { run: String(long.id) };
    assert.equal(value(now, 'goodness_runs', { state: 'paused' }), 1);
    assert.equal(value(now, 'goodness_run_paused', labels), 1);
    assert.equal(value(now, 'goodness_run_step', labels), run.progress.step);
    assert.equal(value(now, 'goodness_run_steps', labels), run.progress.steps);
    assert.equal(value(now, 'goodness_run_epoch', labels), run.progress.epoch);
    assert.equal(value(now, 'goodness_run_elapsed_seconds', labels), run.progress.elapsed);
    run.last.layers.forEach((layer, i) => {
        for (const data of ['positive', 'negative'])
            assert.equal(Math.fround(value(now, 'goodness_layer_goodness', { ...labels, layer: String(i), data })), Math.fround(layer[data]));
        assert.equal(Math.fround(value(now, 'goodness_layer_loss', { ...labels, layer: String(i) })), Math.fround(layer.loss));
        assert.equal(Math.fround(value(now, 'goodness_layer_accuracy', { ...labels, layer: String(i) })), Math.fround(layer.accuracy));
    });
    assert.ok(value(now, 'goodness_events_total') > value(idle, 'goodness_events_total'));
    await daemon.json('POST', `/api/v1/runs/${long.id}/stop`);
    await events.rest();
    await ended(daemon, long.id);
});

test('the process, the build and the store are told of', async () => {
    const families = await scrape(), { body } = await daemon.json('GET', '/api/v1/version');
    const [{ labels, value: one }] = families.get('goodness_build_info').samples;
    assert.equal(one, 1);
    assert.equal(labels.version, body.version);
    assert.equal(labels.blas_kernel, body.blas.kernel);
    assert.ok(value(families, 'process_resident_memory_bytes') > 1e6);
    assert.ok(value(families, 'process_open_fds') > 5);
    assert.ok(value(families, 'process_max_fds') >= value(families, 'process_open_fds'));
    assert.ok(value(families, 'process_cpu_seconds_total') > 0);
    assert.ok(Math.abs(value(families, 'process_start_time_seconds') - Date.now() / 1000) < 600);
    assert.equal(value(families, 'goodness_store_trouble'), 0);
    assert.equal(value(families, 'goodness_store_lost_points'), 0);
    assert.ok(value(families, 'goodness_http_connections') >= 1);
    assert.ok(!families.has('goodness_token_failures_total'), 'there is no token');
});

test('a query is refused, HEAD and OPTIONS are answered', async () => {
    assert.equal((await daemon.json('GET', '/metrics?name=x')).status, 400);
    assert.equal((await raw(daemon, { method: 'HEAD', path: '/metrics' })).status, 200);
    assert.equal((await raw(daemon, { method: 'OPTIONS', path: '/metrics' })).headers.allow, 'GET, HEAD, OPTIONS');
});

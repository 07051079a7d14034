// The interface's own document: it is OpenAPI 3.1, its examples are what it says, and every operation answers as it says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { Openapi } from './openapi.mjs';
import { ended, endless, Events, makeRun, small, startDaemon, trains } from './support.mjs';

let daemon, api;
before(async () => {
    daemon = await startDaemon();
    api = await Openapi.of(daemon);
});
after(() => daemon.stop());

/** What spectral says of a document, a line each. */
async function spectral(file) {
    const here = path.dirname(import.meta.dirname);
    const run = promisify(execFile)(path.join(here, 'node_modules/.bin/spectral'),
        ['lint', file, '--ruleset', path.join(here, 'spectral.yaml'), '--fail-severity', 'hint', '--format', 'json', '--quiet']);
    const { code, stdout, stderr } = await run.catch((refused) => refused);

    assert.ok(code === undefined || code === 1, stderr); // 1 where it has something to say

    return JSON.parse(stdout.slice(0, stdout.lastIndexOf(']') + 1)).map((one) => `${one.path.join('.')}: ${one.message}`);
}

/** Ask an operation: its path filled from `parts`, the rest of `parts` in the query. */
async function ask(id, parts = {}, body, headers = {}) {
    const { method, path } = api.operation(id), query = new URLSearchParams();
    let where = path;
    for (const [name, value] of Object.entries(parts)) {
        if (where.includes(`{${name}}`))
            where = where.replace(`{${name}}`, encodeURIComponent(value));
        else
            query.set(name, value);
    }
    const answer = await daemon.json(method, where + (query.size > 0 ? `?${query}` : ''), body, headers);
    api.check(id, answer);
    asked.add(`${id} ${answer.status}`);
    return answer;
}
const asked = new Set();

/** The same, of an answer that must have this status. */
async function expect(status, ...question) {
    const answer = await ask(...question);
    assert.equal(answer.status, status, answer.text.slice(0, 300));
    return answer;
}

test('the document is OpenAPI 3.1, by the official schema and spectral’s rules', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'goodness-openapi-')), file = path.join(folder, 'openapi.json');
    const found = (document) => writeFile(file, JSON.stringify(document)).then(() => spectral(file));

    assert.match(api.document.openapi, /^3\.1\./);
    assert.deepEqual(await found(api.document), []);
    assert.notDeepEqual(await found({ ...api.document, paths: { '/': { get: { responses: {} } } } }), []);
    await rm(folder, { recursive: true });
});

test('every operation has a name of its own, a tag that is described, a summary and an answer', () => {
    const names = new Set(), tags = api.document.tags.map((tag) => tag.name);
    for (const { method, path, operation } of api.operations()) {
        const where = `${method} ${path}`;
        assert.match(operation.operationId, /^[a-z][A-Za-z]+$/, where);
        assert.ok(!names.has(operation.operationId), where);
        names.add(operation.operationId);
        assert.equal(operation.tags.length, 1, where);
        assert.ok(tags.includes(operation.tags[0]), where);
        assert.ok(operation.summary.length > 5 && operation.description.length > 5, where);
        assert.ok(Object.keys(operation.responses).some((status) => /^2/.test(status)), where);
        assert.deepEqual(operation.parameters.map((each) => api.resolve(each)).filter((each) => each.in === 'path')
            .map((each) => each.name), [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]), where);
    }
});

/** Calls `found(where, item)` for all objects in the document. */
function walk(item, found, where = '#') {
    if (item === null || typeof item !== 'object')
        return;
    found(where, item);
    for (const [name, value] of Object.entries(item))
        if (name !== 'examples' && name !== 'example')
            walk(value, found, `${where}/${name}`);
}

test('every example and every default is what its schema says', () => {
    let examples = 0;
    walk(api.document, (where, item) => {
        const schema = item.schema ?? item;
        const shown = [...(Array.isArray(item.examples) ? item.examples : []), ...(item.example !== undefined ? [item.example] : []),
            ...(item.default !== undefined && where.includes('/schemas/') && !where.endsWith('/properties') ? [item.default] : [])];
        for (const example of shown) {
            assert.equal(api.problem(schema, example), null, `${where}: ${JSON.stringify(example).slice(0, 200)}`);
            examples++;
        }
    });
    assert.ok(examples > 60, String(examples));
});

test('every preset, and every setting by itself, is what the schema of a configuration says', async () => {
    const { presets } = (await expect(200, 'listPresets')).body;
    const { $schema, ...schema } = (await expect(200, 'getConfigSchema')).body;
    assert.equal($schema, 'https://json-schema.org/draft/2020-12/schema');
    assert.deepEqual(schema, api.document.components.schemas.Config);
    assert.deepEqual(presets.map((preset) => preset.name), api.document.components.schemas.PresetName.enum);
    for (const preset of presets) {
        assert.equal(api.problem(schema, preset.settings), null, preset.name);
        assert.equal(api.problem(schema, preset.config), null, preset.name);
    }
    assert.notEqual(api.problem(schema, { epochs: -1 }), null);
    assert.notEqual(api.problem(schema, { epoch: 1 }), null);
});

test('every operation answers as the document says, well and badly', async () => {
    for (const id of ['isAlive', 'isReady', 'getVersion', 'listDatasets', 'getOpenapi', 'listRuns'])
        await expect(200, id);
    for (const id of ['getVersion', 'listPresets', 'getConfigSchema', 'getOpenapi', 'listDatasets']) {
        const { headers } = await expect(200, id);
        await expect(304, id, {}, undefined, { 'If-None-Match': headers.get('etag') });
        await expect(400, id, { nonsense: 1 });
    }
    await expect(200, 'getSample', { name: 'bars', split: 'train', i: 7 });
    await expect(404, 'getSample', { name: 'bars', split: 'train', i: 700 });
    await expect(404, 'getSample', { name: 'brs', split: 'train', i: 7 });

    const made = await expect(201, 'makeRun', {}, { name: 'described', tags: ['a'], notes: 'two\nlines', config: small() });
    const { id } = made.body;
    const run = (await expect(200, 'getRun', { id, wait: 120 })).body;
    assert.equal(run.state, 'finished');
    await expect(422, 'makeRun', {}, { config: { epochs: -1, epoch: 2 }, nmae: 'x' });
    await expect(400, 'makeRun', { dry: 1 }, {});
    await expect(200, 'listRuns', { state: 'finished', tag: 'a', limit: 1, before: id + 1 });
    await expect(400, 'listRuns', { state: 'over' });
    await expect(404, 'getRun', { id: 999 });
    const tagged = await expect(200, 'getRun', { id });
    await expect(304, 'getRun', { id }, undefined, { 'If-None-Match': tagged.headers.get('etag') });

    await expect(200, 'getMetrics', { id });
    await expect(200, 'getMetrics', { id: 'latest', format: 'csv', max_points: 3, layers: '0', after: 10, before: 40 });
    await expect(400, 'getMetrics', { id, layers: '7' });
    await expect(404, 'getMetrics', { id: 'current' });
    await expect(200, 'getEpochs', { id });
    await expect(200, 'getEpochs', { id, format: 'csv' });
    await expect(404, 'getEpochs', { id: 999 });
    await expect(200, 'getHistograms', { id });
    await expect(200, 'getHistograms', { id, epoch: 1 });
    await expect(400, 'getHistograms', { id, epoch: 0 });
    await expect(404, 'getHistograms', { id, epoch: 9 });
    await expect(200, 'getConfusion', { id });
    await expect(400, 'getConfusion', { id, epoch: 1 });
    await expect(404, 'getConfusion', { id: 999 });
    for (const format of ['json', 'text', 'csv'])
        await expect(200, 'compareRuns', { runs: id, format });
    await expect(400, 'compareRuns', { runs: 'all' });
    await expect(404, 'compareRuns', { runs: `${id},999` });
    await expect(200, 'getLog', { id });
    await expect(404, 'getLog', { id: 999 });
    await expect(200, 'getTimeline', { id });

    await expect(200, 'predict', { id }, { sample: 3 });
    await expect(200, 'predict', { id }, { image: new Array(64).fill(0.5) });
    await expect(422, 'predict', { id }, { image: [2] });
    await expect(422, 'predict', { id }, {});
    await expect(200, 'getWeights', { id, n: 0, unit: 1, count: 2 });
    await expect(400, 'getWeights', { id, n: 0, count: 0 });
    await expect(404, 'getWeights', { id, n: 9 });
    const file = await expect(200, 'getCheckpoint', { id });
    await expect(206, 'getCheckpoint', { id }, undefined, { 'Range': 'bytes=0-99' });
    await expect(416, 'getCheckpoint', { id }, undefined, { 'Range': 'bytes=99999999-' });
    await expect(304, 'getCheckpoint', { id }, undefined, { 'If-None-Match': file.headers.get('etag') });

    await expect(200, 'changeRun', { id }, { name: 'named', tags: [], notes: '' });
    await expect(409, 'changeRun', { id }, { config: { learning_rate: 0.1 } });
    await expect(422, 'changeRun', { id }, { config: { epochs: 3 }, tags: 1 });
    await expect(404, 'changeRun', { id: 999 }, {});
    await expect(200, 'resumeRun', { id }, { epochs: 1, placement: 'auto' });
    await expect(200, 'getRun', { id, wait: 120 });
    await expect(422, 'resumeRun', { id }, { epochs: 0 });
    await expect(409, 'pauseRun', { id });
    await expect(200, 'stopRun', { id });

    const long = await makeRun(daemon, endless());
    await trains(daemon, long.id);
    await expect(200, 'changeRun', { id: 'current' }, { config: { learning_rate: 0.01, threshold: [1, 2] } });
    await expect(200, 'getTimeline', { id: 'current' });
    await expect(409, 'deleteRun', { id: 'current' });
    await expect(200, 'pauseRun', { id: 'current' });
    await expect(409, 'resumeRun', { id: long.id }, { epochs: 2 });
    await expect(422, 'pauseRun', { id: 'current' }, { now: true });
    await expect(200, 'stopRun', { id: 'current' });
    await expect(200, 'getRun', { id: long.id, wait: 120 });
    await expect(204, 'deleteRun', { id });
    await expect(404, 'deleteRun', { id });
    for (const id of ['stopRun', 'pauseRun', 'resumeRun', 'predict', 'getCheckpoint', 'getTimeline', 'watchRun'])
        await expect(404, id, { id: 999 }, id === 'predict' ? { sample: 1 } : undefined);
});

test('signing in and out answers as the document says, without a token and with one', async () => {
    await expect(409, 'signIn', {}, { token: 'x' });
    await expect(422, 'signIn', {}, { token: 1 });
    assert.match((await expect(200, 'scrape')).text, /^goodness_build_info\{/m);
    const folder = await mkdtemp(path.join(os.tmpdir(), 'goodness-openapi-')), file = path.join(folder, 'token');
    await writeFile(file, 'correct-horse-battery-staple', { mode: 0o600 });
    const open = daemon;
    daemon = await startDaemon({ args: ['--token-file', file] });
    try {
        await expect(200, 'getSignIn');
        await expect(401, 'listRuns');
        await expect(401, 'signIn', {}, { token: 'wrong' });
        const { headers } = await expect(204, 'signIn', {}, { token: 'correct-horse-battery-staple' });
        await expect(200, 'listRuns', {}, undefined, { 'Cookie': headers.get('set-cookie').split(';')[0] });
        await expect(200, 'listRuns', {}, undefined, { 'Authorization': 'Bearer correct-horse-battery-staple' });
        await expect(204, 'signOut');
        const guesses = await Promise.all(Array.from({ length: 50 }, () => ask('signIn', {}, { token: 'wrong' })));
        assert.ok(guesses.some((answer) => answer.status === 429));
    } finally {
        await daemon.stop();
        daemon = open;
        await rm(folder, { recursive: true });
    }
});

test('every event is one that the document describes', async () => {
    const events = await Events.open(daemon, '/api/v1/events');
    const { id } = await makeRun(daemon, endless());
    const first = await events.until((event) => event.type === 'epoch' && event.data.run === id);
    await ask('changeRun', { id }, { config: { learning_rate: 0.003 } });
    const second = await events.until((event) => event.type === 'change');
    await ask('stopRun', { id });
    const third = await events.until((event) => event.type === 'state' && event.data.id === id && event.data.state === 'stopped');
    const own = await Events.open(daemon, `/api/v1/runs/${id}/events`, { 'Last-Event-ID': '1' });
    const replayed = await own.rest();
    await ask('deleteRun', { id });
    const fourth = await events.until((event) => event.type === 'deleted');
    events.close();
    const all = [...first, ...second, ...third, ...replayed, ...fourth];
    for (const { type, id: number, data } of all) {
        const event = { event: type, ...(number !== undefined ? { id: number } : {}), data };
        assert.equal(api.problem({ $ref: '#/components/schemas/Event' }, event), null, JSON.stringify(event).slice(0, 600));
    }
    assert.deepEqual([...new Set(all.map((event) => event.type))].sort(), ['change', 'deleted', 'dropped', 'epoch', 'histogram', 'points', 'state']);
    for (const name of ['watchRun', 'watchAll']) {
        const { operation } = api.operation(name);
        assert.equal(operation.responses[200].content['text/event-stream'].schema.$ref, '#/components/schemas/EventStream');
        asked.add(`${name} 200`);
    }
    assert.match(own.response.headers.get('content-type'), /^text\/event-stream/);
});

test('no operation was forgotten above', () => {
    for (const { operation } of api.operations()) {
        const seen = [...asked].filter((each) => each.startsWith(`${operation.operationId} `));
        assert.ok(seen.some((each) => / 2/.test(each)), `${operation.operationId} was not asked, or did not answer well`);
    }
});

// The other resources, and HTTP's own rules.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { CLASSES, ended, makeRun, pixelAt, raw, SIDE, small, startDaemon } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
after(() => daemon.stop());

test('alive and ready', async () => {
    assert.equal((await daemon.json('GET', '/healthz')).status, 200);
    assert.equal((await daemon.json('GET', '/readyz')).status, 200);
});

test('the version tells program, libraries, kernel and processor', async () => {
    const { body } = await daemon.json('GET', '/api/v1/version');
    assert.equal(body.program, 'goodness');
    assert.match(body.version, /^\d+\.\d+\.\d+$/);
    for (const library of ['libmicrohttpd', 'cJSON', 'openblas', 'sqlite', 'libgcrypt', 'libzip', 'zlib'])
        assert.match(body.libraries[library], /^\d+\.\d+/, library);
    assert.ok(body.blas.kernel.length > 0);
    assert.ok(body.cpu.model.length > 0);
});

/** A setting with parts may name some of them; the others keep their defaults. */
const whole = (all, some) => some !== null && typeof some === 'object' && !Array.isArray(some) ? { ...all, ...some } : some;

test('the configuration has a schema, and every preset obeys its names', async () => {
    const schema = (await daemon.json('GET', '/api/v1/config')).body;
    assert.match(schema.$schema, /2020-12/);
    const { presets } = (await daemon.json('GET', '/api/v1/presets')).body;
    assert.ok(presets.some((preset) => preset.name === 'hinton'));
    for (const preset of presets) {
        assert.deepEqual(Object.keys(preset.config).sort(), Object.keys(schema.properties).sort());
        assert.ok(preset.title.length > 0 && preset.summary.length > 0);
        for (const [name, value] of Object.entries(preset.settings))
            assert.deepEqual(preset.config[name], whole(preset.config[name], value), `${preset.name} ${name}`);
    }
});

test('the data sets tell whether they are here, or how to get them', async () => {
    const { datasets } = (await daemon.json('GET', '/api/v1/datasets')).body;
    assert.deepEqual(datasets.map((dataset) => dataset.name), ['mnist', 'fashion-mnist', 'bars']);
    for (const dataset of datasets)
        assert.equal(dataset.present, dataset.how_to_get === null);
    assert.equal(datasets[2].present, true);
});

test('a data set that is damaged says what is wrong with it, until it is mended', async (context) => {
    const own = await startDaemon();
    context.after(() => own.stop());
    const bars = async () => (await own.json('GET', '/api/v1/datasets')).body.datasets.find((set) => set.name === 'bars');
    assert.deepEqual((({ present, problem }) => ({ present, problem }))(await bars()), { present: true, problem: null });

    const file = path.join(own.home, 'bars', 'train-images-idx3-ubyte'), whole = await readFile(file);
    await writeFile(file, whole.subarray(0, 1000));
    assert.match((await bars()).problem, /train-images/);
    const refused = await own.json('POST', '/api/v1/runs', { config: small() });
    assert.equal(refused.status, 422);
    assert.equal(refused.body.errors[0].pointer, '/config/dataset');
    assert.match(refused.body.errors[0].detail, /train-images/);
    await writeFile(file, whole);
    assert.equal((await bars()).problem, null);
    assert.equal((await own.json('POST', '/api/v1/runs', { config: small() })).status, 201);
});

test('a sample is its image, from 0 to 1, and its label', async () => {
    const { body } = await daemon.json('GET', '/api/v1/datasets/bars/samples/test/7');
    const pixels = [];
    for (let row = 0; row < SIDE; row++)
        for (let column = 0; column < SIDE; column++)
            pixels.push(pixelAt(7, 7 % CLASSES, row, column));
    const { image, ...rest } = body;
    assert.deepEqual(image.map((value) => Math.fround(value)), pixels.map((byte) => Math.fround(byte / 255)));
    assert.deepEqual(rest, { dataset: 'bars', split: 'test', index: 7, label: 7 % CLASSES, channels: 1, height: SIDE,
        width: SIDE });
    assert.equal((await daemon.json('GET', '/api/v1/datasets/bars/samples/train/399')).status, 200);
});

test('samples that are not there are 404, in words', async () => {
    for (const [where, words] of [['bars/samples/test/100', /0 to 99/], ['bars/samples/train/400', /0 to 399/],
        ['bars/samples/test/-1', /0 to 99/], ['bars/samples/test/00', /0 to 99/], ['bars/samples/test/07', /0 to 99/],
        ['bars/samples/test/x', /0 to 99/], ['bars/samples/valid/0', /train or test/],
        ['brs/samples/test/0', /bars/], ['..%2F..%2Fetc/samples/test/0', /no data set/]]) {
        const { status, body } = await daemon.json('GET', `/api/v1/datasets/${where}`);
        assert.equal(status, 404, where);
        assert.match(body.detail, words);
    }
});

test('what changes little has an ETag, and is not sent twice', async () => {
    for (const where of ['/api/v1/config', '/api/v1/presets', '/api/v1/datasets', '/api/v1/version',
        '/api/v1/datasets/bars/samples/test/0']) {
        const etag = (await daemon.json('GET', where)).headers.get('etag');
        assert.match(etag, /^"[^"]+"$/, where);
        const again = await daemon.json('GET', where, undefined, { 'If-None-Match': etag });
        assert.equal(again.status, 304);
        assert.equal(again.text, '');
    }
});

test('what is told of a run that has ended has an ETag, and is not sent twice', async () => {
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    for (const where of ['', '/metrics', '/metrics?format=csv', '/epochs', '/epochs?format=csv', '/histograms', '/confusion',
        '/layers/0/weights', '/checkpoint', '/log']) {
        const first = await daemon.request(`/api/v1/runs/${id}${where}`), etag = first.headers.get('etag');
        assert.equal(first.status, 200, where);
        assert.match(etag ?? '', /^"[^"]+"$/, where);
        await first.arrayBuffer();
        const again = await daemon.request(`/api/v1/runs/${id}${where}`, { headers: { 'If-None-Match': etag } });
        assert.equal(again.status, 304, where);
        assert.equal((await again.arrayBuffer()).byteLength, 0);
    }
    for (const where of ['/api/v1/runs', `/api/v1/compare?runs=${id}`])
        assert.ok((await daemon.request(where)).headers.get('etag'), where);
});

test('methods: HEAD wherever GET, OPTIONS and 405 say what is allowed', async () => {
    for (const [where, allow] of [['/api/v1/runs', 'GET, HEAD, OPTIONS, POST'], ['/api/v1/config', 'GET, HEAD, OPTIONS'],
        ['/api/v1/runs/1', 'DELETE, GET, HEAD, OPTIONS, PATCH'], ['/api/v1/runs/1/stop', 'OPTIONS, POST']]) {
        const sorted = (answer) => answer.headers.allow.split(', ').sort().join(', ');
        const options = await raw(daemon, { method: 'OPTIONS', path: where });
        assert.equal(options.status, 204);
        assert.equal(sorted(options), allow);
        const put = await raw(daemon, { method: 'PUT', path: where, body: '{}' });
        assert.equal(put.status, 405);
        assert.equal(sorted(put), allow);
        assert.equal(put.headers['content-type'], 'application/problem+json');
    }
    const get = await raw(daemon, { path: '/api/v1/config' });
    const head = await raw(daemon, { method: 'HEAD', path: '/api/v1/config' });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-length'], String(get.text.length));
    assert.equal((await raw(daemon, { method: 'HEAD', path: '/api/v1/events' })).status, 200);
});

test('unknown paths are 404 with any method, as a page for browsers', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'])
        for (const where of ['/api/v1/nothing', '/api/v1/runs/1/nothing', '/api/v1/runs/', '/nothing', '//']) {
            const { status, headers } = await raw(daemon, { method, path: where });
            assert.equal(status, 404, `${method} ${where}`);
            assert.equal(headers['content-type'], 'application/problem+json');
        }
});

test('pages carry the fields that protect them', async () => {
    const { status, headers, text } = await raw(daemon, { path: '/' });
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/html/);
    assert.match(headers['content-security-policy'], /default-src 'self'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal((await raw(daemon, { path: '/', headers: { 'If-None-Match': headers.etag } })).status, 304);
    assert.equal((await raw(daemon, { path: '/?run=7' })).text, text);
    assert.equal((await raw(daemon, { method: 'POST', path: '/' })).status, 405);
    const missing = await raw(daemon, { path: '/nothing.html', headers: { Accept: 'text/html,*/*' } });
    assert.equal(missing.status, 404);
    assert.match(missing.headers['content-type'], /^text\/html/);
    assert.match(missing.headers['content-security-policy'], /default-src 'self'/);
});

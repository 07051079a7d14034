// The pages out of the program: compressed for who takes it so, the same to the byte for who does not.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startDaemon } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
after(() => daemon.stop());

/** One request as it is; { status, headers, body } with the body's bytes as they came. */
function get(path, headers = {}, method = 'GET') {
    return new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port: daemon.port, method, path, headers }, (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.on('end', () =>
                resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }));
        });
        request.on('error', reject);
        request.end();
    });
}

const files = ['/', '/live.js', '/lib/uPlot.esm.js', '/style/components.css', '/favicon.svg'];

test('a page is compressed for who takes gzip, and the same for who does not', async () => {
    for (const path of files) {
        const plain = await get(path);
        const small = await get(path, { 'Accept-Encoding': 'gzip, deflate, br' });
        assert.equal(plain.headers['content-encoding'], undefined, path);
        assert.equal(small.headers['content-encoding'], 'gzip', path);
        assert.ok(small.body.length < plain.body.length, path);
        assert.deepEqual(gunzipSync(small.body), plain.body, path);
        assert.equal(small.headers['content-type'], plain.headers['content-type']);
        for (const { headers } of [plain, small]) assert.equal(headers.vary, 'Accept-Encoding', path);
    }
});

test('compressed and plain have tags of their own, and each is not sent twice', async () => {
    const gzip = { 'Accept-Encoding': 'gzip' };
    const plain = (await get('/live.js')).headers.etag, small = (await get('/live.js', gzip)).headers.etag;
    assert.notEqual(plain, small);
    assert.equal((await get('/live.js', { ...gzip, 'If-None-Match': small })).status, 304);
    assert.equal((await get('/live.js', { 'If-None-Match': plain })).status, 304);
    assert.equal((await get('/live.js', { ...gzip, 'If-None-Match': plain })).status, 200);
    assert.equal((await get('/live.js', { 'If-None-Match': small })).status, 200);
});

for (const [field, compressed] of [
    ['gzip', true], ['GZip', true], ['br, gzip;q=0.5', true], ['gzip ; q=1.0', true], ['identity,gzip', true],
    ['gzip;q=0', false], ['gzip;q=0.000, br', false], ['br', false], ['gzipped', false], ['x', false], ['', false],
])
    test(`"Accept-Encoding: ${field}" is ${compressed ? '' : 'not '}answered in gzip`, async () => {
        const { headers, status } = await get('/live.js', { 'Accept-Encoding': field });
        assert.equal(status, 200);
        assert.equal(headers['content-encoding'], compressed ? 'gzip' : undefined);
    });

test('HEAD says of a compressed page what GET says', async () => {
    const field = { 'Accept-Encoding': 'gzip' };
    const head = await get('/', field, 'HEAD'), page = await get('/', field);
    assert.equal(Number(head.headers['content-length']), page.body.length);
    assert.equal(head.headers['content-encoding'], 'gzip');
    assert.equal(head.headers.etag, page.headers.etag);
});

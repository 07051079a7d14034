// What the daemon logs: a line a request at debug, in either format, and nothing but lines.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { raw, startDaemon } from './support.mjs';

/** All four lines, in whatever order. */
const LINES = /^(?=[^]*POST \/api)(?=[^]*\/a%0ab)(?=[^]*HEAD \/healthz)(?=[^]*GET \/healthz)/;

async function log(args) {
    const daemon = await startDaemon({ args });
    try {
        await daemon.json('POST', '/api/v1/runs?secret=1', { config: { epochs: -1 } }, { 'Authorization': 'Bearer shown-to-nobody' });
        await raw(daemon, { path: '/a%0ab%22%e2%82%ac"\\' });
        await raw(daemon, { method: 'HEAD', path: '/healthz' });
        await daemon.json('GET', '/healthz');
        return await daemon.logged(LINES);
    } finally {
        await daemon.stop();
    }
}

test('a request is a line at debug: method, path, status, bytes, milliseconds', async () => {
    const text = await log(['--log-level', 'debug']);
    for (const line of text.trimEnd().split('\n'))
        assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) \S/);
    assert.match(text, / debug POST \/api\/v1\/runs 400 \d+ bytes \d+\.\d ms\n/);
    assert.match(text, / debug GET \/a%0ab%22%e2%82%ac"\\ 404 \d+ bytes \d+\.\d ms\n/);
    assert.match(text, / debug HEAD \/healthz 200 0 bytes \d+\.\d ms\n/);
    assert.match(text, / debug GET \/healthz 200 19 bytes \d+\.\d ms\n/);
    assert.ok(!/secret|Bearer|nobody|epochs/.test(text), text);
});

test('in JSON every line is an object with time, level and message', async () => {
    const text = await log(['--log-level', 'debug', '--log-format', 'json']);
    const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line));
    for (const line of lines) {
        assert.deepEqual(Object.keys(line), ['time', 'level', 'message']);
        assert.ok(!Number.isNaN(Date.parse(line.time)));
    }
    assert.ok(lines.some(({ level, message }) => level === 'debug' && /^GET \/a%0ab%22%e2%82%ac"\\ 404 /.test(message)));
});

test('above debug no request is logged', async () => {
    const daemon = await startDaemon();
    let text;
    try {
        await daemon.json('GET', '/healthz');
        await daemon.json('POST', '/api/v1/runs', { config: { epochs: -1 } });
        text = await daemon.logged(/listens on/);
    } finally {
        await daemon.stop();
    }
    assert.ok(!/GET|POST|debug/.test(text), text);
    const silent = await startDaemon({ args: ['--log-level', 'error'] });
    await silent.stop();
    assert.equal(await silent.logged(/^/), '');
});

// Limits of what others may take up: time to arrive, connections, attention. Whoever stays within them is served meanwhile.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { setInterval as ticks } from 'node:timers/promises';

import { raw, startDaemon } from './support.mjs';

const SECONDS = 2;

/** A connection, and what came on it until it closed. */
function dial(daemon) {
    const socket = net.connect(daemon.port, '127.0.0.1'), line = { socket, text: '' };
    socket.setEncoding('latin1');
    socket.on('data', (part) => { line.text += part; });
    socket.on('error', () => {}); /* a reset is an end too */
    line.closed = new Promise((resolve) => socket.once('close', resolve));
    line.opened = once(socket, 'connect');
    return line;
}

/** Until that many answers have begun, or it is closed. */
async function answers(line, count) {
    const begun = () => line.text.split(/HTTP\/1\.1 \d{3} /).length - 1;
    while (begun() < count && !line.socket.closed)
        await Promise.race([once(line.socket, 'data'), line.closed]);
    return [...line.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}

/** Feed it bit by bit, for as long as it is open. */
async function drip(line, first, bits, milliseconds) {
    line.socket.write(first);
    for await (const _ of ticks(milliseconds)) {
        const [bit] = bits.splice(0, 1);
        if (line.socket.closed || line.socket.destroyed || bit === undefined)
            return;
        line.socket.write(bit);
    }
}

const POST = 'POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const GET = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n';

/** What comes first and at once, and what then comes a byte at a time. Never a whole request. */
const LATE = {
    'one byte, then nothing': ['G', ''],
    'a request line': ['', `GET /${'x'.repeat(1000)}`],
    'fields': [GET, `X-A: ${'x'.repeat(1000)}`],
    'many fields': [GET, 'X: y\r\n'.repeat(1000)],
    'half a head, then nothing': [GET, ''],
    'a body': [`${POST}Content-Length: 2000\r\n\r\n`, ' '.repeat(1000)],
    'half a body, then nothing': [`${POST}Content-Length: 2000\r\n\r\n{`, ''],
    'a body that will be refused': [`${POST}Content-Length: 2000000\r\n\r\n`, ' '.repeat(1000)],
    'a body of no known length': [`${POST}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'.repeat(1000)],
    'a trailer': [`${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n`, `X-A: ${'x'.repeat(1000)}`],
};

test('a request that does not arrive whole in time is told 408 and closed, however it comes', async () => {
    const daemon = await startDaemon({ environment: { GOODNESS_ARRIVAL_SECONDS: String(SECONDS) } });
    try {
        const late = Object.entries(LATE).flatMap(([what, [first, rest]]) => [
            [what, first, rest, [408]],
            [`${what}, on a connection that was used before`, `${GET}\r\n`, first + rest, [200, 408]],
        ]);
        await Promise.all(late.map(async ([what, first, rest, statuses]) => {
            const line = dial(daemon), began = performance.now();
            await line.opened;
            if (statuses.length === 2) {
                line.socket.write(first);
                await answers(line, 1);
                await drip(line, rest.slice(0, 1), [...rest.slice(1)], 50);
            } else {
                await drip(line, first, [...rest], 50);
            }
            await line.closed;
            assert.deepEqual(await answers(line, 2), statuses, `${what}: ${line.text}`);
            assert.ok(performance.now() - began >= SECONDS * 1000, `${what}: too early`);
            assert.match(line.text, /Connection: close\r\n(?:.+\r\n)*\r\n\{.*"status":408,.*\}\n$/, what);
        }));
        assert.match(await daemon.logged(/answered 408/), /warning \d+ requests? did not arrive whole within 2 seconds: answered 408, and closed\n/);
        const metrics = (await daemon.json('GET', '/metrics')).text;
        assert.equal(Number(/^goodness_http_requests_late_total (\d+)$/m.exec(metrics)[1]), late.length);
    } finally {
        await daemon.stop();
    }
});

test('a connection that is open and silent is not late: it closes without a word', async () => {
    const daemon = await startDaemon({ environment: { GOODNESS_ARRIVAL_SECONDS: '0.5' } });
    try {
        const silent = dial(daemon), used = dial(daemon);
        used.socket.write(`${GET}\r\n`);
        await Promise.all([silent.closed, used.closed]);
        assert.equal(silent.text, '');
        assert.deepEqual(await answers(used, 1), [200]);
        assert.ok(used.text.endsWith('{"status":"alive"}\n'));
    } finally {
        await daemon.stop();
    }
});

test('what comes slowly, but in time, is answered', async () => {
    const daemon = await startDaemon();
    try {
        const line = dial(daemon);
        await drip(line, '', [...`${GET}Connection: close\r\n\r\n`], 1);
        await line.closed;
        assert.deepEqual(await answers(line, 1), [200]);
    } finally {
        await daemon.stop();
    }
});

test('a request that waits for a run, and a stream, may take longer than a request to arrive', async () => {
    const daemon = await startDaemon({ environment: { GOODNESS_ARRIVAL_SECONDS: String(SECONDS) } });
    try {
        const made = await daemon.json('POST', '/api/v1/runs', { config: { dataset: 'bars', layers: [16], epochs: 1000000 } });
        assert.equal(made.status, 201, made.text);
        const stream = dial(daemon);
        stream.socket.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
        const waited = await daemon.json('GET', `/api/v1/runs/${made.body.id}?wait=5`);
        assert.equal(waited.status, 200);
        assert.equal(stream.socket.closed, false);
        assert.deepEqual(await answers(stream, 1), [200]);
        stream.socket.destroy();
    } finally {
        await daemon.stop();
    }
});

test('of two thousand connections 1,024 are served, the others told 503, and the health check is answered on all', async (t) => {
    /* However slow the machine is, none of those that are open closes for being silent. */
    const daemon = await startDaemon({ environment: { GOODNESS_ARRIVAL_SECONDS: '600' } });
    const lines = [];
    const open = async (count) => {
        const more = Array.from({ length: count }, () => dial(daemon));
        await Promise.all(more.map((line) => line.opened));
        lines.push(...more);
        return more;
    };
    const ask = (line, where) => { line.socket.write(`GET ${where} HTTP/1.1\r\nHost: localhost\r\n\r\n`); };
    try {
        if (Number(spawnSync('sh', ['-c', 'ulimit -H -n'], { encoding: 'utf8' }).stdout) < 5000) {
            t.skip('this machine allows too few descriptors');
            return;
        }
        const first = await open(1000);
        first.forEach((line) => ask(line, '/healthz'));
        for (const line of first)
            assert.deepEqual(await answers(line, 1), [200]);
        const further = await open(1000);
        further.forEach((line) => ask(line, '/api/v1/runs'));
        const statuses = (await Promise.all(further.map((line) => answers(line, 1)))).flat();
        assert.equal(statuses.filter((status) => status === 200).length, 24);
        assert.equal(statuses.filter((status) => status === 503).length, 976);
        const refused = further.filter((line) => line.text.startsWith('HTTP/1.1 503'));
        await Promise.all(refused.map((line) => line.closed));
        for (const { text } of refused)
            assert.match(text, /Retry-After: \d+\r\n[^]*"detail":"too many connections: more than 1024"/);
        assert.equal((await raw(daemon, { path: '/healthz' })).status, 200);
        assert.equal((await raw(daemon, { path: '/api/v1/runs' })).status, 503);
        ask(first[0], '/api/v1/runs');
        assert.deepEqual(await answers(first[0], 2), [200, 200], 'those who came first go on');
        const left = lines.filter((line) => !line.socket.closed);
        left.forEach((line) => line.socket.destroy());
        await Promise.all(left.map((line) => line.closed));
        let answer;
        do
            answer = await raw(daemon, { path: '/api/v1/runs' });
        while (answer.status === 503);
        assert.equal(answer.status, 200, 'there is room again');
    } finally {
        lines.forEach((line) => line.socket.destroy());
        await daemon.stop();
    }
});

test('readers who have stopped reading are closed after a while, and nobody waits for them', async () => {
    const daemon = await startDaemon({ environment: { GOODNESS_ARRIVAL_SECONDS: '0.5' } });
    const connections = async () => Number(/^goodness_http_connections (\d+)$/m.exec((await raw(daemon, { path: '/metrics' })).text)[1]);
    const lines = Array.from({ length: 100 }, () => dial(daemon));
    try {
        await Promise.all(lines.map((line) => line.opened));
        for (const { socket } of lines) {
            socket.pause();
            socket.write('GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(100));
        }
        const began = performance.now();
        for (let served = 0; served < 200; served++)
            assert.equal((await raw(daemon, { path: '/api/v1/config' })).status, 200);
        assert.ok(await connections() >= 50 || performance.now() - began > 5000, 'they still wait, unless that took long');
        for await (const _ of ticks(100)) {
            if (await connections() <= 2)
                break; /* the one that asks, and its last one */
        }
    } finally {
        lines.forEach((line) => line.socket.destroy());
        await daemon.stop();
    }
});

/** slowhttptest's four attacks, each with its own options. */
const ATTACKS = { 'slow headers': ['-H', '-i', '1'], 'slow bodies': ['-B', '-i', '1', '-s', '8192'], 'ranges': ['-R'],
    'slow reading': ['-X', '-w', '10', '-y', '20', '-n', '1', '-z', '5', '-k', '10'] };

test('under slowhttptest\'s four attacks at once others are served', async () => {
    const daemon = await startDaemon({ environment: { GOODNESS_ARRIVAL_SECONDS: String(SECONDS) } });
    try {
        const attacks = Object.values(ATTACKS).map((options) => spawn('slowhttptest', [...options, '-c', '200', '-r', '200', '-l', '6', '-p', '5',
            '-u', `http://127.0.0.1:${daemon.port}/lib/uPlot.esm.js`], { stdio: 'ignore', env: { ...process.env, TERM: 'dumb' } }));
        let going = attacks.length, served = 0;
        attacks.forEach((attack) => attack.once('exit', () => { going--; }));
        for (; going > 0; served++) {
            assert.equal((await raw(daemon, { path: '/healthz' })).status, 200);
            assert.equal((await raw(daemon, { path: '/api/v1/presets' })).status, 200);
        }
        assert.ok(served > 0);
        const metrics = (await raw(daemon, { path: '/metrics' })).text;
        assert.ok(Number(/^goodness_http_requests_late_total (\d+)$/m.exec(metrics)[1]) >= 200, 'the slow ones were told 408');
    } finally {
        await daemon.stop();
    }
});

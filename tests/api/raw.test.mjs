// The daemon's answers to requests as bytes (raw_cases.mjs), sent at once and byte by byte.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { CASES } from './raw_cases.mjs';
import { startDaemon } from './support.mjs';

let daemon;
before(async () => { daemon = await startDaemon(); });
after(() => daemon.stop());

const MARKS = { '¶': '\r\n', '␍': '\r', '␊': '\n', '␀': '\0', '␉': '\t', '␁': '\x01', '␋': '\x0b', '␟': '\x1f', '␡': '\x7f' };
const bytes = (text) => Buffer.from(text.replace(/[¶␍␊␀␉␁␋␟␡]/g, (mark) => MARKS[mark]), 'latin1');

/** A connection that reads answers one by one. */
class Connection {
    static async open() {
        const connection = new Connection(), socket = net.connect(daemon.port, '127.0.0.1');
        Object.assign(connection, { socket, data: Buffer.alloc(0), ended: false, reset: false, wake: () => {} });
        socket.setNoDelay(true);
        socket.on('data', (part) => { connection.data = Buffer.concat([connection.data, part]); connection.wake(); });
        for (const end of ['end', 'close'])
            socket.on(end, () => { connection.ended = true; connection.wake(); });
        socket.on('error', () => { connection.ended = connection.reset = true; connection.wake(); });
        await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
        return connection;
    }

    write(data) {
        if (!this.ended)
            this.socket.write(data);
    }

    /** Until `found` gives something, or nothing more can come: undefined then. */
    async until(found) {
        for (;;) {
            const result = found(this.data);
            if (result !== undefined || this.ended)
                return result;
            await new Promise((resolve) => { this.wake = resolve; });
        }
    }

    /** The next answer, or null at the end. `bodiless`: to HEAD. */
    async answer(bodiless = false) {
        const end = await this.until((data) => { const at = data.indexOf('\r\n\r\n'); return at < 0 ? undefined : at + 4; });
        if (end === undefined) {
            assert.equal(this.data.length, 0, `half an answer: ${this.data.toString('latin1')}`);
            return null;
        }
        const head = this.data.subarray(0, end).toString('latin1'), [, status] = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(head) ?? assert.fail(head);
        const type = /^content-type: (.*)\r$/mi.exec(head)?.[1] ?? '';
        const length = bodiless || ['100', '204', '304'].includes(status) ? 0 : Number(/^content-length: (\d+)\r$/mi.exec(head)[1]);
        const whole = await this.until((data) => (data.length >= end + length ? true : undefined));
        assert.ok(whole, `half a body of ${status}`);
        const body = this.data.subarray(end, end + length).toString();
        this.data = this.data.subarray(end + length);
        return { status, head, type, body, closes: /^connection: close\r$/mi.test(head) };
    }

    close() {
        this.socket.destroy();
    }
}

/** Send the case, and tell what came back in the words of the table; `by` is checked on the way. */
async function exchangeOnce(text, expected, by, slowly) {
    const connection = await Connection.open(), got = [];
    const half = text.endsWith('⏹'), parts = text.replace('⏹', '').split('⏸').map(bytes);
    const bodiless = [...text.matchAll(/(?:^|¶)([^\s¶]+) [^¶]* HTTP\/1\.\d/g)].map((match) => match[1] === 'HEAD');
    const take = async () => {
        const answer = await connection.answer(bodiless[got.filter((status) => status !== '100').length]);
        if (answer !== null) {
            got.push(answer.status);
            if (Number(answer.status) >= 400)
                assert.equal(answer.type === 'application/problem+json', by === undefined || by === 'library, lax', `${answer.head}${answer.body}`);
            if (answer.type === 'application/problem+json' && answer.body !== '')
                assert.equal(JSON.parse(answer.body).status, Number(answer.status));
        }
        return answer;
    };
    for (const [index, part] of parts.entries()) {
        if (index > 0)
            await take();
        for (let at = 0; at < part.length && !(slowly && expected.endsWith('closed') && connection.data.length > 0); at += slowly ? 1 : part.length) {
            connection.write(part.subarray(at, slowly ? at + 1 : part.length));
            if (slowly)
                await new Promise(setImmediate);
        }
    }
    if (half)
        connection.socket.end();
    for (let left = expected.split(' ').length - 1 - got.length; left > 0 && await take() !== null;)
        left--;
    if (by === 'library, twice') {
        await connection.until(() => undefined);
        connection.data = Buffer.alloc(0);
    }
    if (!half)
        connection.write(bytes('GET /the-end HTTP/1.1¶Host: localhost¶¶'));
    for (let answer = await take(); answer !== null; answer = await take()) {
        if (answer.body.includes('nothing at /the-end')) {
            got[got.length - 1] = 'open';
            assert.ok(!answer.closes);
            connection.close();
            return got.join(' ');
        }
    }
    connection.close();
    return [...got, connection.reset && got.length < expected.split(' ').length - 1 ? 'reset' : 'closed'].join(' ');
}

/** Whoever still sends when the other side closes may lose what it answered (RFC 9112, 9.6): then once more. */
async function exchange(...row) {
    for (let tries = 0; tries < 50; tries++) {
        const got = await exchangeOnce(...row);
        if (!got.endsWith('reset'))
            return got;
    }
    return 'reset, again and again';
}

test('the table has what it promises', () => {
    const rows = Object.values(CASES).flat();
    assert.ok(rows.length >= 200, String(rows.length));
    for (const [what, text, expected, source, by] of rows) {
        assert.match(expected, /^(\d{3} )*(open|closed)$/, what);
        assert.match(source, /^(RFC \d+, |api\.md|curl)/, what);
        assert.ok([undefined, 'library', 'library, lax', 'library, twice'].includes(by), what);
        assert.ok(text.length > 0);
    }
    assert.equal(new Set(rows.map(([, text]) => text)).size, rows.length, 'no case is there twice');
});

for (const [group, rows] of Object.entries(CASES)) {
    test(`${group}: each request gets the answer that it deserves`, async () => {
        const wrong = [];
        for (const [what, text, expected, source, by] of rows) {
            for (const slowly of text.length < 2000 && !text.endsWith('⏹') ? [false, true] : [false]) {
                const got = await exchange(text, expected, by, slowly).catch((error) => error.message);
                if (got !== expected && !(text.endsWith('⏹') && got === '408 closed'))
                    wrong.push(`${what}${slowly ? ' (byte by byte)' : ''}: ${got}, not ${expected} (${source})`);
            }
        }
        assert.deepEqual(wrong, []);
    });
}

test('after all of that the daemon is as it was', async () => {
    assert.equal((await daemon.json('GET', '/healthz')).status, 200);
    assert.deepEqual((await daemon.json('GET', '/api/v1/runs')).body.runs, [], 'nothing was made');
});

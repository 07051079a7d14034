// A daemon with a token: what can be had without it, by which ways it is shown, how guessing is slowed, and what is said of files
// that are no good.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { raw, startDaemon } from './support.mjs';

const TOKEN = 'correct-horse-battery-staple';
const right = { 'Authorization': `Bearer ${TOKEN}` };

let daemon, folder, file;
before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'goodness-token-'));
    file = path.join(folder, 'token');
    await writeFile(file, `${TOKEN}\n`, { mode: 0o600 });
    daemon = await startDaemon({ args: ['--token-file', file, '--log-level', 'debug'] });
});
after(async () => {
    await daemon.stop();
    await rm(folder, { recursive: true });
});

/** As a browser would be sent: the cookie's name and value alone. */
const cookieOf = (answer) => answer.headers.get('set-cookie').split(';')[0];

async function signIn() {
    const answer = await daemon.json('POST', '/api/v1/login', { token: TOKEN });
    assert.equal(answer.status, 204, answer.text);
    return cookieOf(answer);
}

test('only the health check, the sign-in page and what it needs are open', async () => {
    const open = ['/healthz', '/login.html', '/login.js', '/lib/theme.js', '/style/tokens.css', '/style/components.css', '/favicon.svg',
        '/api/v1/login'];
    for (const where of open)
        assert.equal((await raw(daemon, { path: where })).status, 200, where);
    const { body } = await daemon.json('GET', '/api/v1/openapi.json', undefined, right);
    const paths = Object.keys(body.paths).map((each) => each.replace('{id}', '1').replace(/\{\w+\}/g, '0'));
    for (const where of [...paths, '/', '/index.html', '/live.js', '/lib/api.js', '/nothing', '/api/v1/nothing', '//healthz', '/healthz/',
        '/login.html/', '/Login.html', '/login.html%00', '*']) {
        if (open.includes(where) || where === '/api/v1/logout')
            continue;
        for (const method of ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS']) {
            const answer = await raw(daemon, { path: where, method });
            const allowed = where === '*' && method !== 'OPTIONS' ? 400 : 401;
            assert.equal(answer.status, allowed, `${method} ${where}`);
            if (allowed === 401)
                assert.match(answer.headers['www-authenticate'], /^Bearer realm="goodness"$/);
        }
    }
    assert.equal((await daemon.json('POST', '/healthz')).status, 401, 'another method than the open one');
});

test('the token as Authorization: Bearer lets in, in whatever case the word is', async () => {
    for (const word of ['Bearer', 'bearer', 'BEARER'])
        assert.equal((await daemon.json('GET', '/api/v1/runs', undefined, { 'Authorization': `${word} ${TOKEN}` })).status, 200);
    assert.equal((await daemon.json('POST', '/api/v1/runs', { config: { epochs: -1 } }, right)).status, 422);
    assert.equal((await daemon.json('GET', '/metrics', undefined, right)).status, 200);
});

test('other forms of the token do not', async () => {
    const basic = `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`;
    for (const field of [TOKEN, basic, `Bearer${TOKEN}`, `Token ${TOKEN}`, 'Bearer', 'Bearer  '])
        assert.equal((await raw(daemon, { path: '/api/v1/runs', headers: { 'Authorization': field } })).status, 401, field);
    assert.equal((await raw(daemon, { path: `/api/v1/runs?token=${TOKEN}` })).status, 401);
    assert.equal((await raw(daemon, { path: '/api/v1/runs', headers: { 'Cookie': `goodness-${daemon.port}=${TOKEN}` } })).status, 401);
});

test('signing in gives a cookie that scripts of pages cannot see and other sites cannot use', async () => {
    const answer = await daemon.json('POST', '/api/v1/login', { token: TOKEN });
    assert.equal(answer.status, 204);
    const cookie = answer.headers.get('set-cookie');
    assert.match(cookie, /; HttpOnly/);
    assert.match(cookie, /; SameSite=Strict/);
    assert.match(cookie, /; Path=\//);
    assert.ok(!cookie.includes(TOKEN) && !cookie.includes('Secure'), cookie);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const own = { 'Cookie': `other=1; ${cookieOf(answer)}` };
    assert.equal((await raw(daemon, { path: '/api/v1/runs', headers: own })).status, 200);
    assert.equal((await raw(daemon, { path: '/', headers: own })).status, 200);
    assert.deepEqual((await daemon.json('GET', '/api/v1/login', undefined, own)).body, { required: true, signed_in: true });
    assert.deepEqual((await daemon.json('GET', '/api/v1/login')).body, { required: true, signed_in: false });
});

test('signing out ends the session, and only that one', async () => {
    const one = { 'Cookie': await signIn() }, two = { 'Cookie': await signIn() };
    const gone = await raw(daemon, { method: 'POST', path: '/api/v1/logout', headers: one });
    assert.equal(gone.status, 204);
    assert.match(gone.headers['set-cookie'][0], /=; Path=\/; Max-Age=0; HttpOnly/);
    assert.equal((await raw(daemon, { path: '/api/v1/runs', headers: one })).status, 401);
    assert.equal((await raw(daemon, { path: '/api/v1/runs', headers: two })).status, 200);
    assert.equal((await raw(daemon, { method: 'POST', path: '/api/v1/logout' })).status, 204, 'nobody is signed in: so it stays');
});

test('another site can sign nobody in or out', async () => {
    const cookie = await signIn();
    for (const headers of [{ 'Origin': 'http://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }])
        for (const where of ['/api/v1/login', '/api/v1/logout'])
            assert.equal((await raw(daemon, { method: 'POST', path: where, headers: { ...headers, 'Cookie': cookie } })).status, 403);
    assert.equal((await raw(daemon, { path: '/api/v1/runs', headers: { 'Cookie': cookie } })).status, 200);
    assert.equal((await raw(daemon, { path: '/api/v1/runs', headers: { 'Host': 'evil.example', ...right } })).status, 421);
});

test('a page that is asked for leads to the sign-in page and back', async () => {
    const headers = { 'Accept': 'text/html,*/*' };
    const led = async (where) => (await raw(daemon, { path: where, headers })).headers.location;
    const answer = await raw(daemon, { path: '/', headers });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.location, '/login.html?to=/');
    assert.equal(await led('/?run=3&smooth=1#x'.replace('#x', '')), '/login.html?to=/%3Frun%3D3%26smooth%3D1');
    assert.equal(await led('/index.html'), '/login.html?to=/index.html');
    assert.equal(await led(`/?${'x'.repeat(400)}`), '/login.html', 'too long to be brought back');
    assert.equal((await raw(daemon, { path: '/api/v1/runs', headers })).status, 401, 'data is no page');
});

test('a body that is not a token is told what it should be', async () => {
    for (const [body, pointer] of [[{}, '/token'], [{ token: 7 }, '/token'], [{ token: TOKEN, user: 'x' }, '/user']]) {
        const answer = await daemon.json('POST', '/api/v1/login', body);
        assert.equal(answer.status, 422);
        assert.deepEqual(answer.body.errors.map((error) => error.pointer), [pointer]);
    }
});

test('wrong tokens are refused, and soon not looked at, whoever gives them; sessions go on', async () => {
    const own = { 'Cookie': await signIn() };
    const guesses = Array.from({ length: 200 }, (_, i) => (i % 2 === 0
        ? daemon.json('GET', '/api/v1/runs', undefined, { 'Authorization': `Bearer guess-number-${i}` })
        : daemon.json('POST', '/api/v1/login', { token: `guess-number-${i}` })));
    const answers = await Promise.all(guesses), count = (status) => answers.filter((answer) => answer.status === status).length;
    assert.equal(count(401) + count(429), 200);
    assert.ok(count(401) >= 10 && count(401) < 100, `${count(401)} were looked at`);
    for (const { status, headers, body } of answers) {
        assert.equal(body.status, status);
        assert.equal(headers.get(status === 429 ? 'retry-after' : 'www-authenticate') !== null, true);
    }
    assert.equal((await raw(daemon, { path: '/api/v1/runs', headers: own })).status, 200);
    const metrics = (await daemon.json('GET', '/metrics', undefined, own)).text;
    assert.ok(Number(/^goodness_token_failures_total (\d+)$/m.exec(metrics)[1]) >= 200);
    let answer;
    do
        answer = await daemon.json('GET', '/api/v1/runs', undefined, right);
    while (answer.status === 429);
    assert.equal(answer.status, 200, 'the right one is taken again once there is room');
});

test('the log names no token, cookie, query or body', async () => {
    const cookie = await signIn();
    await daemon.json('GET', `/api/v1/runs?tag=${TOKEN}`, undefined, { ...right, 'Cookie': cookie });
    await daemon.json('POST', '/api/v1/login', { token: 'a-wrong-one-in-a-body' });
    const log = await daemon.logged(/POST \/api\/v1\/login 4\d\d/);
    assert.match(log, /debug GET \/api\/v1\/runs 200 \d+ bytes \d+\.\d ms\n/);
    for (const secret of [TOKEN, cookie.split('=')[1], 'a-wrong-one', 'tag=', 'Bearer', 'Cookie'])
        assert.ok(!log.includes(secret), secret);
});

test('without a token nobody has to sign in, and nobody can', async () => {
    const other = await startDaemon();
    try {
        assert.deepEqual((await other.json('GET', '/api/v1/login')).body, { required: false, signed_in: false });
        assert.equal((await other.json('POST', '/api/v1/login', { token: TOKEN })).status, 409);
        assert.equal((await other.json('POST', '/api/v1/logout')).status, 204);
    } finally {
        await other.stop();
    }
});

const serve = (...args) => spawnSync(process.env.GOODNESS, ['serve', '--port', '0', '--state', path.join(folder, 'state'), ...args],
    { encoding: 'utf8' });

test('a token file that others may read, or that is too short or not there, is refused in one line', async () => {
    const loose = path.join(folder, 'loose'), short = path.join(folder, 'short');
    await writeFile(loose, TOKEN, { mode: 0o600 });
    await chmod(loose, 0o644);
    await writeFile(short, 'short\n', { mode: 0o600 });
    for (const [name, words] of [[loose, `chmod 600 ${loose}`], [short, '16 to 512 characters'], [path.join(folder, 'none'), 'No such file'],
        [folder, 'is a folder']]) {
        const { status, stdout, stderr } = serve('--token-file', name);
        assert.equal(status, 1);
        assert.equal(stdout, '');
        assert.match(stderr, /^goodness serve: .+\n$/);
        assert.ok(stderr.includes(words), stderr);
    }
});

test('other machines are let in only with a token', async () => {
    for (const address of ['0.0.0.0', '::', '192.0.2.1']) {
        const { status, stderr } = serve('--listen', address);
        assert.equal(status, 1);
        assert.match(stderr, /^goodness serve: --listen \S+ would let other machines in, .* --token-file FILE/);
    }
    const open = await startDaemon({ args: ['--listen', '0.0.0.0', '--token-file', file] });
    try {
        const ask = (host, headers = {}) => raw(open, { path: '/api/v1/runs', headers: { 'Host': host, ...headers } });
        assert.equal((await ask(`127.0.0.1:${open.port}`)).status, 401);
        assert.equal((await ask(`127.0.0.1:${open.port}`, right)).status, 200);
        assert.equal((await ask(`0.0.0.0:${open.port}`, right)).status, 421, 'no address that one calls');
        assert.equal((await ask(`192.0.2.7:${open.port}`, right)).status, 421, 'not the one that was called');
        assert.equal((await ask(`evil.example:${open.port}`, right)).status, 421);
    } finally {
        await open.stop();
    }
});

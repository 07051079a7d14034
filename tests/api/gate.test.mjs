// The gate, for the whole product of route x method x Host x Origin x Sec-Fetch-Site, on the real daemon: what is to pass comes to the
// route, what is not gets the one status that it deserves, and nothing has changed in the end. The routes are the daemon's own list.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import http from 'node:http';

import { ended, makeRun, small, startDaemon } from './support.mjs';

let daemon, agent, paths;
before(async () => {
    daemon = await startDaemon();
    agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const { id } = await makeRun(daemon, small());
    await ended(daemon, id);
    const { body } = await daemon.json('GET', '/api/v1/openapi.json');
    paths = [...Object.keys(body.paths).map((each) => each.replace('{id}', id).replace('{name}', 'bars').replace('{split}', 'test')
        .replace(/\{\w+\}/g, '0')), '/', '/index.html', '/live.js', '/nothing', '/api/v1/nothing'];
});
after(async () => {
    agent.destroy();
    await daemon.stop();
});

const PAGES = new Set(['/', '/index.html', '/live.js', '/login.html']);
/** Pages that are not there: whoever follows an old link is told so. */
const NO_PAGES = new Set(['/nothing', '/api/v1/nothing']);
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PATCH', 'DELETE', 'PUT'];
/** What stands in the field (the port filled in for PORT), and whether it is this machine, this origin, this site. */
const HOSTS = [['localhost:PORT', true], ['127.0.0.1:PORT', true], ['evil.example', false], ['evil.example:PORT', false],
    ['localhost.evil.example:PORT', false], ['localhost:1', false]];
const ORIGINS = [[undefined, true], ['http://HOST', true], ['https://HOST', false], ['http://evil.example', false], ['http://localhost:3000', false],
    ['null', false]];
const SITES = [[undefined, true, true], ['same-origin', true, true], ['none', true, true], ['same-site', false, true], ['cross-site', false, false]];

/** The status line of the answer; a stream's is all that is waited for. */
function ask(method, path, headers) {
    return new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port: daemon.port, agent, method, path, headers, setHost: false }, (response) => {
            const answer = { status: response.statusCode, headers: response.headers, text: '' };
            if (String(response.headers['content-type']).startsWith('text/event-stream')) {
                request.destroy();
                resolve(answer);
            }
            response.on('data', (part) => { answer.text += part; }).on('end', () => resolve(answer)).on('error', () => {});
        });
        request.on('error', reject);
        request.end();
    });
}

/** What the gate says; 0: it may pass. */
function expected(method, path, ours, sameOrigin, mayChange, mayRead) {
    if (!ours)
        return 421;
    if (['GET', 'HEAD', 'OPTIONS'].includes(method))
        return mayRead || PAGES.has(path) || (NO_PAGES.has(path) && method !== 'OPTIONS') ? 0 : 403;
    return sameOrigin && mayChange ? 0 : 403;
}

/** Run all of these at once, a few at a time. */
async function each(rows, act) {
    const left = [...rows];
    await Promise.all(Array.from({ length: 8 }, async () => {
        for (let row = left.pop(); row !== undefined; row = left.pop())
            await act(...row);
    }));
}

function product() {
    const rows = [];
    for (const path of paths)
        for (const method of METHODS)
            for (const [host, ours] of HOSTS)
                for (const [origin, sameOrigin] of ORIGINS)
                    for (const [site, mayChange, mayRead] of SITES)
                        rows.push([method, path, host, origin, site, expected(method, path, ours, sameOrigin, mayChange, mayRead)]);
    return rows;
}

/** Of the fields that stand for a field's value. */
function fieldsOf(host, origin, site) {
    const here = host.replace('PORT', daemon.port);
    return { 'Host': here, ...(origin !== undefined ? { 'Origin': origin.replace('HOST', here) } : {}),
        ...(site !== undefined ? { 'Sec-Fetch-Site': site } : {}) };
}

test('what is refused is refused with the right status, on every route, with every method', async () => {
    const before = (await daemon.json('GET', '/api/v1/runs')).text;
    const refused = product().filter((row) => row[5] !== 0), wrong = [];
    assert.ok(refused.length > 10000, String(refused.length));
    await each(refused, async (method, path, host, origin, site, status) => {
        const answer = await ask(method, path, fieldsOf(host, origin, site));
        const what = `${method} ${path}, Host ${host}, Origin ${origin}, Sec-Fetch-Site ${site}: ${answer.status}, not ${status}`;
        if (answer.status !== status || answer.headers['content-type'] !== 'application/problem+json')
            wrong.push(what);
        for (const name of Object.keys(answer.headers))
            if (name.startsWith('access-control-'))
                wrong.push(`${what}: ${name}`);
        if (/"id"|"runs"|<html/.test(answer.text))
            wrong.push(`${what}: it tells something`);
    });
    assert.deepEqual(wrong.slice(0, 20), []);
    assert.equal((await daemon.json('GET', '/api/v1/runs')).text, before, 'nothing has changed');
});

test('what may pass comes to its route, which answers without another origin\'s leave', async () => {
    const safe = product().filter((row) => row[5] === 0 && ['GET', 'HEAD', 'OPTIONS'].includes(row[0]) && row[3] !== 'https://HOST'), wrong = [];
    const some = safe.filter((row) => row[2] === 'localhost:PORT' || row[1] === '/healthz');
    await each(some, async (method, path, host, origin, site) => {
        const { status, headers } = await ask(method, path, fieldsOf(host, origin, site));
        if (status === 403 || status === 421 || status >= 500)
            wrong.push(`${method} ${path}, Host ${host}, Origin ${origin}, Sec-Fetch-Site ${site}: ${status}`);
        if (Object.keys(headers).some((name) => name.startsWith('access-control-')))
            wrong.push(`${path}: ${Object.keys(headers)}`);
    });
    assert.deepEqual(wrong.slice(0, 20), []);
    for (const [host, ours] of HOSTS)
        for (const [origin, sameOrigin] of ORIGINS)
            for (const [site, mayChange] of SITES) {
                const { status } = await ask('PUT', '/healthz', fieldsOf(host, origin, site));
                assert.equal(status, ours ? (sameOrigin && mayChange ? 405 : 403) : 421, `${host} ${origin} ${site}`);
            }
});

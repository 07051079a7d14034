// support.mjs - what the measuring scripts share: programs with data and state of their own, turns, and lines of the table.
//
// The environment variable BENCH names the folder of the build (default .build-bench).

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

export const build = path.resolve(process.env.BENCH ?? path.join(import.meta.dirname, '../../.build-bench'));
export const run = promisify(execFile);
export { pause };

/** The path of a measuring program, such as `bare`. */
export const program = (name) => path.join(build, 'tests', `bench_${name}`);

/** A folder that is gone when the script ends. */
async function temporary() {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'goodness-bench-'));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
}

const cleanups = [];

/** Run the script's body; whatever happens, what it started is ended. */
export async function main(body) {
    try {
        await body();
    } catch (error) {
        console.error(`${path.basename(process.argv[1])}: ${error.message}`);
        process.exitCode = 1;
    }
    while (cleanups.length > 0)
        await cleanups.pop()();
}

/** The synthetic data set as files; its folder. */
export async function writeData() {
    const folder = await temporary();
    await run(program('data'), [folder]);
    return folder;
}

/**
 * Start a program that prints `listening on URL`; { base, process, begin, stop }. `begin` is when it was started, of
 * performance.now().
 */
export async function listen(file, args, environment = {}) {
    const begin = performance.now();
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    let errors = '', output = '';
    child.stderr.on('data', (data) => { errors += data; });
    let ended = false;
    const stop = async () => {
        if (ended)
            return;
        ended = true;
        if (child.exitCode === null && child.signalCode === null) {
            const exited = once(child, 'exit');
            child.kill('SIGTERM');
            await exited;
        }
    };
    cleanups.push(stop);
    const base = await new Promise((resolve, reject) => {
        child.stdout.on('data', (data) => {
            output += data;
            const found = /^listening on (http:\/\/\S+)\n/.exec(output);
            if (found)
                resolve(found[1]);
        });
        child.once('exit', (code) => reject(new Error(`${file} ended with ${code} before it listened: ${errors}`)));
        child.once('error', reject);
    });
    return { base, process: child, begin, stop };
}

/** Start the daemon on a fresh state folder with the synthetic data set under the name `mnist`, the default's. */
export async function startDaemon(data, args = []) {
    const home = await temporary();
    return listen(path.join(build, 'goodness'),
        ['serve', '--port', '0', '--state', path.join(home, 'state'), '--data', `mnist=${data}`, '--log-level', 'warning', ...args],
        { HOME: home, XDG_DATA_HOME: home });
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

/** One request on a connection that stays; { status, text }. */
export function request(base, method, where, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
        const sent = http.request(base + where, { method, headers, agent }, (response) => {
            let answer = '';
            response.setEncoding('utf8');
            response.on('data', (part) => { answer += part; });
            response.on('end', () => resolve({ status: response.statusCode, text: answer }));
        });
        sent.on('error', reject);
        sent.end(text);
    });
}

/** The answer's JSON; an error where the status is none of success. */
export async function json(base, method, where, body) {
    const answer = await request(base, method, where, body);
    if (answer.status >= 300)
        throw new Error(`${method} ${where} was answered with ${answer.status}: ${answer.text.trim()}`);
    return JSON.parse(answer.text);
}

/** Make a run that trains, without evaluating, until it is stopped; its id, once it trains. */
export async function startTraining(base, config) {
    const { id } = await json(base, 'POST', '/api/v1/runs', {
        config: { epochs: 1000, evaluate_every: 1000, learning_rate: 1e-5, ...config },
    });
    await trained(base, id, 3);
    return id;
}

/** The run, once it has made so many steps. */
export async function trained(base, id, step) {
    for (;;) {
        const now = await json(base, 'GET', `/api/v1/runs/${id}`);
        if (now.progress?.step >= step)
            return now;
        if (now.state === 'failed')
            throw new Error(now.reason);
        await pause(1);
    }
}

/** Images trained a second during `milliseconds`, while `meanwhile` goes on. */
export async function trainingRate(base, id, milliseconds) {
    const before = await json(base, 'GET', `/api/v1/runs/${id}`), begin = performance.now();
    await pause(milliseconds);
    const after = await json(base, 'GET', `/api/v1/runs/${id}`), end = performance.now();
    return (after.progress.step - before.progress.step) * after.config.batch_size * 1000 / (end - begin);
}

export function quantile(values, share) {
    const sorted = values.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export const median = (values) => quantile(values, 0.5);

/** A number with as many digits as it deserves. */
export function figure(value) {
    if (value >= 1000)
        return Math.round(value).toLocaleString('en-US');
    return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A line of the table: what, its figure, its yardstick and their ratio; `bound` says what is to be reached. */
export function print(what, value, yardstick, bound = '') {
    console.log(`${what.padEnd(56)} ${value.padStart(20)}   ${yardstick}${bound === '' ? '' : `   (to reach: ${bound})`}`);
}

/* api.js - requests to the REST interface, and its errors as exceptions that carry the server's own sentence. */

/**
 * @typedef {{pointer: string, detail: string}} FieldError
 * @typedef {{positive: number | null, negative: number | null, gap: number | null, loss: number | null,
 *            accuracy: number | null}} LayerFigures
 * @typedef {{epoch: number, step: number, elapsed: number, train_error: number | null, test_error: number | null,
 *            digest: string, layers: LayerFigures[]}} EpochRow
 * @typedef {{id: number, name: string, state: string, pending: string | null, reason: string | null,
 *            preset: string | null, created: string, started: string | null, ended: string | null,
 *            progress: {epoch: number, epochs: number, step: number, steps: number, elapsed: number,
 *                       remaining: number | null, samples_per_second: number | null, evaluating: number},
 *            best: {test_error: number, epoch: number} | null, last: EpochRow | null,
 *            notes: string, tags: string[],
 *            checkpoint: {step: number, epoch: number} | null,
 *            config: Record<string, any>, changes: ({step: number} & Record<string, any>)[], parameters: number,
 *            warnings: string[]}} Run
 * @typedef {{name: string, title: string, summary: string, reaches: string | null,
 *            config: Record<string, any>}} Preset
 */

/** Longer than any answer of this interface takes; a daemon that hangs is then treated as one that is gone. */
const TIMEOUT = 20000;

const BROKEN = 'The connection to the Goodness server broke in the middle of an answer.';

/** A request that was not answered as hoped. `status` 0: nobody answered. */
export class Problem extends Error {
    /**
     * @param {number} status
     * @param {string} detail
     * @param {FieldError[]} [errors]
     */
    constructor(status, detail, errors = []) {
        super(detail);
        this.name = 'Problem';
        this.status = status;
        this.errors = errors;
    }

    /** Its sentence, and those of all fields. */
    get sentences() {
        return [this.message, ...this.errors.map(({ detail }) => detail)].join(' ');
    }
}

/**
 * @param {Response} response
 * @returns {Promise<Problem>}
 */
async function readProblem(response) {
    const sentence = `The server answered ${response.status} ${response.statusText}`.trim();
    try {
        const problem = await response.json();
        return new Problem(response.status, problem.detail || problem.title || sentence, problem.errors ?? []);
    } catch {
        return new Problem(response.status, sentence);
    }
}

/** To the sign-in page, and back here afterwards. */
function goSignIn() {
    location.assign(`/login.html?to=${encodeURIComponent(location.pathname + location.search)}`);
}

/** After a stream broke, which does not say why: whether it is that this browser is signed in no more. */
export async function checkSignedIn() {
    try {
        const state = await (await fetch('/api/v1/login')).json();
        if (state.required && !state.signed_in) goSignIn();
    } catch {
        /* the daemon does not answer, which is said elsewhere */
    }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @returns {Promise<Response>} an answer of the 200s
 * @throws {Problem}
 */
async function request(method, path, body) {
    /** @type {RequestInit} */
    const options = { method, signal: AbortSignal.timeout(TIMEOUT) };
    if (body !== undefined) {
        options.headers = { 'Content-Type': 'application/json' };
        options.body = JSON.stringify(body);
    }
    let response;
    try {
        response = await fetch(path, options);
    } catch {
        throw new Problem(0, 'The Goodness server does not answer.');
    }
    if (response.status === 401) goSignIn();
    if (!response.ok) throw await readProblem(response);
    return response;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
async function requestJson(method, path, body) {
    const response = await request(method, path, body);
    try {
        return await response.json();
    } catch {
        throw new Problem(0, BROKEN);
    }
}

/** @param {string} path */
export const getJson = (path) => requestJson('GET', path);

/** @param {string} path */
export const getText = async (path) => (await request('GET', path)).text();

/** @param {string} path @returns {Promise<{bytes: ArrayBuffer, headers: Headers}>} */
export async function getBytes(path) {
    const response = await request('GET', path);
    try {
        return { bytes: await response.arrayBuffer(), headers: response.headers };
    } catch {
        throw new Problem(0, BROKEN);
    }
}

/** @param {string} path @param {unknown} [body] */
export const postJson = (path, body) => requestJson('POST', path, body);

/** @param {string} path @param {unknown} body */
export const patchJson = (path, body) => requestJson('PATCH', path, body);

/** A request whose answer has no content. @param {string} method @param {string} path */
export const requestEmpty = async (method, path) => void (await request(method, path));

/** @param {number | string} id */
export const runPath = (id) => `/api/v1/runs/${id}`;

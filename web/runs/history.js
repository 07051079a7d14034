/* history.js - the test error of every run that is in view, by epoch, as a small line.
 *
 * A run's epochs are read when its row is shown first. Later the run's own state tells of its last epoch: the next one
 * is added, anything else means that some are missing, and they are read again. */

import { getJson, Problem, runPath } from '../lib/api.js';
import { count, percent } from '../lib/format.js';

/** @typedef {import('./columns.js').Run} Run */
/** @typedef {{epochs: number[], errors: (number | null)[], digest: string | null, read: number}} History */

const AT_ONCE = 3; /* requests: a browser has six connections for all of its pages */
const LEAST_TIME = 5000; /* ms between two readings of one run that is faster than its states tell */
const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, AIR] = [112, 26, 3];
const MOST = 224; /* points drawn: two a pixel */

export class Histories {
    /** @type {Map<number, History>} */ #known = new Map();
    /** @type {Map<number, Run>} wanted, in order */ #wanted = new Map();
    /** @type {Set<number>} */ #asked = new Set();

    /** @param {() => void} changed @param {(id: number) => void} gone there is no such run any more */
    constructor(changed, gone) {
        this.changed = changed;
        this.gone = gone;
    }

    /** What is known of a run's errors; what is missing is fetched. @param {Run} run @returns {History | undefined} */
    of(run) {
        const known = this.#known.get(run.id);
        const last = run.last?.epoch ?? 0;
        if (last === 0) return { epochs: [], errors: [], digest: null, read: 0 };
        if (known?.digest === run.last?.digest && known?.epochs.at(-1) === last) return known;
        if (known && known.epochs.at(-1) === last - 1 && run.last) {
            known.epochs.push(last);
            known.errors.push(run.last.test_error);
            known.digest = run.last.digest;
            return known;
        }
        const soon = known && performance.now() - known.read < LEAST_TIME && run.state === 'running';
        if (!soon) this.#wanted.set(run.id, run);
        this.#fetch();
        return known;
    }

    /** Runs that are out of view need not be read. @param {Set<number>} ids in view */
    keepOnly(ids) {
        for (const id of this.#wanted.keys()) if (!ids.has(id)) this.#wanted.delete(id);
    }

    #fetch() {
        for (const [id, run] of this.#wanted) {
            if (this.#asked.size >= AT_ONCE) return;
            if (this.#asked.has(id)) continue;
            this.#wanted.delete(id);
            this.#asked.add(id);
            this.#read(run.id).finally(() => {
                this.#asked.delete(id);
                this.#fetch();
            });
        }
    }

    /** @param {number} id */
    async #read(id) {
        try {
            const { epochs: rows } = await getJson(runPath(id) + '/epochs');
            this.#known.set(id, {
                epochs: rows.map((/** @type {any} */ row) => row.epoch),
                errors: rows.map((/** @type {any} */ row) => row.test_error),
                digest: rows.at(-1)?.digest ?? null,
                read: performance.now(),
            });
            this.changed();
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            if (problem.status === 404) this.gone(id);
            /* Otherwise the line stays away, or as it was; the next state of the run asks again. */
        }
    }
}

/** In words. @param {History} history */
function describe({ epochs, errors }) {
    const known = errors.filter((error) => error !== null);
    if (!known.length) return 'no test error yet';
    const size = count(epochs.length);
    return `test error ${percent(known[0])} first, ${percent(known.at(-1))} last, ${size} epochs`;
}

/** The line's path: a null is a gap; a lone point is a dot. @param {History} history */
function pathOf({ epochs, errors }) {
    const known = /** @type {number[]} */ (errors.filter((error) => error !== null));
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const [first, last] = [epochs[0], epochs[epochs.length - 1]];
    const stride = Math.ceil(epochs.length / MOST);
    const x = (/** @type {number} */ epoch) =>
        AIR + ((epoch - first) / Math.max(1, last - first)) * (WIDTH - 2 * AIR);
    const y = (/** @type {number} */ error) =>
        AIR + (high > low ? (high - error) / (high - low) : 0.5) * (HEIGHT - 2 * AIR);
    let path = '';
    let drawing = false;
    errors.forEach((error, i) => {
        if (i % stride && i < errors.length - 1) return;
        if (error !== null) path += `${drawing ? 'L' : 'M'}${x(epochs[i]).toFixed(1)} ${y(error).toFixed(1)}`;
        if (error !== null && !drawing) path += 'h.01';
        drawing = error !== null;
    });
    return path;
}

/** A line for a cell of the table. @param {History} history @returns {SVGSVGElement} */
export function sparkline(history) {
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');

    svg.setAttribute('class', 'spark');
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', describe(history));
    path.setAttribute('d', pathOf(history));
    svg.append(path);
    return svg;
}

/* collection.js - all runs of the server, newest first: read page by page, then kept up by the stream.
 *
 * Thousands of runs come in pages; what is there is shown at once, and the rest follows. A run told by the stream is
 * newer than one that was read, so reading never replaces it. */

import { getJson } from '../lib/api.js';

/** @typedef {import('../lib/api.js').Run} Run */

const PAGE = 200;

export class Collection {
    /** @type {Map<number, Run>} */ #runs = new Map();
    /** Runs whose removal was asked for, and can still be undone. @type {Set<number>} */ #hidden = new Set();
    #reading = 0;

    /** @param {() => void} changed */
    constructor(changed) {
        this.changed = changed;
        /** Whether every run has been read. */
        this.whole = false;
    }

    /** Every run that is shown, newest first. @returns {Run[]} */
    get all() {
        return [...this.#runs.values()].filter(({ id }) => !this.#hidden.has(id)).sort((a, b) => b.id - a.id);
    }

    /** @param {number} id */
    get(id) {
        return this.#hidden.has(id) ? undefined : this.#runs.get(id);
    }

    /**
     * Read all runs. What the stream tells meanwhile stays; runs that are not on the server any more go.
     * @throws {import('../lib/api.js').Problem}
     */
    async read() {
        const reading = ++this.#reading;
        const told = (this.#told = new Set());
        const found = new Set();
        let before = '';
        this.whole = false;
        do {
            const { runs, next } = await getJson(`/api/v1/runs?limit=${PAGE}${before}`);
            if (reading !== this.#reading) return;
            for (const run of runs) {
                found.add(run.id);
                if (!told.has(run.id)) this.#runs.set(run.id, run);
            }
            before = next ? `&before=${next}` : '';
            this.whole = !next;
            this.changed();
        } while (before);
        for (const id of this.#runs.keys()) if (!found.has(id) && !told.has(id)) this.#runs.delete(id);
        this.changed();
    }

    /** Told by the stream while runs are being read. @type {Set<number>} */ #told = new Set();

    /** A run is new, or not what it was. @param {Run} run */
    update(run) {
        this.#told.add(run.id);
        this.#runs.set(run.id, run);
        this.changed();
    }

    /** Not shown for now. @param {number[]} ids */
    hide(ids) {
        ids.forEach((id) => this.#hidden.add(id));
        this.changed();
    }

    /** Shown again. @param {number[]} ids */
    restore(ids) {
        ids.forEach((id) => this.#hidden.delete(id));
        this.changed();
    }

    /** Gone for good. @param {number[]} ids */
    forget(ids) {
        for (const id of ids) {
            this.#told.add(id);
            this.#runs.delete(id);
            this.#hidden.delete(id);
        }
        this.changed();
    }
}

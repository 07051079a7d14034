/* series.js - the points of a run, merged by step: never one twice, never out of order.
 *
 * Memory is bounded. Beyond `capacity` points, neighbours are merged into buckets whose width in steps doubles each
 * time, so what was drawn stays where it was while the run goes on. A merged point is what the server's own
 * downsampling makes: means weighted by the steps they cover, the lowest low, the highest high. */

/** @typedef {(number | null)[]} Column */
/** @typedef {Record<string, Column>} Layer */
/** @typedef {{steps: number[], epochs: number[], elapsed: number[], layers: any[]}} Columns */

export const FIELDS = [
    'positive',
    'negative',
    'positive_low',
    'positive_high',
    'negative_low',
    'negative_high',
    'loss',
    'accuracy',
];

/** Points kept of a whole run: about as many as a chart has pixels. A zoom brings finer ones. */
export const SERIES_MOST = 360;

/** @param {string} field @param {number | null} a @param {number | null} b @param {number} share of b, 0 to 1 */
function merged(field, a, b, share) {
    if (a === null || b === null) return a ?? b;
    if (field.endsWith('_low')) return Math.min(a, b);
    if (field.endsWith('_high')) return Math.max(a, b);
    return a + (b - a) * share;
}

export class Series {
    /** @type {number[]} */ steps = [];
    /** @type {number[]} */ epochs = [];
    /** @type {number[]} */ elapsed = [];
    /** @type {Layer[]} */ layers = [];
    /** Steps of a bucket; 0: every point as it came. */
    width = 0;
    /** Whether anything was merged, here or by the server. */
    coarse = false;
    /** Another one after every change. */
    version = 0;

    /** @param {number} [capacity] points kept at most */
    constructor(capacity = SERIES_MOST) {
        this.capacity = capacity;
    }

    clear() {
        this.steps = [];
        this.epochs = [];
        this.elapsed = [];
        this.layers = [];
        this.width = 0;
        this.coarse = false;
        this.version++;
    }

    /** Forget what lies beyond this step: the run has gone back to it. @param {number} step */
    cut(step) {
        const beyond = this.steps.findIndex((each) => each > step);
        if (beyond < 0) return;
        for (const column of [this.steps, this.epochs, this.elapsed, ...this.layers.flatMap(Object.values)])
            column.length = beyond;
        this.version++;
    }

    get length() {
        return this.steps.length;
    }

    /** The last step there is a point for; 0 before the first. */
    get last() {
        return this.steps.at(-1) ?? 0;
    }

    /**
     * Take the points that are new: those after the last step.
     * @param {Columns} columns
     * @returns {number} how many were taken
     */
    append(columns) {
        let taken = 0;
        while (this.layers.length < columns.layers.length)
            this.layers.push(Object.fromEntries(FIELDS.map((field) => [field, this.steps.map(() => null)])));
        for (let i = 0; i < columns.steps.length; i++) {
            if (columns.steps[i] <= this.last) continue;
            this.#take(columns, i);
            taken++;
        }
        if (this.length > this.capacity) this.#compact();
        if (taken) this.version++;
        return taken;
    }

    /** Steps that point `i` covers. @param {number} i */
    #covers(i) {
        return this.steps[i] - (i > 0 ? this.steps[i - 1] : 0);
    }

    /** @param {Columns} columns @param {number} i */
    #take(columns, i) {
        const tail = this.length - 1;
        const added = columns.steps[i] - this.last;
        const covered = tail >= 0 ? this.#covers(tail) : 0;
        const joins = tail >= 0 && covered + added <= this.width;
        const at = joins ? tail : tail + 1;

        this.coarse ||= joins;
        this.steps[at] = columns.steps[i];
        this.epochs[at] = columns.epochs[i];
        this.elapsed[at] = columns.elapsed[i];
        this.layers.forEach((layer, index) => {
            for (const field of FIELDS) {
                const value = columns.layers[index]?.[field]?.[i] ?? null;
                layer[field][at] = joins
                    ? merged(field, layer[field][at], value, added / (covered + added))
                    : value;
            }
        });
    }

    #compact() {
        while (this.length > this.capacity * 0.75) {
            const { steps, epochs, elapsed, layers } = this;
            let widest = this.width;
            for (let i = 0; widest === this.width && i < steps.length; i++)
                widest = Math.max(widest, this.#covers(i));
            const width = 2 * widest;

            this.clear();
            this.width = width;
            this.layers = layers.map(() => Object.fromEntries(FIELDS.map((field) => [field, []])));
            for (let i = 0; i < steps.length; i++) this.#take({ steps, epochs, elapsed, layers }, i);
            this.coarse = true;
        }
    }
}

/**
 * Exponential smoothing over steps. Honest: the weights of what went before are divided by their sum, so a constant
 * stays that constant from its first point on; they fall by steps and not by points, so it does not matter how
 * finely a series was cut, nor how long it has become; and no value depends on a later one.
 * @param {number[]} steps
 * @param {Column} values
 * @param {number} halfLife in steps; 0: as measured
 * @returns {Column}
 */
export function smoothed(steps, values, halfLife) {
    if (!(halfLife > 0)) return values;
    let mean = 0;
    let weight = 0;
    return values.map((value, i) => {
        const keep = 2 ** ((i > 0 ? steps[i - 1] - steps[i] : -steps[i]) / halfLife);
        weight *= keep;
        if (value === null) return null;
        weight += 1 - keep;
        mean += ((1 - keep) / weight) * (value - mean);
        return mean;
    });
}

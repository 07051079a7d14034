/* zoom.js - which part of the series is in view, and finer points for it.
 *
 * The range is held in steps, so it stays the same when the axis changes. Where the series is coarser than what the
 * server has, the points of the range are fetched and put in the place of the coarser ones. Those around them stay, so
 * that smoothing goes on from what was before. */

import { getJson, Problem, runPath } from './api.js';
import { Series } from './series.js';

/** @typedef {import('./address.js').Axis} Axis */

const WANTED = 1000; /* points in view */
const MOST = 4000; /* points kept: those in view, the coarser ones around them, and what comes live */

/** @param {Series} series @param {Axis} axis @returns {number[]} */
export const axisOf = (series, axis) => (axis === 'seconds' ? series.elapsed : series[axis]);

/**
 * The value on one rising column that belongs to a value on another, in between interpolated, outside extended.
 * @param {number[]} from
 * @param {number[]} to
 * @param {number} value
 */
export function translate(from, to, value) {
    if (!from.length) return value;
    let high = from.findIndex((each) => each >= value);
    if (high < 0) high = from.length - 1;
    const [x0, y0] = high > 0 ? [from[high - 1], to[high - 1]] : [0, 0];
    const [x1, y1] = [from[high], to[high]];
    return x1 === x0 ? y1 : y0 + ((value - x0) / (x1 - x0)) * (y1 - y0);
}

export class Zoom {
    /** @type {[number, number] | null} in steps; null: everything */ #range = null;
    /** @type {Series | null} */ #detail = null;
    #asked = 0;

    /**
     * @param {Series} series
     * @param {() => void} changed finer points have come
     */
    constructor(series, changed) {
        this.series = series;
        this.changed = changed;
    }

    get range() {
        return this.#range;
    }

    /** The series that the charts are drawn from. */
    get visible() {
        return this.#detail ?? this.series;
    }

    /**
     * Put this range of steps in view.
     * @param {number} run
     * @param {[number, number] | null} range
     */
    set(run, range) {
        this.#range = range;
        this.#detail = null;
        this.#asked++;
        if (range && this.series.coarse) this.#fetch(run, range, this.#asked);
    }

    /** Live points came: they belong into the finer series too. @param {import('./series.js').Columns} points */
    append(points) {
        this.#detail?.append(points);
    }

    /** The run has gone back to this step. @param {number} step */
    cut(step) {
        this.#detail?.cut(step);
    }

    /** The range on an axis. @param {Axis} axis @returns {[number, number]} */
    rangeOn(axis) {
        const { series } = this;
        const values = axisOf(series, axis);
        if (!this.#range) return [0, values.at(-1) ?? 1];
        const [low, high] = this.#range.map((step) => translate(series.steps, values, step));
        return [low, high];
    }

    /** The range of steps for one on an axis. @param {Axis} axis @param {[number, number]} range */
    inSteps(axis, range) {
        const values = axisOf(this.series, axis);
        const [low, high] = range.map((value) => translate(values, this.series.steps, value));
        return /** @type {[number, number]} */ ([Math.max(0, low), Math.min(high, this.series.last)]);
    }

    /** @param {number} run @param {[number, number]} range @param {number} asked */
    async #fetch(run, [low, high], asked) {
        const { steps } = this.series;
        const after = steps.findLast((step) => step <= low) ?? 0;
        const last = steps.find((step) => step >= high) ?? this.series.last;
        try {
            const points = await getJson(
                `${runPath(run)}/metrics?after=${after}&before=${last + 1}&max_points=${WANTED}`,
            );
            if (asked !== this.#asked) return;
            this.#detail = this.#joined(after, points);
            this.changed();
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            /* The coarser points stay: nothing is wrong in them. */
        }
    }

    /** Coarse up to a step, then the finer points, then coarse again. @param {number} after
     * @param {import('./series.js').Columns} points */
    #joined(after, points) {
        const { steps, epochs, elapsed, layers } = this.series;
        const before = steps.filter((step) => step <= after).length;
        const part = (/** @type {any[]} */ values) => values.slice(0, before);
        const joined = new Series(MOST);

        joined.append({
            steps: part(steps),
            epochs: part(epochs),
            elapsed: part(elapsed),
            layers: layers.map((layer) =>
                Object.fromEntries(Object.entries(layer).map(([field, values]) => [field, part(values)])),
            ),
        });
        joined.append(points);
        joined.append(this.series); /* takes what comes after */
        return joined;
    }
}

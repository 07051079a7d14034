/* errors.js - training and test error by epoch: the rows, merged by epoch, as a chart and a table. */

import { Chart } from '../lib/chart.js';
import { element, say } from '../lib/dom.js';
import { Foot } from '../lib/figures.js';
import { count, duration, epochs, percent } from '../lib/format.js';
import { painted } from '../lib/paint.js';

/** @typedef {import('../lib/api.js').EpochRow} EpochRow */

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000];

/** @typedef {import('./state.js').Section} Section */

/** @implements {Section} */
export class Errors {
    /** @type {Map<number, EpochRow>} */ #rows = new Map();
    /** @type {Chart | null} */ #chart = null;
    /** @type {[number, number] | null} */ #zoom = null;
    #version = 0;
    /** @type {EpochRow[]} the epochs that were judged, as they are drawn */ judged = [];

    /** @param {import('./state.js').Live} live */
    constructor(live) {
        this.live = live;
        this.changed = live.painter.add(element('errors'), () => this.#paint());
        this.draw = painted(this.#draw.bind(this));
        this.foot = new Foot({
            what: 'error by epoch',
            file: () => `run-${live.id}-error`,
            figures: () => this.#figures(),
            picture: () => this.#chart,
        });
        element('errors').append(this.foot.node);
        document.addEventListener('themechange', () => this.#chart?.recolour());
    }

    get rows() {
        return [...this.#rows.values()];
    }

    clear() {
        this.#rows.clear();
        this.#zoom = null;
        this.#edited();
    }

    run() {
        this.changed();
    }

    view() {
        this.changed();
    }

    /** Take rows; one that is known already is replaced. @param {EpochRow[]} rows */
    epochs(rows) {
        const last = [...this.#rows.keys()].at(-1) ?? 0;
        rows.forEach((row) => this.#rows.set(row.epoch, row));
        if (rows.some((row) => row.epoch < last)) this.#rows = new Map([...this.#rows].sort(([a], [b]) => a - b));
        this.#edited();
    }

    /** @param {number} step */
    dropped(step) {
        for (const row of this.rows) if (row.step > step) this.#rows.delete(row.epoch);
        this.#edited();
    }

    #edited() {
        this.#version++;
        this.changed();
    }

    /** @param {string} title @param {boolean} log */
    #prepare(title, log) {
        if (this.#chart?.description.title === title && this.#chart.description.log === log) return this.#chart;
        this.#chart?.destroy();
        this.#chart = new Chart(element('errors-chart'), {
            title,
            lines: [
                { label: 'test', colour: '--test', dots: true },
                { label: 'training', colour: '--train', dash: [2, 3], dots: true },
            ],
            log,
            steps: WHOLE,
            xText: epochs,
            yText: (value) => `${Number((100 * value).toPrecision(4))} %`,
            zoom: (range) => {
                this.#zoom = range;
                this.changed();
            },
            cursor: (index) => this.#describe(index),
        });
        return this.#chart;
    }

    #paint() {
        const { run, view } = this.live;
        if (run) this.draw(`${run.name}: error by epoch`, view.errorsLog, this.#zoom, this.#version);
    }

    /** @param {string} title @param {boolean} log @param {[number, number] | null} zoom @param {number} _version */
    #draw(title, log, zoom, _version) {
        const judged = this.rows.filter((row) => row.test_error !== null || row.train_error !== null);
        const last = Math.max(judged.at(-1)?.epoch ?? 1, 2);

        this.judged = judged;
        say(element('errors-empty'), judged.length ? null : 'Errors come when an epoch has been evaluated.');
        this.#prepare(title, log).draw({
            x: judged.map((row) => row.epoch),
            lines: [judged.map((row) => row.test_error), judged.map((row) => row.train_error)],
            range: zoom ?? [1 - (last - 1) * 0.02, last + (last - 1) * 0.02],
        });
        this.foot.changed();
    }

    /** @param {number | null} index */
    #describe(index) {
        const row = index === null ? undefined : this.judged[index];
        say(
            element('errors-at'),
            row
                ? `epoch ${row.epoch}: test ${percent(row.test_error)}, training ${percent(row.train_error)}`
                : null,
        );
    }

    /** @returns {import('../lib/figures.js').Figures | null} */
    #figures() {
        if (!this.#chart) return null;
        const [low, high] = this.#chart.drawing.range;
        const rows = this.judged.filter(({ epoch }) => epoch >= low && epoch <= high);
        return {
            caption: 'Error by epoch, newest first',
            columns: [
                { name: 'epoch', title: 'Epoch', values: rows.map((row) => row.epoch), text: count },
                { name: 'step', title: 'Step', values: rows.map((row) => row.step), text: count },
                { name: 'seconds', title: 'Time', values: rows.map((row) => row.elapsed), text: duration },
                { name: 'test_error', title: 'Test error', values: rows.map((row) => row.test_error), text: percent },
                {
                    name: 'train_error',
                    title: 'Training error',
                    values: rows.map((row) => row.train_error),
                    text: percent,
                },
            ],
        };
    }
}

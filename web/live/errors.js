/* errors.js - training and test error by epoch: the rows, merged by epoch, as a chart and a table. */

import { Chart } from '../lib/chart.js';
import { element, say } from '../lib/dom.js';
import { count, duration, epochs, percent } from '../lib/format.js';
import { savePng } from '../lib/png.js';
import { FoldedTable } from '../lib/table.js';

/** @typedef {import('../lib/api.js').EpochRow} EpochRow */

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000];

export class Errors {
    /** @type {Map<number, EpochRow>} */ #rows = new Map();
    /** @type {Chart | null} */ #chart = null;
    #log = false;
    /** @type {[number, number] | null} */ #zoom = null;

    /** @param {() => void} changed a zoom was asked for: draw again */
    constructor(changed) {
        this.changed = changed;
        this.run = 0;
        /** What was drawn last, so that only what is new is drawn. */
        this.drawn = '';
        this.table = new FoldedTable(element('errors-table'), () => this.#content());
        element('errors-png').addEventListener('click', () => {
            if (this.#chart) savePng(this.#chart, `run-${this.run}-error.png`);
        });
        document.addEventListener('themechange', () => this.#chart?.recolour());
    }

    get rows() {
        return [...this.#rows.values()];
    }

    clear() {
        this.#rows.clear();
        this.#zoom = null;
        this.drawn = '';
    }

    /** Take rows; one that is known already is replaced. @param {EpochRow[]} rows */
    append(rows) {
        const last = [...this.#rows.keys()].at(-1) ?? 0;
        rows.forEach((row) => this.#rows.set(row.epoch, row));
        this.drawn = '';
        if (rows.some((row) => row.epoch < last)) this.#rows = new Map([...this.#rows].sort(([a], [b]) => a - b));
    }

    /** Forget what lies beyond this step: the run has gone back to it. @param {number} step */
    cut(step) {
        for (const row of this.rows) if (row.step > step) this.#rows.delete(row.epoch);
        this.drawn = '';
    }

    /** @param {string} title @param {boolean} log */
    #prepare(title, log) {
        if (this.#chart && this.#log === log && this.#chart.description.title === title) return this.#chart;
        this.#chart?.destroy();
        this.#log = log;
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

    /** @param {import('../lib/api.js').Run} run @param {boolean} log */
    draw(run, log) {
        const drawn = [run.id, run.name, log, this.#zoom].join();
        if (drawn === this.drawn) return;
        const judged = this.rows.filter((row) => row.test_error !== null || row.train_error !== null);
        const last = Math.max(judged.at(-1)?.epoch ?? 1, 2);

        this.drawn = drawn;
        this.run = run.id;
        say(element('errors-empty'), judged.length ? null : 'Errors come when an epoch has been evaluated.');
        this.#prepare(`${run.name}: error by epoch`, log).draw({
            x: judged.map((row) => row.epoch),
            lines: [judged.map((row) => row.test_error), judged.map((row) => row.train_error)],
            range: this.#zoom ?? [1 - (last - 1) * 0.02, last + (last - 1) * 0.02],
        });
        this.judged = judged;
        this.table.changed();
    }

    /** @param {number | null} index */
    #describe(index) {
        const row = index === null ? undefined : this.judged?.[index];
        say(
            element('errors-at'),
            row
                ? `epoch ${row.epoch}: test ${percent(row.test_error)}, training ${percent(row.train_error)}`
                : null,
        );
    }

    #content() {
        return {
            caption: 'Error by epoch, newest first',
            head: ['Epoch', 'Step', 'Time', 'Test error', 'Training error'],
            rows: this.rows.map((row) => [
                count(row.epoch),
                count(row.step),
                duration(row.elapsed),
                percent(row.test_error),
                percent(row.train_error),
            ]),
        };
    }
}

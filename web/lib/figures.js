/* figures.js - what a chart draws, as columns: from the same ones come the table behind it and its CSV file, so that
 * neither can tell something else than is drawn. */

import { csvText, saveCsv } from './csv.js';
import { make } from './dom.js';
import { savePng } from './png.js';
import { FoldedTable } from './table.js';

/**
 * @typedef {import('./csv.js').Value} Value
 * @typedef {object} Column
 * @property {string} name in the file: "positive_low"
 * @property {string} title in the table: "Pos. 10 %"
 * @property {Value[]} values
 * @property {(value: any) => string} [text] how the table shows one
 *
 * @typedef {{caption: string, columns: Column[], asTheyAre?: boolean}} Figures columns of one length; a table shows the
 *          newest row, the last, first, unless they are to stay as they are
 *
 * @typedef {object} Shown a chart as its foot needs it
 * @property {string} what "layer 1": in the names of the buttons
 * @property {() => string} file the name of its files, without ending
 * @property {() => Figures | null} figures null: nothing is drawn
 * @property {() => Figures | null} [table] where they are too many for a table: what it shows instead
 * @property {() => import('./png.js').Drawn | null} picture
 */

/** @param {Figures} figures @returns {import('./table.js').Content} */
export function tableOf({ caption, columns, asTheyAre }) {
    const length = columns[0]?.values.length ?? 0;
    const show = (/** @type {Column} */ { values, text }, /** @type {number} */ i) => {
        const value = values[i] ?? null;
        return text ? text(value) : value === null ? '–' : String(value);
    };
    return {
        caption,
        asTheyAre,
        head: columns.map(({ title }) => title),
        rows: Array.from({ length }, (_, i) => columns.map((column) => show(column, i))),
    };
}

/** @param {Figures} figures */
export function csvOf({ columns }) {
    const length = columns[0]?.values.length ?? 0;
    const row = (/** @type {number} */ i) => columns.map(({ values }) => values[i]);
    return csvText(
        columns.map(({ name }) => name),
        Array.from({ length }, (_, i) => row(i)),
    );
}

/** The foot of a chart: the table behind it, folded, and its files. */
export class Foot {
    /** @param {Shown} shown */
    constructor(shown) {
        const button = (/** @type {string} */ text, /** @type {string} */ kind, /** @type {() => void} */ act) => {
            const made = make('button', { type: 'button', class: 'button small', 'data-save': text }, text);
            made.setAttribute('aria-label', `${shown.what} as ${kind}`);
            made.addEventListener('click', act);
            return made;
        };
        const save = () => {
            const figures = shown.figures();
            if (figures) saveCsv(csvOf(figures), `${shown.file()}.csv`);
        };
        const picture = () => {
            const drawn = shown.picture();
            if (drawn) savePng(drawn, `${shown.file()}.png`);
        };
        this.details = make(
            'details',
            { class: 'table' },
            make('summary', {}, 'Table', make('span', { class: 'hidden-text' }, ` of ${shown.what}`)),
        );
        this.table = new FoldedTable(this.details, () =>
            tableOf((shown.table ?? shown.figures)() ?? { caption: 'Nothing yet', columns: [] }),
        );
        this.node = make(
            'div',
            { class: 'card-foot' },
            this.details,
            make(
                'div',
                { class: 'files' },
                button('CSV', 'a CSV file of what is drawn', save),
                button('PNG', 'a PNG picture', picture),
            ),
        );
    }

    /** What the chart shows is another. */
    changed() {
        this.table.changed();
    }
}

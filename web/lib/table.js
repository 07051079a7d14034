/* table.js - the figures behind a chart as a table, filled only while it is open. */

import { make } from './dom.js';

/** @typedef {{caption: string, head: string[], rows: string[][], asTheyAre?: boolean}} Content rows: the newest last, and
 *           shown first, unless they are to stay as they are */

const NEWEST = 200; /* rows shown; all of them are in the CSV */
const LEAST_TIME = 1000; /* ms between two fillings */

export class FoldedTable {
    #timer = 0;
    #filled = 0;

    /**
     * @param {HTMLDetailsElement} details its table is made in it
     * @param {() => Content} read
     */
    constructor(details, read) {
        this.details = details;
        this.read = read;
        this.table = make('table');
        this.box = make('div', { class: 'table-box', tabindex: '0', role: 'region' }, this.table);
        details.append(this.box);
        details.addEventListener('toggle', () => this.changed());
    }

    /** What `read` gives may have changed. */
    changed() {
        if (!this.details.open || this.#timer) return;
        const wait = Math.max(0, this.#filled + LEAST_TIME - performance.now());
        this.#timer = window.setTimeout(() => this.#fill(), wait);
    }

    #fill() {
        const { caption, head, rows, asTheyAre } = this.read();
        const cells = (/** @type {string[]} */ texts, /** @type {'td' | 'th'} */ tag) =>
            texts.map((text) => make(tag, { scope: tag === 'th' && 'col' }, text));
        const newest = asTheyAre ? rows.slice(0, NEWEST) : rows.slice(-NEWEST).reverse();

        this.#timer = 0;
        this.#filled = performance.now();
        this.table.replaceChildren();
        this.table.createCaption().textContent =
            rows.length > NEWEST ? `${caption}; ${NEWEST} of ${rows.length} rows` : caption;
        this.box.setAttribute('aria-label', caption);
        this.table
            .createTHead()
            .insertRow()
            .append(...cells(head, 'th'));
        const body = this.table.createTBody();
        for (const row of newest) body.insertRow().append(...cells(row, 'td'));
    }
}

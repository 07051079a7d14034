/* overlay.js - one figure of several runs as lines over each other: a chart, what it is at the crosshair, and its
 * files. */

import { Chart } from '../lib/chart.js';
import { make, say, setText } from '../lib/dom.js';
import { Foot } from '../lib/figures.js';
import { align, valueAt } from './align.js';

/**
 * @typedef {{label: string, colour: string, dash?: number[]}} Sign of a run
 * @typedef {import('./align.js').Line} Line
 * @typedef {import('./align.js').Aligned} Aligned
 * @typedef {object} Kind
 * @property {string} id
 * @property {string} title
 * @property {string} xName of the column in files, and in the table
 * @property {(value: number) => string} xText
 * @property {(value: number | null | undefined) => string} yText
 * @property {(value: number) => string} [axisText] of y, shorter
 * @property {number[]} steps
 * @property {string} group charts of one group zoom together and share their crosshair
 * @property {string} empty what is said where no run has a point
 */

const MOST_DOTS = 60; /* points of a line that has a dot at each */

export class Overlay {
    /** @type {Chart | null} */ #chart = null;
    #made = '';
    /** @type {{x: number[], lines: Aligned[]}} */ #drawn = { x: [], lines: [] };
    /** @type {Sign[]} */ #signs = [];
    /** @type {Kind | null} */ #kind = null;

    /** @param {(range: [number, number] | null) => void} zoom asked for */
    constructor(zoom) {
        this.zoom = zoom;
        this.heading = make('h3');
        this.at = make('p', { class: 'at', 'aria-live': 'off' });
        this.host = make('div', { class: 'chart', tabindex: '0', role: 'group', 'aria-roledescription': 'chart' });
        this.empty = make('p', { class: 'chart-empty' });
        this.foot = new Foot({
            what: 'the chart',
            file: () => `compare-${this.#kind?.id}`,
            figures: () => this.#figures(),
            picture: () => this.#chart,
        });
        this.node = make(
            'article',
            { class: 'card overlay' },
            make('div', { class: 'card-head' }, this.heading),
            this.at,
            make('div', { class: 'chart-box' }, this.host, this.empty),
            this.foot.node,
        );
        document.addEventListener('themechange', () => this.#chart?.recolour());
    }

    destroy() {
        this.#chart?.destroy();
        this.node.remove();
    }

    /**
     * @param {Kind} kind
     * @param {Sign[]} signs one a line
     * @param {Line[]} lines
     * @param {{log: boolean, zoom: [number, number] | null}} view
     */
    draw(kind, signs, lines, { log, zoom }) {
        const longest = Math.max(0, ...lines.map(({ x }) => x.length));
        const made = JSON.stringify([kind.id, kind.title, kind.group, signs, log, longest > MOST_DOTS]);
        this.#kind = kind;
        this.#signs = signs;
        this.#drawn = align(lines);
        if (made !== this.#made) this.#make(kind, log, longest <= MOST_DOTS);
        this.#made = made;
        const { x } = this.#drawn;
        const last = x.at(-1) ?? 1;
        const first = Math.min(x[0] ?? 0, last);
        const air = (last - first || 1) * 0.02;
        const known = lines.some(({ y }) => y.some((value) => value !== null));
        say(this.empty, known ? null : kind.empty);
        /** @type {Chart} */ (this.#chart).draw({
            x,
            lines: /** @type {any} */ (this.#drawn.lines),
            range: zoom ?? [first - air, last + air],
        });
        this.#describe(null);
        this.foot.changed();
    }

    /** @param {Kind} kind @param {boolean} log @param {boolean} dots */
    #make(kind, log, dots) {
        this.#chart?.destroy();
        setText(this.heading, kind.title);
        this.node.dataset.chart = kind.id;
        this.host.setAttribute('aria-label', kind.title);
        this.#chart = new Chart(this.host, {
            title: kind.title,
            lines: this.#signs.map((sign) => ({ ...sign, dots })),
            group: kind.group,
            log,
            steps: kind.steps,
            xText: kind.xText,
            yText: kind.axisText,
            zoom: this.zoom,
            cursor: (index) => this.#describe(index),
        });
    }

    /** Every run's value at a place of the crosshair. @param {number | null} index */
    #describe(index) {
        const kind = this.#kind;
        if (!kind) return;
        if (index === null) {
            setText(this.at, '\u00a0');
            return;
        }
        const { x, lines } = this.#drawn;
        const values = lines.map((line, i) => [this.#signs[i].label, valueAt(line, index)]);
        const texts = values
            .filter(([, value]) => value !== undefined)
            .map(([label, value]) => `${label} ${kind.yText(/** @type {number | null} */ (value))}`);
        setText(this.at, `${kind.xName} ${kind.xText(x[index])}: ${texts.join(', ')}`);
    }

    /** @returns {import('../lib/figures.js').Figures | null} */
    #figures() {
        const kind = this.#kind;
        if (!kind || !this.#drawn.x.length) return null;
        const { x, lines } = this.#drawn;
        return {
            caption: `${kind.title}; a run's place is empty where it has no point`,
            asTheyAre: true,
            columns: [
                { name: kind.xName, title: kind.xName, values: x, text: kind.xText },
                ...lines.map((values, i) => ({
                    name: this.#signs[i].label,
                    title: this.#signs[i].label,
                    values: values.map((value) => (value === undefined ? '' : value)),
                    text: (/** @type {any} */ value) => (value === '' ? '' : kind.yText(value)),
                })),
            ],
        };
    }
}

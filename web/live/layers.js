/* layers.js - a card for every layer: its goodness on positive and on negative data, and its figures. */

import { Chart } from '../lib/chart.js';
import { make, say, setText } from '../lib/dom.js';
import { clock, count, epochs, figure, percent } from '../lib/format.js';
import { savePng } from '../lib/png.js';
import { levelOf } from '../lib/run.js';
import { smoothed } from '../lib/series.js';
import { FoldedTable } from '../lib/table.js';
import { axisOf, translate } from '../lib/zoom.js';

/** @typedef {import('../lib/api.js').Run} Run */
/** @typedef {import('../lib/series.js').Series} Series */
/** @typedef {import('../lib/address.js').View} View */

const LINES = [
    { label: 'positive data', colour: '--positive' },
    { label: 'negative data', colour: '--negative', dash: [6, 4] },
];

const NARROW = 328; /* pixels; five figures do not fit in one row */

const BANDS = ['--positive-band', '--negative-band', '--gap'];

/** 1, 2, 5, 10 … @param {number} from power of ten @param {number} to */
const decades = (from, to) =>
    Array.from({ length: to - from }, (_, i) => [1, 2, 5].map((first) => Number(`${first}e${from + i}`))).flat();

const CLOCK_STEPS = [
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000, 86400,
];

const AXES = {
    steps: { text: (/** @type {number} */ value) => count(value), steps: decades(0, 10) },
    epochs: { text: epochs, steps: decades(-5, 7) },
    seconds: { text: clock, steps: CLOCK_STEPS },
};

/** "500 units". @param {any} layer of the configuration */
function shapeOf(layer) {
    if (typeof layer === 'number') return `${count(layer)} units`;
    return layer?.kind === 'conv' ? `${layer.channels} channels, ${layer.kernel} × ${layer.kernel}` : '';
}

/** Why there is nothing to be seen yet. @param {string} state of the run */
function emptyText(state) {
    if (state === 'queued') return 'It begins when its turn comes.';
    return state === 'running' || state === 'paused'
        ? 'The first point is on its way.'
        : 'This run ended before its first point.';
}

class LayerCard {
    /**
     * @param {Run} run
     * @param {number} index
     * @param {View} view
     * @param {{zoom: (range: [number, number] | null) => void, cursor: (index: number | null) => void}} asked
     */
    constructor(run, index, view, asked) {
        this.index = index;
        this.run = run;
        this.title = `Layer ${index}`;
        /** @type {Series | null} */ this.series = null;
        this.figures = {
            positive: make('dd', { class: 'positive' }),
            negative: make('dd', { class: 'negative' }),
            gap: make('dd'),
            accuracy: make('dd'),
            loss: make('dd'),
        };
        this.at = make('span', { class: 'at' });
        this.host = make('div', {
            class: 'chart',
            tabindex: '0',
            role: 'group',
            'aria-roledescription': 'chart',
            'aria-label': `Goodness of layer ${index} on positive and on negative data`,
        });
        this.empty = make('p', { class: 'chart-empty' });
        this.node = this.#build();
        this.view = view;
        this.chart = this.#makeChart(asked);
    }

    #build() {
        const term = (/** @type {string} */ name, /** @type {HTMLElement} */ value) =>
            make('div', {}, make('dt', {}, name), value);
        const { positive, negative, gap, accuracy, loss } = this.figures;
        const details = make(
            'details',
            { class: 'table' },
            make('summary', {}, 'Table', make('span', { class: 'hidden-text' }, ` of layer ${this.index}`)),
        );
        const png = make('button', { type: 'button', class: 'button small' }, 'PNG');
        const heading = make('h3', {}, this.title, make('small', {}, shapeOf(this.run.config.layers[this.index])));

        png.setAttribute('aria-label', `${this.title} as a PNG picture`);
        png.addEventListener('click', () => savePng(this.chart, `run-${this.run.id}-layer-${this.index}.png`));
        this.table = new FoldedTable(details, () => this.#content());
        return make(
            'article',
            { class: 'card', 'data-layer': String(this.index) },
            make('div', { class: 'card-head' }, heading, this.at),
            make(
                'dl',
                { class: 'layer-figures' },
                term('Positive', positive),
                term('Negative', negative),
                term('Gap', gap),
                term('Accuracy', accuracy),
                term('Loss', loss),
            ),
            make('div', { class: 'chart-box' }, this.host, this.empty),
            make('div', { class: 'card-foot' }, details, png),
        );
    }

    /** @param {{zoom: (range: [number, number] | null) => void, cursor: (index: number | null) => void}} asked */
    #makeChart(asked) {
        const axis = AXES[this.view.axis];
        return new Chart(this.host, {
            title: `${this.run.name}: goodness of layer ${this.index}`,
            lines: LINES,
            bands: BANDS,
            group: 'layers',
            log: this.view.log,
            steps: axis.steps,
            xText: axis.text,
            zoom: asked.zoom,
            cursor: asked.cursor,
            /* Not a container query: those have every card laid out alone, at every figure that changes. */
            resized: (width) => this.node.classList.toggle('narrow', width < NARROW),
        });
    }

    /** @param {Run} run @param {Series} series @param {View} view @param {[number, number]} range
     * @param {number} halfLife steps */
    draw(run, series, view, range, halfLife) {
        const layer = series.layers[this.index] ?? {};
        const read = (/** @type {string} */ field) => layer[field] ?? series.steps.map(() => null);
        const positive = smoothed(series.steps, read('positive'), halfLife);
        const negative = smoothed(series.steps, read('negative'), halfLife);

        this.series = series;
        say(this.empty, series.length ? null : emptyText(run.state));
        this.chart.draw({
            x: axisOf(series, view.axis),
            lines: [positive, negative],
            bands: [
                [read('positive_high'), read('positive_low')],
                [read('negative_high'), read('negative_low')],
                [positive, negative],
            ],
            level: levelOf(run, this.index),
            marks: run.changes.map(({ step }) => translate(series.steps, axisOf(series, view.axis), step)),
            range,
        });
        this.table?.changed();
    }

    /** The figures at a point; null: now. @param {number | null} index */
    showFigures(index) {
        const { series } = this;
        if (!series) return;
        const at = index ?? series.length - 1;
        const layer = series.layers[this.index];
        const read = (/** @type {string} */ field) => layer?.[field]?.[at] ?? null;
        const positive = read('positive');
        const negative = read('negative');

        setText(this.figures.positive, figure(positive));
        setText(this.figures.negative, figure(negative));
        setText(this.figures.gap, positive === null || negative === null ? '–' : figure(positive - negative));
        setText(this.figures.accuracy, percent(read('accuracy'), 1));
        setText(this.figures.loss, figure(read('loss')));
        setText(this.at, index === null ? '' : `at step ${count(series.steps[at])}`);
    }

    #content() {
        const { steps, epochs: epoch, elapsed, layers } = /** @type {Series} */ (this.series);
        const layer = layers[this.index] ?? {};
        const fields = [
            'positive',
            'negative',
            'positive_low',
            'positive_high',
            'negative_low',
            'negative_high',
            'loss',
        ];
        return {
            caption: `Goodness of layer ${this.index}, newest first`,
            head: [
                'Step',
                'Epoch',
                'Seconds',
                'Positive',
                'Negative',
                'Pos. 10 %',
                'Pos. 90 %',
                'Neg. 10 %',
                'Neg. 90 %',
                'Loss',
                'Accuracy',
            ],
            rows: steps.map((step, i) => [
                count(step),
                epochs(epoch[i]),
                elapsed[i].toFixed(2),
                ...fields.map((field) => figure(layer[field]?.[i])),
                percent(layer.accuracy?.[i], 1),
            ]),
        };
    }
}

export class Layers {
    /** @type {LayerCard[]} */ #cards = [];
    #made = '';
    /** @type {number | null} */ #cursor = null;

    /**
     * @param {HTMLElement} host
     * @param {(range: [number, number] | null) => void} zoom asked for, on the axis of the view
     */
    constructor(host, zoom) {
        this.host = host;
        this.zoom = zoom;
        document.addEventListener('themechange', () => this.#cards.forEach((card) => card.chart.recolour()));
    }

    /** Make the cards anew where the run or the kind of axes is another. @param {Run} run @param {View} view */
    #prepare(run, view) {
        const made = [run.id, run.name, run.config.layers.length, view.axis, view.log].join();
        if (made === this.#made) return;
        this.clear();
        this.#made = made;
        const asked = {
            zoom: this.zoom,
            cursor: (/** @type {number | null} */ index) => this.#moved(index),
        };
        for (let i = 0; i < run.config.layers.length; i++) {
            const card = new LayerCard(run, i, view, asked);
            this.#cards.push(card);
            this.host.append(card.node);
        }
    }

    clear() {
        this.#cards.forEach((card) => card.chart.destroy());
        this.#cards = [];
        this.#made = '';
        this.#cursor = null;
        this.host.replaceChildren();
    }

    /**
     * @param {Run} run
     * @param {Series} series
     * @param {View} view
     * @param {[number, number]} range on the view's axis
     */
    draw(run, series, view, range) {
        this.#prepare(run, view);
        const stepsPerEpoch = run.progress.epochs ? run.progress.steps / run.progress.epochs : 0;
        for (const card of this.#cards) {
            card.draw(run, series, view, range, view.smoothing * stepsPerEpoch);
            card.showFigures(this.#cursor);
        }
    }

    /** @param {number | null} index */
    #moved(index) {
        if (index === this.#cursor) return;
        this.#cursor = index;
        this.#cards.forEach((card) => card.showFigures(index));
    }
}

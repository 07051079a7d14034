/* layers.js - a card for every layer: its goodness on positive and on negative data, and its figures. */

import { Chart } from '../lib/chart.js';
import { element, make, say, setText } from '../lib/dom.js';
import { Foot } from '../lib/figures.js';
import { clock, count, epochs, figure, percent } from '../lib/format.js';
import { painted } from '../lib/paint.js';
import { changesText, levelOf } from '../lib/run.js';
import { CLOCK_STEPS, decades } from '../lib/scale.js';
import { smoothed } from '../lib/series.js';
import { axisOf, translate } from '../lib/zoom.js';

/** @typedef {import('../lib/api.js').Run} Run */
/** @typedef {import('../lib/series.js').Series} Series */
/** @typedef {import('./state.js').Live} Live */

const LINES = [
    { label: 'positive data', colour: '--positive' },
    { label: 'negative data', colour: '--negative', dash: [6, 4] },
];

const NARROW = 328; /* pixels; five figures do not fit in one row */

const SEEN = 0.5; /* pixels of the screen; less makes no difference */
const LONGEST_REST = 1000; /* ms until what could not be seen is drawn all the same */
const SHOWN = ['positive', 'negative', 'positive_low', 'positive_high', 'negative_low', 'negative_high'];

const BANDS = ['--positive-band', '--negative-band', '--gap'];

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

/** How many steps smoothing goes back, by half. @param {Run} run @param {number} smoothing epochs */
const halfLifeOf = (run, smoothing) =>
    run.progress.epochs ? (smoothing * run.progress.steps) / run.progress.epochs : 0;

class LayerCard {
    /**
     * @param {Live} live
     * @param {Run} run
     * @param {number} index
     * @param {(index: number | null) => void} moved the crosshair, to this point
     */
    constructor(live, run, index, moved) {
        this.live = live;
        this.index = index;
        this.title = `Layer ${index}`;
        /** @type {number | null} */ this.cursor = null;
        /** @type {Series | null} what is drawn */ this.series = null;
        /** @type {{series: Series, high: number, how: string, values: (number | null)[], length: number, time: number} | null}
         * what of the drawing may change with a new point */
        this.tail = null;
        /** @type {ReturnType<typeof setTimeout> | undefined} */ this.timer = undefined;
        /** @type {import('../lib/chart.js').Values[]} as they are drawn */ this.lines = [[], []];
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
        this.foot = new Foot({
            what: `layer ${index}`,
            file: () => `run-${run.id}-layer-${index}`,
            figures: () => this.#figuresDrawn(),
            picture: () => this.chart,
        });
        this.node = this.#build(run);
        this.chart = this.#makeChart(run, moved);
        this.changed = live.painter.add(this.node, () => this.#paint());
        this.draw = painted(this.#draw.bind(this));
    }

    destroy() {
        clearTimeout(this.timer);
        this.live.painter.remove(this.node);
        this.chart.destroy();
    }

    /** @param {Run} run */
    #build(run) {
        const term = (/** @type {string} */ name, /** @type {HTMLElement} */ value) =>
            make('div', {}, make('dt', {}, name), value);
        const { positive, negative, gap, accuracy, loss } = this.figures;

        return make(
            'article',
            { class: 'card', 'data-layer': String(this.index) },
            make(
                'div',
                { class: 'card-head' },
                make('h3', {}, this.title, make('small', {}, shapeOf(run.config.layers[this.index]))),
                this.at,
            ),
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
            this.foot.node,
        );
    }

    /** @param {Run} run @param {(index: number | null) => void} moved */
    #makeChart(run, moved) {
        const { axis, log } = this.live.view;
        return new Chart(this.host, {
            title: `${run.name}: goodness of layer ${this.index}`,
            lines: LINES,
            bands: BANDS,
            group: 'layers',
            log,
            steps: AXES[axis].steps,
            xText: AXES[axis].text,
            zoom: (range) => this.live.zoomTo(range),
            cursor: moved,
            /* Not a container query: those have every card laid out alone, at every figure that changes. */
            resized: (width) => this.node.classList.toggle('narrow', width < NARROW),
        });
    }

    #paint() {
        const { run, zoom, view } = this.live;
        if (!run) return;
        const series = zoom.visible;
        const [low, high] = zoom.rangeOn(view.axis);

        say(this.empty, series.length ? null : emptyText(run.state));
        const how = [halfLifeOf(run, view.smoothing), low, levelOf(run, this.index), run.changes.length].join();
        if (this.#isSeen(series, high, how)) this.draw(series, low, high, how, series.version);
        else this.#drawLater();
        this.showFigures();
    }

    /** Whether anybody could see a difference to what is drawn. In a long run a new point moves what is drawn by far less
     * than a pixel: then it is drawn with those that follow, within a second. @param {Series} series
     * @param {number} high end of the range @param {string} how everything else */
    #isSeen(series, high, how) {
        const { tail, chart } = this;
        if (!tail || tail.series !== series || tail.how !== how || tail.length !== series.length) return true;
        if (performance.now() - tail.time >= LONGEST_REST) return true;
        const { width, height } = chart.plot.bbox;
        const y = chart.plot.scales.y;
        const pixel = ((y.max ?? 1) - (y.min ?? 0)) / height;
        if (this.live.view.log || Math.abs(high / tail.high - 1) * width > SEEN) return true;
        return this.#tail(series).some((value, i) => {
            const before = tail.values[i];
            return value === null || before === null ? value !== before : Math.abs(value - before) > SEEN * pixel;
        });
    }

    /** The newest point. @param {Series} series */
    #tail(series) {
        const last = series.length - 1;
        return SHOWN.map((field) => series.layers[this.index]?.[field]?.[last] ?? null);
    }

    #drawLater() {
        this.timer ??= setTimeout(() => {
            this.timer = undefined;
            this.changed();
        }, LONGEST_REST);
    }

    /** @param {Series} series @param {number} low @param {number} high @param {string} how @param {number} _version */
    #draw(series, low, high, how, _version) {
        const { run, view } = this.live;
        if (!run) return;
        const halfLife = halfLifeOf(run, view.smoothing);
        const x = axisOf(series, view.axis);
        const [positive, negative] = ['positive', 'negative'].map((field) =>
            smoothed(series.steps, this.#read(series, field), halfLife),
        );

        const values = this.#tail(series);
        this.tail = { series, high, how, values, length: series.length, time: performance.now() };
        this.series = series;
        this.lines = [positive, negative];
        this.chart.draw({
            x,
            lines: [positive, negative],
            bands: [
                [this.#read(series, 'positive_high'), this.#read(series, 'positive_low')],
                [this.#read(series, 'negative_high'), this.#read(series, 'negative_low')],
                [positive, negative],
            ],
            level: series.length ? levelOf(run, this.index) : null,
            marks: run.changes.map(({ step }) => translate(series.steps, x, step)),
            range: [low, high],
        });
        this.foot.changed();
    }

    /** @param {Series} series @param {string} field */
    #read(series, field) {
        return series.layers[this.index]?.[field] ?? series.steps.map(() => null);
    }

    /** The figures at the crosshair, or now. */
    showFigures() {
        const { series, cursor } = this;
        if (!series) return;
        const at = cursor ?? series.length - 1;
        const layer = series.layers[this.index];
        const read = (/** @type {string} */ field) => layer?.[field]?.[at] ?? null;
        const positive = read('positive');
        const negative = read('negative');

        setText(this.figures.positive, figure(positive));
        setText(this.figures.negative, figure(negative));
        setText(this.figures.gap, positive === null || negative === null ? '–' : figure(positive - negative));
        setText(this.figures.accuracy, percent(read('accuracy'), 1));
        setText(this.figures.loss, figure(read('loss')));
        setText(this.at, cursor === null ? '' : `at step ${count(series.steps[at])}`);
    }

    /** What is drawn, in the range that is in view. @returns {import('../lib/figures.js').Figures | null} */
    #figuresDrawn() {
        this.tail = null; /* what could not be seen is to be in the figures too */
        this.#paint();
        const { series } = this;
        if (!series) return null;
        const x = axisOf(series, this.live.view.axis);
        const [low, high] = this.chart.drawing.range;
        const from = x.findIndex((value) => value >= low);
        const to = x.findLastIndex((value) => value <= high) + 1;
        const part = (/** @type {any[]} */ values) => (from < 0 ? [] : values.slice(from, to));
        const field = (/** @type {string} */ name, /** @type {string} */ title, text = figure) => ({
            name,
            title,
            values: part(this.#read(series, name)),
            text,
        });
        const soft = this.live.view.smoothing > 0 ? '_smoothed' : '';

        return {
            caption: `Goodness of layer ${this.index}${soft && ', smoothed'}, newest first`,
            columns: [
                { name: 'step', title: 'Step', values: part(series.steps), text: count },
                { name: 'epoch', title: 'Epoch', values: part(series.epochs), text: epochs },
                { name: 'seconds', title: 'Seconds', values: part(series.elapsed), text: (value) => value.toFixed(2) },
                { name: `positive${soft}`, title: 'Positive', values: part(this.lines[0]), text: figure },
                { name: `negative${soft}`, title: 'Negative', values: part(this.lines[1]), text: figure },
                field('positive_low', 'Pos. 10 %'),
                field('positive_high', 'Pos. 90 %'),
                field('negative_low', 'Neg. 10 %'),
                field('negative_high', 'Neg. 90 %'),
                field('loss', 'Loss'),
                field('accuracy', 'Accuracy', (value) => percent(value, 1)),
            ],
        };
    }
}

/** @typedef {import('./state.js').Section} Section */

/** @implements {Section} */
export class Layers {
    /** @type {LayerCard[]} */ cards = [];
    #made = '';

    /** @param {Live} live */
    constructor(live) {
        this.live = live;
        this.host = element('layer-cards');
        this.changed = live.painter.add(element('layers-head'), () => this.#paintHead());
        this.legend = painted(this.#drawLegend);
        document.addEventListener('themechange', () => this.cards.forEach((card) => card.chart.recolour()));
    }

    clear() {
        this.cards.forEach((card) => card.destroy());
        this.cards = [];
        this.#made = '';
        this.host.replaceChildren();
    }

    run() {
        this.#prepare();
        this.points();
    }

    view() {
        this.#prepare();
        this.points();
    }

    points() {
        this.changed();
        this.cards.forEach((card) => card.changed());
    }

    /** Make the cards anew where the run or the kind of axes is another. */
    #prepare() {
        const { run, view } = this.live;
        if (!run) return;
        const made = [run.id, run.name, run.config.layers.length, view.axis, view.log].join();
        if (made === this.#made) return;
        this.clear();
        this.#made = made;
        run.config.layers.forEach((/** @type {any} */ _, /** @type {number} */ index) => {
            const card = new LayerCard(this.live, run, index, (at) => this.#moved(at));
            this.cards.push(card);
            this.host.append(card.node);
        });
    }

    #paintHead() {
        const { run, zoom } = this.live;
        if (run) this.legend(levelOf(run, 0) !== null, changesText(run), !!zoom.range);
    }

    /** @param {boolean} hasLevel @param {string} changes @param {boolean} zoomed */
    #drawLegend(hasLevel, changes, zoomed) {
        element('legend-level').hidden = !hasLevel;
        element('legend-changes').hidden = !changes;
        setText(element('changes-text'), changes);
        element('unzoom-button').hidden = !zoomed;
    }

    /** @param {number | null} index */
    #moved(index) {
        for (const card of this.cards) {
            if (card.cursor === index) continue;
            card.cursor = index;
            card.showFigures();
        }
    }
}

/* histograms.js - how far apart positive and negative goodness really are: a histogram a layer, live, and of every epoch
 * before by a slider. */

import { getJson, Problem, runPath } from '../lib/api.js';
import { Chart } from '../lib/chart.js';
import { element, make, say, setText } from '../lib/dom.js';
import { Foot } from '../lib/figures.js';
import { count, figure } from '../lib/format.js';
import { sumOf } from '../lib/numbers.js';
import { painted } from '../lib/paint.js';
import { Refresh } from '../lib/refresh.js';

/**
 * @typedef {import('./state.js').Section} Section
 * @typedef {{layer: number, edges: number[], positive: number[], negative: number[], threshold: number | null}} Layer
 * @typedef {{run?: number, epoch: number | null, step: number, images: number, whole: boolean, layers: Layer[],
 *            epochs?: number[]}} Histograms
 */

const LINES = [
    { label: 'positive data', colour: '--positive', fill: '--positive-band', stepped: true },
    { label: 'negative data', colour: '--negative', fill: '--negative-band', dash: [6, 4], stepped: true },
];

const SEVERAL = 1000; /* ms between two looks for an epoch that is over */

/** How much the two have in common, 0 to 1: the area under both. @param {Layer} layer */
function overlapOf({ positive, negative }) {
    const [all, others] = [sumOf(positive), sumOf(negative)];
    if (!all || !others) return null;
    return positive.reduce((shared, each, i) => shared + Math.min(each / all, negative[i] / others), 0);
}

/** A count holds from its edge to the next: the last one is told twice. @param {number[]} counts */
const steps = (counts) => (counts.length ? [...counts, counts[counts.length - 1]] : []);

class Card {
    /** @type {Layer | null} */ #layer = null;

    /** @param {import('./state.js').Live} live @param {number} index */
    constructor(live, index) {
        this.live = live;
        this.index = index;
        this.overlap = make('span', { class: 'at' });
        this.host = make('div', {
            class: 'chart',
            tabindex: '0',
            role: 'group',
            'aria-roledescription': 'chart',
            'aria-label': `Distribution of the goodness of layer ${index} on positive and on negative data`,
        });
        this.foot = new Foot({
            what: `histograms of layer ${index}`,
            file: () => `run-${live.id}-histograms-layer-${index}`,
            figures: () => this.#figures(),
            picture: () => this.chart,
        });
        this.node = make(
            'article',
            { class: 'card', 'data-histogram': String(index) },
            make('div', { class: 'card-head' }, make('h3', {}, `Layer ${index}`), this.overlap),
            make('div', { class: 'chart-box' }, this.host),
            this.foot.node,
        );
        this.chart = new Chart(this.host, {
            title: `${live.run?.name}: distribution of goodness, layer ${index}`,
            lines: LINES,
            xText: (value) => String(Number(value.toPrecision(4))),
            yText: count,
            cursor: (at) => this.#describe(at),
        });
        this.draw = painted(this.#draw.bind(this));
    }

    /** @param {Layer} layer */
    #draw(layer) {
        const { edges, positive, negative, threshold } = layer;
        this.#layer = layer;
        this.chart.draw({
            x: edges,
            lines: [steps(positive), steps(negative)],
            levelX: threshold,
            base: 0,
            range: [
                Math.min(edges[0] ?? 0, threshold ?? Infinity),
                Math.max(edges.at(-1) ?? 1, threshold ?? -Infinity),
            ],
        });
        this.#describe(null);
        this.foot.changed();
    }

    /** @param {number | null} at index of a bin */
    #describe(at) {
        if (!this.#layer) return;
        const { edges, positive, negative } = this.#layer;
        if (at !== null && at < positive.length) {
            const bin = `${figure(edges[at])} to ${figure(edges[at + 1])}`;
            setText(this.overlap, `${bin}: ${count(positive[at])} positive, ${count(negative[at])} negative`);
            return;
        }
        const overlap = overlapOf(this.#layer);
        setText(this.overlap, overlap === null ? '' : `${(100 * overlap).toFixed(1)} % overlap`);
    }

    /** @returns {import('../lib/figures.js').Figures | null} */
    #figures() {
        if (!this.#layer) return null;
        const { edges, positive, negative } = this.#layer;
        return {
            caption: `Images by goodness in layer ${this.index}`,
            asTheyAre: true,
            columns: [
                { name: 'from', title: 'Goodness from', values: edges.slice(0, -1), text: figure },
                { name: 'to', title: 'to', values: edges.slice(1), text: figure },
                { name: 'positive', title: 'Positive', values: positive, text: count },
                { name: 'negative', title: 'Negative', values: negative, text: count },
            ],
        };
    }
}

/** @implements {Section} */
export class Distributions {
    /** @type {Card[]} */ #cards = [];
    /** @type {Histograms | null} the newest that are known */ #now = null;
    /** @type {Histograms | null} of the epoch that the slider is at */ #then = null;
    /** @type {number[]} epochs that have some */ #epochs = [];

    /** @param {import('./state.js').Live} live */
    constructor(live) {
        const node = element('histograms');
        this.live = live;
        this.slider = /** @type {HTMLInputElement} */ (element('histograms-epoch'));
        this.changed = live.painter.add(node, () => this.#paint());
        this.refresh = new Refresh({
            every: SEVERAL,
            seen: () => live.painter.isSeen(node) && live.id > 0,
            moving: () => false,
            ask: () => this.#ask(),
        });
        this.slider.addEventListener('input', () => this.#slide(Number(this.slider.value)));
        element('histograms-live').addEventListener('click', () => live.look({ epoch: null }));
        document.addEventListener('themechange', () => this.#cards.forEach(({ chart }) => chart.recolour()));
    }

    clear() {
        this.#now = this.#then = null;
        this.#epochs = [];
        this.#cards.forEach((card) => card.chart.destroy());
        this.#cards = [];
        element('histogram-cards').replaceChildren();
        this.refresh.stale();
        this.changed();
    }

    run() {
        if (!this.#now) this.refresh.stale();
        this.changed();
    }

    view() {
        this.refresh.stale();
        this.changed();
    }

    epochs() {
        this.refresh.stale();
    }

    /** @param {number} after */
    dropped(after) {
        if (this.#now && this.#now.step > after) this.#now = null;
        this.refresh.stale();
    }

    /** @param {Histograms} now */
    histograms(now) {
        this.#now = now;
        this.changed();
    }

    /** The newest, or those of the epoch asked for; and which epochs there are. @returns {Promise<boolean>} */
    async #ask() {
        const { id, view } = this.live;
        const { epoch } = view;
        try {
            const got = await getJson(`${runPath(id)}/histograms${epoch === null ? '' : `?epoch=${epoch}`}`);
            if (id !== this.live.id) return false;
            this.#epochs = got.epochs;
            if (epoch === null) this.#now = got.epoch === null ? null : got;
            else this.#then = got;
            say(element('histograms-error'), null);
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            if (problem.status !== 404) return false;
            say(element('histograms-error'), problem.message);
        }
        this.changed();
        return true;
    }

    /** @param {number} place of the slider: after the last epoch stands what is now */
    #slide(place) {
        this.live.look({ epoch: this.#epochs[place] ?? null });
    }

    #paint() {
        const { run, view } = this.live;
        this.refresh.look();
        if (!run) return;
        const shown = view.epoch === null ? this.#now : this.#then?.epoch === view.epoch ? this.#then : null;

        this.#paintSlider(shown);
        say(element('histograms-empty'), this.#now || shown ? null : 'They come with the first images.');
        for (const layer of shown?.layers ?? []) this.#card(layer.layer).draw(layer);
    }

    /** @param {Histograms | null} shown */
    #paintSlider(shown) {
        const { epoch } = this.live.view;
        const place = epoch === null ? this.#epochs.length : this.#epochs.indexOf(epoch);
        const which = shown ? `epoch ${count(shown.epoch)}${shown.whole ? '' : ', so far'}` : '–';

        element('histograms-time').hidden = this.#epochs.length === 0;
        this.slider.max = String(this.#epochs.length);
        if (place >= 0) this.slider.value = String(place);
        const text = epoch === null ? `now: ${which}` : which;
        setText(element('histograms-which'), text);
        this.slider.setAttribute('aria-valuetext', text);
        element('histograms-live').hidden = epoch === null;
        setText(element('histograms-images'), shown ? `${count(shown.images)} images counted` : '');
    }

    /** @param {number} index */
    #card(index) {
        while (this.#cards.length <= index) {
            const card = new Card(this.live, this.#cards.length);
            this.#cards.push(card);
            element('histogram-cards').append(card.node);
        }
        return this.#cards[index];
    }
}

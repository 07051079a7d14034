/* trial.js - try it: draw a digit, or take an image of the data set, and see what every layer makes of it under every
 * label, of the network as it is at that instant. */

import { getJson, postJson, Problem, runPath } from '../lib/api.js';
import { Picture } from '../lib/canvas.js';
import { Pad } from '../lib/digit.js';
import { element, say, setText } from '../lib/dom.js';
import { Foot } from '../lib/figures.js';
import { count, percent } from '../lib/format.js';
import { Refresh } from '../lib/refresh.js';
import { barsHeight, drawBars, figuresOf, hasLabels, layerColour } from './trial_bars.js';

/** @typedef {import('./state.js').Section} Section */
/** @typedef {import('./trial_bars.js').Answer} Answer */
/** @typedef {{label: number, channels: number, height: number, width: number, image: number[]}} Sample image: 0 to 1 */

const EVERY = 1000; /* ms between two questions while it trains */
const PRESETTLED = 'Draw a digit, or take a test image.';

/** @implements {Section} */
export class Trial {
    /** @type {Answer | null} */ #answer = null;
    #inked = false; /* something was drawn */
    /** @type {Sample | null} the image taken */ #sample = null;
    #known = ''; /* the data set whose images' size is known */

    /** @param {import('./state.js').Live} live */
    constructor(live) {
        const node = element('trial');
        this.live = live;
        this.index = /** @type {HTMLInputElement} */ (element('trial-index'));
        this.split = /** @type {HTMLSelectElement} */ (element('trial-split'));
        this.pad = new Pad(element('trial-pad'), () => this.#drawn());
        this.changed = live.painter.add(node, () => this.#paint());
        this.picture = new Picture(element('trial-bars'), {
            title: () => `${live.run?.name}: goodness by label and layer`,
            lines: () => (this.#answer?.goodness ?? []).map((_, i) => ({ label: `layer ${i}`, colour: layerColour(i), block: true })),
            height: () => (this.#answer ? barsHeight(this.#answer) : 0),
            draw: (context, width) => this.#answer && drawBars(context, width, this.#answer, this.#from()),
        });
        this.foot = new Foot({
            what: 'goodness by label',
            file: () => `run-${live.id}-prediction`,
            figures: () => this.#answer && figuresOf(this.#answer),
            picture: () => this.#answer && this.picture,
        });
        element('trial-answer').append(this.foot.node);
        this.refresh = new Refresh({
            every: EVERY,
            seen: () => live.painter.isSeen(node) && (this.#inked || !!live.view.sample),
            moving: () => live.run?.state === 'running',
            ask: () => this.#ask(),
        });
        this.#prepare();
    }

    #prepare() {
        element('trial-clear').addEventListener('click', () => this.#forget());
        element('trial-random').addEventListener('click', () => this.#another());
        const take = () => this.#take(this.split.value, Number(this.index.value));
        this.index.addEventListener('change', take);
        this.split.addEventListener('change', take);
    }

    clear() {
        this.#answer = this.#sample = null;
        this.#inked = false;
        this.pad.clear();
        say(element('trial-error'), null);
        this.refresh.stale();
        this.changed();
    }

    /** @param {import('../lib/api.js').Run | null} before */
    run(before) {
        const { run } = this.live;
        if (before?.state !== run?.state || before?.progress.step !== run?.progress.step) this.refresh.stale();
        this.changed();
    }

    view() {
        if (!this.live.view.sample && this.#sample) this.clear();
        this.refresh.stale();
        this.changed();
    }

    /** The layers from this one on count for the label. */
    #from() {
        const from = this.live.run?.config.predict_from;
        return typeof from === 'number' ? from : 0;
    }

    #drawn() {
        this.#inked = true;
        this.#sample = null;
        if (this.live.view.sample) this.live.look({ sample: null });
        this.refresh.stale();
    }

    #forget() {
        this.live.look({ sample: null });
        this.clear();
    }

    /** @param {string} split @param {number} index */
    #take(split, index) {
        this.#inked = false;
        this.live.look({ sample: { split, index } });
    }

    /** An image anywhere in the set: it may turn out that there are fewer. */
    #another() {
        const most = this.live.run?.config.test_limit || 1000;
        this.#take(this.split.value, Math.floor(Math.random() * most));
    }

    /** Read the image that the view names, for the pad. */
    async #readSample() {
        const { run, view } = this.live;
        if (!run || !view.sample) return;
        const { split, index } = view.sample;
        const sample = await getJson(`/api/v1/datasets/${encodeURIComponent(run.config.dataset)}/samples/${split}/${index}`);
        this.#sample = { ...sample, split, index };
        this.#shape(sample);
        if (sample.channels === 1 && sample.width === sample.height)
            this.pad.give(sample.image);
        else this.pad.clear();
    }

    /** How large images are; only square ones of one channel can be drawn. @param {Sample} sample */
    #shape({ channels, height, width }) {
        const square = channels === 1 && height === width;
        if (square) this.pad.size(width);
        element('trial-pad').hidden = !square;
        say(element('trial-shape'), square ? null : `Images of ${channels} × ${height} × ${width} cannot be drawn: take one.`);
    }

    /** Know the size of the data set's images before one is drawn. @param {string} dataset */
    async #learnShape(dataset) {
        if (this.#known === dataset) return;
        this.#known = dataset;
        this.#shape(await getJson(`/api/v1/datasets/${encodeURIComponent(dataset)}/samples/test/0`));
    }

    /** @returns {Promise<boolean>} */
    async #ask() {
        const { id, view, run } = this.live;
        if (!run) return false;
        const { sample } = view;
        try {
            const known = /** @type {any} */ (this.#sample);
            await this.#learnShape(run.config.dataset);
            if (sample && !(known?.split === sample.split && known.index === sample.index)) await this.#readSample();
            const body = sample ? { sample: sample.index, split: sample.split } : { image: this.pad.image };
            const answer = await postJson(`${runPath(id)}/predict`, body);
            if (id !== this.live.id || (!view.sample && !this.#inked)) return true;
            this.#answer = answer;
            say(element('trial-error'), null);
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            if (problem.status === 0 || problem.status === 503) return false;
            this.#answer = null;
            say(element('trial-error'), problem.sentences);
        }
        this.changed();
        return true;
    }

    #paint() {
        const { sample } = this.live.view;
        const answer = this.#answer;

        this.refresh.look();
        if (sample && document.activeElement !== this.index) this.index.value = String(sample.index);
        if (sample) this.split.value = sample.split;
        element('trial-answer').hidden = !answer;
        say(element('trial-empty'), answer || !element('trial-error').hidden ? null : PRESETTLED);
        if (!answer) return;
        this.picture.draw();
        this.foot.changed();
        this.#paintLegend(answer);
        const truth = answer.truth === undefined ? '' : answer.truth === answer.label ? ', rightly' : `; it is a ${answer.truth}`;
        setText(element('trial-label'), `It says ${answer.label}${truth}`);
        setText(
            element('trial-facts'),
            `${percent(answer.probabilities[answer.label], 1)} sure, at step ${count(answer.step)}`,
        );
    }

    /** @param {Answer} answer */
    #paintLegend(answer) {
        const from = this.#from();
        const legend = element('trial-legend');
        const layers = hasLabels(answer) ? answer.goodness : [];
        const text = layers.map((_, i) => `layer ${i}${i < from ? ' (does not count)' : ''}`);
        if (legend.dataset.text === text.join()) return;
        legend.dataset.text = text.join();
        legend.replaceChildren(
            ...text.map((each, i) => {
                const item = document.createElement('li');
                const block = document.createElement('span');
                block.className = i < from ? 'block hollow' : 'block';
                block.style.color = `var(${layerColour(i)})`;
                item.append(block, each);
                return item;
            }),
        );
    }
}

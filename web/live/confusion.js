/* confusion.js - does it work? What the newest evaluation took for what, and the mistakes it was surest of, as images. */

import { getJson, Problem, runPath } from '../lib/api.js';
import { Picture } from '../lib/canvas.js';
import { element, make, say, setText } from '../lib/dom.js';
import { Foot } from '../lib/figures.js';
import { count, percent } from '../lib/format.js';
import { samplePicture } from '../lib/images.js';
import { sumOf } from '../lib/numbers.js';
import { Refresh } from '../lib/refresh.js';
import { colour } from '../lib/theme.js';

/**
 * @typedef {import('./state.js').Section} Section
 * @typedef {{sample: number, split: string, truth: number, label: number, confidence: number | null}} Mistake
 * @typedef {{epoch: number | null, step: number, split: string, images: number, wrong: number, error: number | null,
 *            matrix: number[][], mistakes: Mistake[]}} Confusion
 */

const EDGE = 30; /* pixels for the labels */
const NUMBERS = 22; /* pixels of a cell that a number fits into */
const SHOWN = 36; /* mistakes */

/** @implements {Section} */
export class Confusions {
    /** @type {Confusion | null} */ #confusion = null;
    /** @type {Map<string, Promise<HTMLCanvasElement>>} images of mistakes, by data set, split and number */ #images = new Map();
    #mistakes = '';

    /** @param {import('./state.js').Live} live */
    constructor(live) {
        const node = element('confusion');
        this.live = live;
        this.changed = live.painter.add(node, () => this.#paint());
        this.picture = new Picture(element('confusion-matrix'), {
            title: () => `${live.run?.name}: true label (rows) and label given, epoch ${this.#confusion?.epoch}`,
            height: (width) => (this.#confusion?.matrix.length ? Math.min(width, 560) : 0),
            draw: (context, width, height) => this.#draw(context, width, height),
        });
        this.picture.canvas.addEventListener('mousemove', (event) => this.#point(event));
        this.picture.canvas.addEventListener('mouseleave', () => this.#describe());
        this.foot = new Foot({
            what: 'confusion matrix',
            file: () => `run-${live.id}-confusion`,
            figures: () => this.#figures(),
            picture: () => this.#confusion && this.picture,
        });
        node.append(this.foot.node);
        this.refresh = new Refresh({
            every: 1000,
            seen: () => live.painter.isSeen(node) && live.id > 0,
            moving: () => false,
            ask: () => this.#ask(),
        });
    }

    clear() {
        this.#confusion = null;
        this.refresh.stale();
        this.changed();
    }

    run() {
        if (!this.#confusion) this.changed();
    }

    epochs() {
        this.refresh.stale();
        this.changed();
    }

    dropped() {
        this.refresh.stale();
        this.changed();
    }

    /** @returns {Promise<boolean>} */
    async #ask() {
        const { id } = this.live;
        try {
            const confusion = await getJson(`${runPath(id)}/confusion`);
            if (id !== this.live.id) return false;
            this.#confusion = confusion.epoch === null ? null : confusion;
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            return problem.status === 404;
        }
        this.changed();
        return true;
    }

    #paint() {
        const confusion = this.#confusion;

        this.refresh.look();
        say(element('confusion-empty'), confusion ? null : 'It comes when an epoch has been evaluated.');
        element('confusion-matrix').hidden = element('confusion-axes').hidden = this.foot.node.hidden = !confusion;
        this.#describe();
        if (confusion) this.picture.draw();
        this.foot.changed();
        this.#paintMistakes(confusion?.mistakes.slice(0, SHOWN) ?? []);
    }

    #describe() {
        const confusion = this.#confusion;
        setText(
            element('confusion-at'),
            confusion
                ? `epoch ${confusion.epoch}: ${count(confusion.wrong)} of ${count(confusion.images)} wrong (${percent(confusion.error)})`
                : '',
        );
    }

    /** Side of a cell. @param {number} width @param {number} height */
    #cell(width, height) {
        const { length } = this.#confusion?.matrix ?? [];
        return Math.max(1, (Math.min(width, height) - EDGE) / Math.max(1, length));
    }

    /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
    #draw(context, width, height) {
        const { matrix } = this.#confusion ?? { matrix: [] };
        const cell = this.#cell(width, height);

        context.textAlign = 'center';
        context.textBaseline = 'middle';
        matrix.forEach((row, truth) => {
            const all = Math.max(1, sumOf(row));
            if (cell >= NUMBERS || truth % Math.ceil(NUMBERS / cell) === 0) {
                context.fillStyle = colour('--text-muted');
                context.fillText(String(truth), EDGE / 2, EDGE + (truth + 0.5) * cell);
                context.fillText(String(truth), EDGE + (truth + 0.5) * cell, EDGE / 2);
            }
            row.forEach((images, label) => {
                const [x, y] = [EDGE + label * cell, EDGE + truth * cell];
                drawCell(context, { x, y, cell, images, share: images / all, right: truth === label });
            });
        });
    }

    /** @param {MouseEvent} event */
    #point({ offsetX, offsetY }) {
        const { canvas } = this.picture;
        const cell = this.#cell(canvas.clientWidth, canvas.clientHeight);
        const truth = Math.floor((offsetY - EDGE) / cell);
        const label = Math.floor((offsetX - EDGE) / cell);
        const images = this.#confusion?.matrix[truth]?.[label];
        if (images === undefined) this.#describe();
        else setText(element('confusion-at'), `${count(images)} images of ${truth} were taken for ${label}`);
    }

    /** @returns {import('../lib/figures.js').Figures | null} */
    #figures() {
        const { matrix } = this.#confusion ?? {};
        if (!matrix) return null;
        return {
            caption: 'Images by true label (rows) and by the label they were given',
            asTheyAre: true,
            columns: [
                { name: 'true_label', title: 'True label', values: matrix.map((_, truth) => truth) },
                ...matrix.map((_, label) => ({
                    name: `label_${label}`,
                    title: String(label),
                    values: matrix.map((row) => row[label]),
                    text: count,
                })),
            ],
        };
    }

    /** @param {Mistake[]} mistakes */
    #paintMistakes(mistakes) {
        const { run } = this.live;
        const drawn = JSON.stringify([run?.config.dataset, mistakes]);
        const none = this.#confusion ? 'Not a single mistake in this evaluation.' : 'They come when an epoch has been evaluated.';

        say(element('mistakes-empty'), mistakes.length ? null : none);
        if (drawn === this.#mistakes || !run) return;
        this.#mistakes = drawn;
        element('mistakes-list').replaceChildren(...mistakes.map((each) => this.#mistake(run.config.dataset, each)));
    }

    /** @param {string} dataset @param {Mistake} mistake */
    #mistake(dataset, { sample, split, truth, label, confidence }) {
        const button = make(
            'button',
            { type: 'button', class: 'mistake' },
            make('span', { class: 'thumb' }),
            make('span', { class: 'mistake-text' }, `${truth} → ${label}`),
            make('span', { class: 'note' }, percent(confidence, 0)),
        );
        button.setAttribute(
            'aria-label',
            `${split} image ${sample}: a ${truth}, taken for a ${label}, ${percent(confidence, 0)} sure. Try it`,
        );
        button.addEventListener('click', () => {
            this.live.look({ sample: { split, index: sample } });
            element('trial').scrollIntoView({ block: 'nearest' });
        });
        this.#image(dataset, split, sample).then(
            (picture) => button.firstElementChild?.append(copyOf(picture)),
            () => {}, /* the figures stay: the image is only an ornament then */
        );
        return make('li', {}, button);
    }

    /** @param {string} dataset @param {string} split @param {number} sample */
    #image(dataset, split, sample) {
        const path = `/api/v1/datasets/${encodeURIComponent(dataset)}/samples/${split}/${sample}`;
        const known = this.#images.get(path);
        if (known) return known;
        const asked = getJson(path).then((got) => samplePicture(got.image, got));
        asked.catch(() => this.#images.delete(path));
        if (this.#images.size >= 500) this.#images.clear();
        this.#images.set(path, asked);
        return asked;
    }
}

/** @param {HTMLCanvasElement} picture */
function copyOf(picture) {
    const copy = document.createElement('canvas');
    copy.width = picture.width;
    copy.height = picture.height;
    /** @type {CanvasRenderingContext2D} */ (copy.getContext('2d')).drawImage(picture, 0, 0);
    return copy;
}

/** A cell is as strong as its share of the images of its row: what is right in one colour, what is wrong in another.
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number, cell: number, images: number, share: number, right: boolean}} what */
function drawCell(context, { x, y, cell, images, share, right }) {
    const strength = images ? 0.06 + 0.94 * (right ? share : Math.sqrt(share)) : 0;

    context.fillStyle = colour('--sunken');
    context.fillRect(x, y, cell - 1, cell - 1);
    context.globalAlpha = strength;
    context.fillStyle = colour(right ? '--train' : '--test');
    context.fillRect(x, y, cell - 1, cell - 1);
    context.globalAlpha = 1;
    if (!images || cell < NUMBERS) return;
    context.fillStyle = strength > 0.55 ? colour('--surface') : colour('--text');
    context.fillText(String(images), x + cell / 2, y + cell / 2, cell - 4);
}

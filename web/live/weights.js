/* weights.js - what did it learn? The incoming weights of units as small pictures, layer by layer: a diverging palette with
 * zero in the middle. */

import { getBytes, getJson, Problem, runPath } from '../lib/api.js';
import { Picture } from '../lib/canvas.js';
import { element, make, say, setText } from '../lib/dom.js';
import { Foot } from '../lib/figures.js';
import { count, figure } from '../lib/format.js';
import { divergingScale, pictureOf } from '../lib/images.js';
import { clamp, farthest, sumOf } from '../lib/numbers.js';
import { Refresh } from '../lib/refresh.js';
import { colour } from '../lib/theme.js';

/**
 * @typedef {import('./state.js').Section} Section
 * @typedef {{layer: number, unit: number, count: number, inputs: number, values: Float32Array, width: number,
 *            height: number}} Weights values: [count][inputs]; width and height of a unit's picture
 */

const EVERY = 3000; /* ms between two looks while it trains */
const PAGE = 40; /* units shown */
const MOST_FLOATS = 400000; /* asked for at once: wide layers show fewer units */
const GAP = 8;
const TEXT = 16;

/** How many units a layer has, or channels. @param {any} layer of the configuration */
const unitsOf = (layer) => (typeof layer === 'number' ? layer : (layer?.units ?? layer?.channels ?? 0));

/** A convolution's kernels, channel by channel, as squares side by side: near a square of them.
 * @param {Float32Array} values [channels][kernel][kernel] @param {number} kernel @param {number} width @param {number} height */
function sideBySide(values, kernel, width, height) {
    const arranged = new Float32Array(width * height);
    const columns = width / kernel;

    values.forEach((value, i) => {
        const [channel, y, x] = [Math.floor(i / (kernel * kernel)), Math.floor(i / kernel) % kernel, i % kernel];
        const row = Math.floor(channel / columns) * kernel + y;
        arranged[row * width + (channel % columns) * kernel + x] = value;
    });
    return arranged;
}

/** Width and height of the picture of `inputs` numbers: as the image, as a convolution's kernels, or near a square.
 * @param {number} inputs @param {any} layer @param {[number, number, number] | null} image channels, height, width */
export function shapeOf(inputs, layer, image) {
    const { kernel } = layer ?? {};
    if (kernel && inputs % (kernel * kernel) === 0) {
        const channels = inputs / (kernel * kernel);
        const columns = Math.ceil(Math.sqrt(channels));
        return [columns * kernel, Math.ceil(channels / columns) * kernel];
    }
    if (image && image[0] * image[1] * image[2] === inputs) return [image[2], image[0] * image[1]];
    const width = Math.ceil(Math.sqrt(inputs));
    return [width, Math.ceil(inputs / width)];
}

/** @implements {Section} */
export class WeightPictures {
    /** @type {Weights | null} */ #weights = null;
    /** @type {[number, number, number] | null} */ #image = null;
    #known = ''; /* the data set whose images' size is known */

    /** @param {import('./state.js').Live} live */
    constructor(live) {
        const node = element('weights');
        this.live = live;
        this.layer = /** @type {HTMLSelectElement} */ (element('weights-layer'));
        this.changed = live.painter.add(node, () => this.#paint());
        this.picture = new Picture(element('weights-pictures'), {
            title: () => `${live.run?.name}: incoming weights, layer ${this.#weights?.layer}, from unit ${this.#weights?.unit}`,
            height: (width) => (this.#weights ? this.#layout(width).height : 0),
            draw: (context, width) => this.#draw(context, width),
        });
        this.foot = new Foot({
            what: 'weights',
            file: () => `run-${live.id}-weights-layer-${this.#weights?.layer}`,
            figures: () => this.#figures(),
            table: () => this.#summary(),
            picture: () => this.#weights && this.picture,
        });
        node.append(this.foot.node);
        this.refresh = new Refresh({
            every: EVERY,
            seen: () => live.painter.isSeen(node) && !!live.run,
            moving: () => live.run?.state === 'running',
            ask: () => this.#ask(),
        });
        this.layer.addEventListener('change', () => live.look({ units: [Number(this.layer.value), 0] }));
        element('weights-before').addEventListener('click', () => this.#turn(-1));
        element('weights-after').addEventListener('click', () => this.#turn(1));
    }

    clear() {
        this.#weights = null;
        say(element('weights-error'), null);
        this.refresh.stale();
        this.changed();
    }

    /** @param {import('../lib/api.js').Run | null} before */
    run(before) {
        if (before?.state !== this.live.run?.state) this.refresh.stale();
        this.changed();
    }

    view() {
        this.refresh.stale();
        this.changed();
    }

    /** Layer, first unit and how many units it has, of what the view asks for; inside what there is. */
    #wanted() {
        const { run, view } = this.live;
        const layers = run?.config.layers ?? [];
        const layer = clamp(view.units[0], 0, layers.length - 1);
        const all = unitsOf(layers[layer]);
        return { layer, unit: clamp(view.units[1], 0, Math.max(0, all - 1)), all };
    }

    /** How many units are asked for at once. @param {number} layer */
    #page(layer) {
        const [own, below] = [layer, layer - 1].map((at) => this.live.run?.config.layers[at]);
        const inputs = own?.kernel ? own.kernel ** 2 * unitsOf(below ?? 1) : typeof below === 'number' ? below : 784;
        return clamp(Math.floor(MOST_FLOATS / inputs), 1, PAGE);
    }

    /** @param {-1 | 1} way */
    #turn(way) {
        const { layer, unit, all } = this.#wanted();
        const page = this.#page(layer);
        this.live.look({ units: [layer, clamp(unit + way * page, 0, Math.max(0, all - 1))] });
    }

    /** @returns {Promise<boolean>} */
    async #ask() {
        const { id, run } = this.live;
        const { layer, unit, all } = this.#wanted();
        const many = Math.min(this.#page(layer), all - unit);
        if (!run || many < 1) return true;
        try {
            await this.#learnShape(run.config.dataset);
            const { bytes, headers } = await getBytes(`${runPath(id)}/layers/${layer}/weights?unit=${unit}&count=${many}`);
            if (id !== this.live.id) return false;
            const [got, ...each] = (headers.get('X-Shape') ?? '0,0').split(',').map(Number);
            const inputs = each.reduce((product, size) => product * size, 1);
            const [width, height] = shapeOf(inputs, run.config.layers[layer], layer === 0 ? this.#image : null);
            this.#weights = { layer, unit, count: got, inputs, values: new Float32Array(bytes), width, height };
            say(element('weights-error'), null);
        } catch (problem) {
            if (!(problem instanceof Problem)) throw problem;
            if (problem.status === 0 || problem.status === 503) return false;
            this.#weights = null;
            say(element('weights-error'), problem.message);
        }
        this.changed();
        return true;
    }

    /** @param {string} dataset */
    async #learnShape(dataset) {
        if (this.#known === dataset) return;
        const { channels, height, width } = await getJson(`/api/v1/datasets/${encodeURIComponent(dataset)}/samples/train/0`);
        this.#image = [channels, height, width];
        this.#known = dataset;
    }

    #paint() {
        const { run } = this.live;
        const weights = this.#weights;

        this.refresh.look();
        if (!run) return;
        this.#paintTools();
        element('weights-pictures').hidden = element('weights-scale').hidden = this.foot.node.hidden = !weights;
        if (!weights) return;
        const most = figure(farthest(weights.values));
        setText(element('weights-low'), `−${most}`);
        setText(element('weights-high'), most);
        const { kernel } = run.config.layers[weights.layer] ?? {};
        const input = kernel
            ? `What a channel looks for, everywhere: a square of ${kernel} × ${kernel} for each channel below it.`
            : weights.layer === 0 ? 'Each picture shows what a unit looks for in the image; the label’s weights are not among them.' : `A pixel for each of the ${count(weights.inputs)} outputs of layer ${weights.layer - 1}, in their order.`;
        setText(element('weights-what'), input);
        this.picture.draw();
        this.foot.changed();
    }

    #paintTools() {
        const { layer, unit, all } = this.#wanted();
        const { layers } = this.live.run?.config ?? { layers: [] };
        const many = Math.min(this.#page(layer), all - unit);

        if (this.layer.options.length !== layers.length)
            this.layer.replaceChildren(
                ...layers.map((/** @type {any} */ _, /** @type {number} */ i) => make('option', { value: String(i) }, `Layer ${i}`)),
            );
        this.layer.value = String(layer);
        setText(element('weights-units'), `units ${count(unit)} to ${count(unit + many - 1)} of ${count(all)}`);
        /** @type {HTMLButtonElement} */ (element('weights-before')).disabled = unit === 0;
        /** @type {HTMLButtonElement} */ (element('weights-after')).disabled = unit + many >= all;
    }

    /** @param {number} width */
    #layout(width) {
        const weights = /** @type {Weights} */ (this.#weights);
        const least = width < 500 ? 44 : 72;
        const columns = clamp(Math.floor((width + GAP) / (least + GAP)), 2, 20);
        const side = Math.floor((width + GAP) / columns) - GAP;
        const high = Math.round((side * weights.height) / weights.width);
        const rows = Math.ceil(weights.count / columns);
        return { columns, side, high, height: rows * (high + TEXT + GAP) };
    }

    /** @param {CanvasRenderingContext2D} context @param {number} width */
    #draw(context, width) {
        const weights = this.#weights;
        if (!weights) return;
        const { columns, side, high } = this.#layout(width);
        const scale = divergingScale(farthest(weights.values));
        const { kernel } = this.live.run?.config.layers[weights.layer] ?? {};

        context.imageSmoothingEnabled = false;
        context.textAlign = 'center';
        for (let i = 0; i < weights.count; i++) {
            const own = weights.values.subarray(i * weights.inputs, (i + 1) * weights.inputs);
            const values = kernel ? sideBySide(own, kernel, weights.width, weights.height) : own;
            const x = (i % columns) * (side + GAP);
            const y = Math.floor(i / columns) * (high + TEXT + GAP);
            context.drawImage(pictureOf(values, weights.width, weights.height, scale), x, y, side, high);
            context.fillStyle = colour('--text-muted');
            context.fillText(String(weights.unit + i), x + side / 2, y + high + 12);
        }
    }

    /** For the table: a column a weight would be too many. @returns {import('../lib/figures.js').Figures | null} */
    #summary() {
        const weights = this.#weights;
        if (!weights) return null;
        const units = Array.from({ length: weights.count }, (_, i) => {
            const values = weights.values.subarray(i * weights.inputs, (i + 1) * weights.inputs);
            return { unit: weights.unit + i, low: Math.min(...values), high: Math.max(...values), mean: sumOf(values) / values.length };
        });
        return {
            caption: `Incoming weights of layer ${weights.layer}, in short; the CSV has all`,
            asTheyAre: true,
            columns: [
                { name: 'unit', title: 'Unit', values: units.map(({ unit }) => unit), text: count },
                { name: 'lowest', title: 'Lowest', values: units.map(({ low }) => low), text: figure },
                { name: 'mean', title: 'Mean', values: units.map(({ mean }) => mean), text: figure },
                { name: 'highest', title: 'Highest', values: units.map(({ high }) => high), text: figure },
            ],
        };
    }

    /** @returns {import('../lib/figures.js').Figures | null} */
    #figures() {
        const weights = this.#weights;
        if (!weights) return null;
        const of = (/** @type {number} */ i) => weights.values.subarray(i * weights.inputs, (i + 1) * weights.inputs);
        const units = Array.from({ length: weights.count }, (_, i) => i);
        return {
            caption: `Incoming weights of layer ${weights.layer}`,
            asTheyAre: true,
            columns: [
                { name: 'unit', title: 'Unit', values: units.map((i) => weights.unit + i), text: count },
                ...Array.from({ length: weights.inputs }, (_, input) => ({
                    name: `input_${input}`,
                    title: `Input ${input}`,
                    values: units.map((i) => of(i)[input]),
                    text: figure,
                })),
            ],
        };
    }
}

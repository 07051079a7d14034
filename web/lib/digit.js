/* digit.js - draw a digit, and make of it an image as MNIST's are made: the ink scaled, its shape kept, into a box of 20
 * of the 28 pixels, and the box placed so that the ink's centre of mass is the image's centre. */

import { clamp } from './numbers.js';

const FINE = 8; /* pixels of the pad for one of the image's */
const BOX = 20 / 28; /* share of the image's side that the ink may take */
const PEN = 2.1; /* width of the pen, in the image's pixels */

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box right and bottom: one beyond */

/** Where the ink is; null: nowhere. @param {ArrayLike<number>} ink @param {number} side @returns {Box | null} */
function boxOf(ink, side) {
    const box = { left: side, top: side, right: 0, bottom: 0 };
    for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) {
            if (!(ink[y * side + x] > 0)) continue;
            box.left = Math.min(box.left, x);
            box.right = Math.max(box.right, x + 1);
            box.top = Math.min(box.top, y);
            box.bottom = Math.max(box.bottom, y + 1);
        }
    return box.right > box.left ? box : null;
}

/** The mean of the ink over a rectangle, whose sides may lie within pixels. @param {ArrayLike<number>} ink
 * @param {number} side @param {number} left @param {number} top @param {number} right @param {number} bottom */
function meanOver(ink, side, left, top, right, bottom) {
    let sum = 0;
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(side, bottom); y++) {
        const high = Math.min(bottom, y + 1) - Math.max(top, y);
        for (let x = Math.max(0, Math.floor(left)); x < Math.min(side, right); x++)
            sum += ink[y * side + x] * high * (Math.min(right, x + 1) - Math.max(left, x));
    }
    return sum / ((right - left) * (bottom - top));
}

/** The centre of mass of the ink. @param {ArrayLike<number>} ink @param {number} side @param {Box} box */
function centreOf(ink, side, box) {
    let [mass, x0, y0] = [0, 0, 0];
    for (let y = box.top; y < box.bottom; y++)
        for (let x = box.left; x < box.right; x++) {
            const weight = ink[y * side + x];
            mass += weight;
            x0 += weight * (x + 0.5);
            y0 += weight * (y + 0.5);
        }
    return { x: x0 / mass, y: y0 / mass };
}

/**
 * @param {ArrayLike<number>} ink 0 to 1, [side][side]
 * @param {number} side
 * @param {number} wanted side of the image
 * @returns {number[] | null} 0 to 1, [wanted][wanted]; null: there is no ink
 */
function asImage(ink, side, wanted) {
    const box = boxOf(ink, side);
    if (!box) return null;
    const size = Math.max(box.right - box.left, box.bottom - box.top);
    const scale = size / (wanted * BOX); /* pixels of the ink for one of the image */
    const centre = centreOf(ink, side, box);
    const image = [];

    for (let y = 0; y < wanted; y++)
        for (let x = 0; x < wanted; x++) {
            const left = centre.x + (x - wanted / 2) * scale;
            const top = centre.y + (y - wanted / 2) * scale;
            const value = meanOver(ink, side, left, top, left + scale, top + scale);
            image.push(clamp(Math.round(value * 255) / 255, 0, 1));
        }
    return image;
}

/** A pad to draw on, with the mouse, a finger or the keys; it shows a given image too. */
export class Pad {
    /** @type {[number, number] | null} where the pen was last */ #pen = null;
    #down = false; /* the keys' pen is on the paper */
    /** @type {[number, number]} the keys' pen, in the image's pixels */ #at = [0, 0];
    side = 0;
    /** An image is shown, not what was drawn. */
    given = false;

    /**
     * @param {HTMLCanvasElement} canvas
     * @param {() => void} drawn something was drawn or rubbed out
     */
    constructor(canvas, drawn) {
        this.canvas = canvas;
        this.drawn = drawn;
        this.paper = document.createElement('canvas');
        this.size(28);
        canvas.addEventListener('pointerdown', (event) => this.#start(event));
        canvas.addEventListener('pointermove', (event) => this.#move(event));
        for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => (this.#pen = null));
        canvas.addEventListener('keydown', (event) => this.#key(event));
        for (const focus of ['focus', 'blur']) canvas.addEventListener(focus, () => this.#show());
    }

    /** Images are of this side. @param {number} side */
    size(side) {
        if (this.side === side) return;
        this.side = side;
        this.paper.width = this.paper.height = side * FINE;
        this.canvas.width = this.canvas.height = side * FINE;
        this.#at = [side / 2, side / 4];
        this.clear();
    }

    get context() {
        return /** @type {CanvasRenderingContext2D} */ (this.paper.getContext('2d', { willReadFrequently: true }));
    }

    clear() {
        this.context.clearRect(0, 0, this.paper.width, this.paper.height);
        this.given = false;
        this.#show();
    }

    /** Show an image instead. @param {number[]} pixels 0 to 1, [side][side] */
    give(pixels) {
        this.clear();
        this.given = true;
        const { side, context } = this;
        const ink = this.#ink();
        pixels.forEach((value, i) => {
            context.fillStyle = `rgb(${ink} / ${value})`;
            context.fillRect((i % side) * FINE, Math.floor(i / side) * FINE, FINE, FINE);
        });
        this.#show();
    }

    /** What was drawn as an image; null: nothing was. */
    get image() {
        const { width } = this.paper;
        const { data } = this.context.getImageData(0, 0, width, width);
        const ink = new Float32Array(width * width);
        for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i + 3] / 255;
        return asImage(ink, width, this.side);
    }

    /** The colour of ink, as three numbers: only how much of it there is counts. */
    #ink() {
        return getComputedStyle(this.canvas).color.match(/\d+/g)?.slice(0, 3).join(' ') ?? '0 0 0';
    }

    /** @param {number} x @param {number} y in the image's pixels */
    #draw(x, y) {
        const { context } = this;
        if (this.given) this.clear();
        context.strokeStyle = `rgb(${this.#ink()})`;
        context.lineWidth = PEN * FINE;
        context.lineCap = context.lineJoin = 'round';
        context.beginPath();
        context.moveTo(...(this.#pen ?? [x * FINE, y * FINE]));
        context.lineTo(x * FINE, y * FINE + 0.01);
        context.stroke();
        this.#pen = [x * FINE, y * FINE];
        this.#show();
        this.drawn();
    }

    #show() {
        const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
        context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        context.drawImage(this.paper, 0, 0);
        if (document.activeElement !== this.canvas || !this.canvas.matches(':focus-visible')) return;
        context.strokeStyle = getComputedStyle(this.canvas).outlineColor;
        context.lineWidth = this.#down ? 5 : 2;
        context.strokeRect((this.#at[0] - 1) * FINE, (this.#at[1] - 1) * FINE, 2 * FINE, 2 * FINE);
    }

    /** @param {PointerEvent} event */
    #place(event) {
        const box = this.canvas.getBoundingClientRect();
        const side = this.side;
        return /** @type {[number, number]} */ ([
            ((event.clientX - box.left) / box.width) * side,
            ((event.clientY - box.top) / box.height) * side,
        ]);
    }

    /** @param {PointerEvent} event */
    #start(event) {
        if (event.button !== 0) return;
        this.canvas.setPointerCapture(event.pointerId);
        this.#pen = null;
        this.#draw(...this.#place(event));
    }

    /** @param {PointerEvent} event */
    #move(event) {
        if (!this.#pen) return;
        for (const each of event.getCoalescedEvents()) this.#draw(...this.#place(each));
        if (!event.getCoalescedEvents().length) this.#draw(...this.#place(event));
    }

    /** Arrows move the pen, space puts it down and lifts it. @param {KeyboardEvent} event */
    #key(event) {
        const moves = /** @type {Record<string, [number, number]>} */ ({
            ArrowLeft: [-1, 0],
            ArrowRight: [1, 0],
            ArrowUp: [0, -1],
            ArrowDown: [0, 1],
        });
        const move = moves[event.key];
        const side = this.side;

        if (event.ctrlKey || event.metaKey || event.altKey || !(move || event.key === ' ')) return;
        event.preventDefault();
        if (event.key === ' ') this.#down = !this.#down;
        else this.#at = [clamp(this.#at[0] + move[0], 0, side), clamp(this.#at[1] + move[1], 0, side)];
        if (!this.#down) this.#pen = null;
        if (this.#down) this.#draw(...this.#at);
        else this.#show();
    }
}

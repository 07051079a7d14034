/* canvas.js - a picture drawn by hand in the pages' colours: as sharp as the screen, as wide as its host, in the theme of
 * now, and to be had as a file. */

import { FONT } from './scale.js';
import { colour } from './theme.js';

/** @typedef {import('./png.js').Sign} Sign */

/**
 * @typedef {object} Description
 * @property {() => string} title of its file
 * @property {Sign[] | (() => Sign[])} [lines] its legend
 * @property {(width: number) => number} height pixels, for a width in pixels
 * @property {(context: CanvasRenderingContext2D, width: number, height: number) => void} draw in pixels of the page
 */

export class Picture {
    #width = 0;

    /** @param {HTMLElement} host @param {Description} description */
    constructor(host, description) {
        this.description = description;
        this.host = host;
        this.canvas = document.createElement('canvas');
        this.canvas.className = 'picture-canvas';
        host.append(this.canvas);
        this.resized = new ResizeObserver(() => host.clientWidth !== this.#width && this.draw());
        this.resized.observe(host);
        this.recolour = () => this.draw();
        document.addEventListener('themechange', this.recolour);
    }

    /** Draw it anew. */
    draw() {
        const width = this.host.clientWidth;
        const height = Math.ceil(this.description.height(width));
        const scale = devicePixelRatio;
        const { canvas } = this;
        const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];

        this.#width = width;
        if (width <= 0) return;
        if (canvas.width !== wide || canvas.height !== high) {
            canvas.width = wide;
            canvas.height = high;
            canvas.style.height = `${height}px`;
        }
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.clearRect(0, 0, width, height);
        context.font = FONT;
        context.fillStyle = colour('--text');
        this.description.draw(context, width, height);
    }

    get picture() {
        const { title, lines = [] } = this.description;
        return { canvas: this.canvas, title: title(), lines: typeof lines === 'function' ? lines() : lines };
    }
}

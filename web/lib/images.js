/* images.js - arrays of numbers as small pictures. */

import { colour } from './theme.js';

/** @param {string} token @returns {[number, number, number]} */
function rgb(token) {
    const found = colour(token).match(/[\d.]+/g) ?? ['0', '0', '0'];
    return [Number(found[0]), Number(found[1]), Number(found[2])];
}

/**
 * A picture of an array, a pixel a number; drawn larger with sharp edges where it is put.
 * @param {ArrayLike<number>} values [height][width]
 * @param {number} width
 * @param {number} height
 * @param {(value: number) => [number, number, number]} colourOf 0 to 255 each
 */
export function pictureOf(values, width, height, colourOf) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const image = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
        const [r, g, b] = colourOf(values[i] ?? 0);
        image.data.set([r, g, b, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    return canvas;
}

/** @param {number[]} a @param {number[]} b @param {number} share of b */
const mixed = (a, b, share) =>
    /** @type {[number, number, number]} */ (a.map((each, i) => Math.round(each + (b[i] - each) * share)));

/** Ink on paper, 0 to 1. */
function inkScale() {
    const [paper, ink] = [rgb('--paper'), rgb('--text')];
    return (/** @type {number} */ value) => mixed(paper, ink, value);
}

/** From one colour over the page's own at zero to another; `most` away from zero is the full colour. @param {number} most */
export function divergingScale(most) {
    const [below, zero, above] = [rgb('--below'), rgb('--zero'), rgb('--above')];
    return (/** @type {number} */ value) =>
        mixed(zero, value < 0 ? below : above, most > 0 ? Math.min(1, Math.abs(value) / most) : 0);
}

/** An image of the data set: one channel as grey, three as colours. @param {number[]} image [channels][height][width], 0 to 1
 * @param {{channels: number, width: number, height: number}} shape */
export function samplePicture(image, { channels, width, height }) {
    if (channels !== 3) return pictureOf(image, width, height, inkScale());
    const size = width * height;
    const at = Array.from({ length: size }, (_, i) => i);
    return pictureOf(at, width, height, (i) => [255 * image[i], 255 * image[size + i], 255 * image[2 * size + i]]);
}

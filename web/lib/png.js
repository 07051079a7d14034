/* png.js - a chart as a picture, with its title and legend, to be kept as a file; and files altogether. */

import { FONT } from './scale.js';
import { colour } from './theme.js';

/** @typedef {{label: string, colour: string, dash?: number[], block?: boolean}} Sign of the legend; block: a square */
/** @typedef {{picture: {canvas: HTMLCanvasElement, title: string, lines: Sign[]}}} Drawn a chart, or whatever can show
 *           itself so */

const HEAD = 48; /* pixels above the chart */

/** @param {CanvasRenderingContext2D} context @param {Sign} sign @param {number} x */
function drawSign(context, sign, x) {
    context.strokeStyle = colour(sign.colour);
    context.lineWidth = sign.block ? 12 : 2;
    context.setLineDash(sign.block ? [] : (sign.dash ?? []));
    context.beginPath();
    context.moveTo(x, 36);
    context.lineTo(x + (sign.block ? 12 : 24), 36);
    context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {Sign[]} signs */
function drawLegend(context, signs) {
    let x = 12;
    context.font = FONT;
    for (const sign of signs) {
        const wide = sign.block ? 18 : 30;
        drawSign(context, sign, x);
        context.fillText(sign.label, x + wide, 40);
        x += wide + 16 + context.measureText(sign.label).width;
    }
}

/** @param {Drawn} drawn @returns {HTMLCanvasElement} */
function framed({ picture: { canvas: source, title, lines } }) {
    const canvas = document.createElement('canvas');
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));

    canvas.width = source.width;
    canvas.height = source.height + HEAD * devicePixelRatio;
    context.fillStyle = colour('--surface');
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(source, 0, HEAD * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    context.fillStyle = colour('--text');
    context.font = FONT.replace('12px', '600 14px');
    context.fillText(title, 12, 20, source.width / devicePixelRatio - 24);
    drawLegend(context, lines);
    return canvas;
}

/** @param {Blob} content @param {string} name */
function saveFile(content, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Hand the picture to the person as a file. @param {Drawn} drawn @param {string} name */
export async function savePng(drawn, name) {
    /** @type {Blob | null} */
    const blob = await new Promise((resolve) => framed(drawn).toBlob(resolve));
    if (blob) saveFile(blob, name);
}

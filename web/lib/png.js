/* png.js - a chart as a picture, with its title and legend, to be kept as a file. */

import { FONT } from './chart.js';
import { colour } from './theme.js';

/** @typedef {import('./chart.js').Chart} Chart */

const HEAD = 48; /* pixels above the chart */

/** @param {CanvasRenderingContext2D} context @param {Chart} chart */
function drawLegend(context, chart) {
    let x = 12;
    context.font = FONT;
    for (const line of chart.description.lines) {
        context.strokeStyle = colour(line.colour);
        context.lineWidth = 2;
        context.setLineDash(line.dash ?? []);
        context.beginPath();
        context.moveTo(x, 36);
        context.lineTo(x + 24, 36);
        context.stroke();
        context.fillText(line.label, x + 30, 40);
        x += 46 + context.measureText(line.label).width;
    }
}

/** @param {Chart} chart @returns {HTMLCanvasElement} */
function picture(chart) {
    const source = chart.plot.ctx.canvas;
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
    context.fillText(chart.description.title, 12, 20, source.width / devicePixelRatio - 24);
    drawLegend(context, chart);
    return canvas;
}

/** Hand the picture to the person as a file. @param {Chart} chart @param {string} name */
export async function savePng(chart, name) {
    /** @type {Blob | null} */
    const blob = await new Promise((resolve) => picture(chart).toBlob(resolve));
    if (!blob) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

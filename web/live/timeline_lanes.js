/* timeline_lanes.js - the lanes of the pipeline, drawn: a lane a stage, a row a layer, a bar a batch. */

import { percent } from '../lib/format.js';
import { decades } from '../lib/scale.js';
import { colour } from '../lib/theme.js';

/** @typedef {import('./timeline.js').Timeline} Timeline */
/** @typedef {import('./timeline.js').Lane} Lane */

export const LEFT = 128; /* pixels for the names */
const HEAD = 20;
const ROW = 16;
const GAP = 12;
const AXIS = 26;

/** @param {Lane} lane */
const laneHeight = ({ layers }) => HEAD + Math.max(1, layers.length) * ROW + GAP;

/** @param {Timeline} timeline */
export const lanesHeight = ({ lanes }) => lanes.reduce((sum, lane) => sum + laneHeight(lane), 0) + AXIS;

/** @param {CanvasRenderingContext2D} context @param {number} width @param {Timeline} timeline */
export function drawLanes(context, width, timeline) {
    const { lanes, from, to } = timeline;
    const scale = (width - LEFT) / Math.max(1e-9, to - from);
    const place = (/** @type {number} */ time) => LEFT + (Math.max(time, from) - from) * scale;
    let top = 0;

    for (const lane of lanes) {
        drawLane(context, width, top, lane);
        for (const span of timeline.spans) {
            const row = span.stage === lane.stage ? lane.layers.indexOf(span.layer) : -1;
            if (row < 0) continue;
            const [x, end] = [place(span.begin), place(span.end)];
            /* Batches are told apart: every other one is lighter, and where there is room a gap is left. */
            context.globalAlpha = span.step % 2 ? 1 : 0.6;
            context.fillStyle = colour(span.kind === 'train' ? '--train' : '--test');
            context.fillRect(x, top + HEAD + row * ROW + 1, Math.max(0.5, end - x - (end - x > 3 ? 1 : 0)), ROW - 3);
        }
        context.globalAlpha = 1;
        top += laneHeight(lane);
    }
    drawAxis(context, width, top, (to - from) / 1000);
}

/** @param {CanvasRenderingContext2D} context @param {number} width @param {number} top @param {Lane} lane */
function drawLane(context, width, top, { name, layers, busy }) {
    context.fillStyle = colour('--text');
    context.fillText(name, 0, top + 13, width - 110);
    context.fillStyle = colour('--text-muted');
    context.textAlign = 'right';
    context.fillText(`${percent(busy, 0)} busy`, width, top + 13);
    context.textAlign = 'left';
    layers.forEach((layer, row) => {
        const y = top + HEAD + row * ROW;
        context.fillStyle = colour('--text-muted');
        context.fillText(`layer ${layer}`, 12, y + 11);
        context.fillStyle = colour('--sunken');
        context.fillRect(LEFT, y, width - LEFT, ROW - 1);
    });
}

/** Seconds before now. @param {CanvasRenderingContext2D} context @param {number} width @param {number} top
 * @param {number} seconds */
function drawAxis(context, width, top, seconds) {
    const step = decades(-6, 6).find((each) => seconds / each <= (width - LEFT) / 70) ?? seconds;
    const text = (/** @type {number} */ value) =>
        value >= 1 ? `${Number(value.toFixed(3))} s` : `${Number((value * 1000).toFixed(3))} ms`;

    context.fillStyle = context.strokeStyle = colour('--text-muted');
    context.textAlign = 'right';
    for (let ago = 0; ago <= seconds; ago += step) {
        const x = Math.round(width - (ago / Math.max(1e-9, seconds)) * (width - LEFT)) - 0.5;
        context.beginPath();
        context.moveTo(x, top);
        context.lineTo(x, top + 5);
        context.stroke();
        if (x > LEFT + 34) context.fillText(ago ? `−${text(ago)}` : 'newest', x, top + 18);
    }
    context.textAlign = 'left';
}

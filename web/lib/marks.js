/* marks.js - what a chart shows besides its lines: bands between lines, a level, marks on x, and where a value is
 * missing. By hand on the chart's canvas, in the charts' colours. */

import { colour } from './theme.js';

/**
 * @typedef {import('./chart.js').Chart} Chart
 * @typedef {import('./chart.js').Values} Values
 */

/** Inside the plot only. @param {Chart} chart @param {(context: CanvasRenderingContext2D) => void} draw */
function clipped(chart, draw) {
    const { ctx, bbox } = chart.plot;

    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    draw(ctx);
    ctx.restore();
}

/** A closed outline around each stretch in which both lines are known: there on one, back on the other.
 * @param {Chart} chart @param {Values} upper @param {Values} lower */
function traceBand(chart, upper, lower) {
    const { plot, drawing } = chart;
    const { x } = drawing;
    const known = (/** @type {number} */ i) =>
        [upper[i], lower[i]].every(
            (value) => value !== null && value !== undefined && (!chart.description.log || value > 0),
        );
    const go = (/** @type {number} */ i, /** @type {Values} */ line) =>
        plot.ctx.lineTo(
            plot.valToPos(x[i], 'x', true),
            plot.valToPos(/** @type {number} */ (line[i]), 'y', true),
        );

    for (let from = 0, to = 0; from < x.length; from = to + 1) {
        for (to = from; to < x.length && known(to); to++) go(to, upper);
        for (let i = to - 1; i >= from; i--) go(i, lower);
        plot.ctx.closePath();
    }
}

/** Under the lines; by hand, since uPlot's own bands cost a clip each. @param {Chart} chart */
export function drawBands(chart) {
    clipped(chart, (context) =>
        (chart.drawing.bands ?? []).forEach(([upper, lower], i) => {
            context.fillStyle = colour(/** @type {string[]} */ (chart.description.bands)[i]);
            context.beginPath();
            traceBand(chart, upper, lower);
            context.fill();
        }),
    );
}

/** One value of y, or of x, as a thin line. @param {Chart} chart */
export function drawLevel(chart) {
    const { level, levelX } = chart.drawing;
    const { bbox } = chart.plot;

    clipped(chart, (context) => {
        context.setLineDash([]);
        context.strokeStyle = colour('--level');
        context.lineWidth = devicePixelRatio;
        context.beginPath();
        if (level !== null && level !== undefined) {
            const y = Math.round(chart.plot.valToPos(level, 'y', true)) + 0.5;
            context.moveTo(bbox.left, y);
            context.lineTo(bbox.left + bbox.width, y);
        }
        if (levelX !== null && levelX !== undefined) {
            const x = Math.round(chart.plot.valToPos(levelX, 'x', true)) + 0.5;
            context.moveTo(x, bbox.top);
            context.lineTo(x, bbox.top + bbox.height);
        }
        context.stroke();
    });
}

/** Places on x, as thin dashed lines. @param {Chart} chart */
export function drawMarks(chart) {
    const { marks = [] } = chart.drawing;
    const { bbox } = chart.plot;

    clipped(chart, (context) => {
        context.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
        context.strokeStyle = colour('--text-muted');
        context.lineWidth = devicePixelRatio;
        context.beginPath();
        for (const mark of marks) {
            const x = Math.round(chart.plot.valToPos(mark, 'x', true)) + 0.5;
            context.moveTo(x, bbox.top);
            context.lineTo(x, bbox.top + bbox.height);
        }
        context.stroke();
    });
}

/**
 * Where a line has no value: null, or nothing above zero on a logarithmic axis. Where it has no point (undefined: only
 * another line has one there) nothing is missing. A line that has no value at all is not missing them here and there:
 * it is not drawn.
 * @param {Values} values @param {boolean} log
 * @returns {{unknown: number[], low: number[]}} indexes
 */
export function missing(values, log) {
    /** @type {number[]} */
    const unknown = [];
    /** @type {number[]} */
    const low = [];
    let points = 0;
    values.forEach((value, i) => {
        if (value === undefined) return;
        points++;
        if (value === null) unknown.push(i);
        else if (log && value <= 0) low.push(i);
    });
    return unknown.length === points ? { unknown: [], low: [] } : { unknown, low };
}

/** At the foot of the chart, in the line's colour: a cross for a value that is not known, a triangle pointing down for
 * one that a logarithmic axis cannot show. @param {Chart} chart */
export function drawMissing(chart) {
    const { plot, description, drawing } = chart;
    const { bbox } = plot;
    const size = 3.5 * devicePixelRatio;

    clipped(chart, (context) =>
        description.lines.forEach((line, index) => {
            const y = bbox.top + bbox.height - size * (2 + 3 * index);
            const place = (/** @type {number} */ i) => plot.valToPos(drawing.x[i], 'x', true);
            const { unknown, low } = missing(drawing.lines[index], !!description.log);

            context.setLineDash([]);
            context.lineWidth = 1.5 * devicePixelRatio;
            context.strokeStyle = context.fillStyle = colour(line.colour);
            context.beginPath();
            for (const x of unknown.map(place)) {
                context.moveTo(x - size, y - size);
                context.lineTo(x + size, y + size);
                context.moveTo(x + size, y - size);
                context.lineTo(x - size, y + size);
            }
            context.stroke();
            context.beginPath();
            for (const x of low.map(place)) {
                context.moveTo(x - size, y - size);
                context.lineTo(x + size, y - size);
                context.lineTo(x, y + size);
                context.closePath();
            }
            context.fill();
        }),
    );
}

/** The points that stand alone: between two gaps a line would show nothing of them. @param {Values} values
 * @returns {number[]} indexes */
export function alone(values) {
    const known = (/** @type {number} */ i) => values[i] !== null && values[i] !== undefined;
    return values.flatMap((_, i) => (known(i) && !known(i - 1) && !known(i + 1) ? [i] : []));
}

/* chart.js - uPlot in our colours: lines, bands between lines, one level line; zoom, crosshair, keyboard.
 *
 * A chart only draws. Who owns it says what to draw and which range of x to show; a zoom asked for by dragging or
 * by key goes to the owner, so that all charts of a group zoom together. */

import uPlot from './uPlot.esm.js';
import { colour } from './theme.js';

/**
 * @typedef {(number | null)[]} Values one for every x
 * @typedef {{label: string, colour: string, dash?: number[], dots?: boolean}} Line colour: a token
 * @typedef {{x: number[], lines: Values[], bands?: [Values, Values][], level?: number | null, marks?: number[],
 *            range: [number, number]}} Drawing bands: from one line to another; level: one value, as a thin line;
 *            marks: places on x, as thin dashed lines
 * @typedef {object} Description
 * @property {string} title
 * @property {Line[]} lines
 * @property {string[]} [bands] their colours, as tokens
 * @property {string} [group] charts of one group share their crosshair
 * @property {boolean} [log]
 * @property {number[]} [steps] distances that x may be divided by
 * @property {(value: number) => string} xText
 * @property {(value: number) => string} [yText]
 * @property {(range: [number, number] | null) => void} [zoom] asked for; null: back to all
 * @property {(width: number) => void} [resized] the chart is so many pixels wide now
 * @property {(index: number | null) => void} [cursor] moved to this point; null: away
 */

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const SHORTEST_DRAG = 5; /* pixels; less is a click */

/** The lowest and the highest of what is in view; null where there is nothing. @param {Drawing} drawing
 * @param {boolean} log @returns {[number, number] | null} */
function extent({ x, lines, bands = [], level, range }, log) {
    let low = Infinity;
    let high = -Infinity;
    const take = (/** @type {number | null | undefined} */ value) => {
        if (value === null || value === undefined || (log && value <= 0)) return;
        low = Math.min(low, value);
        high = Math.max(high, value);
    };
    take(level);
    for (const values of [...lines, ...bands.flat()]) {
        for (let i = 0; i < x.length; i++) {
            if (x[i] >= range[0] && x[i] <= range[1]) take(values[i]);
        }
    }
    return low <= high ? [low, high] : null;
}

/** The range of y for what is in view, with a little air. @param {Drawing} drawing @param {boolean} log
 * @returns {[number, number]} */
function yRange(drawing, log) {
    const found = extent(drawing, log);
    if (!found) return log ? [0.1, 1] : [0, 1];
    const [low, high] = found;
    if (log) return low === high ? [low / 2, high * 2] : [low / 1.05, high * 1.05];
    const air = low === high ? Math.abs(low) / 2 || 0.5 : (high - low) * 0.05;
    return [low >= 0 ? Math.max(0, low - air) : low - air, high + air];
}

/** Round values on a logarithmic axis, at most seven where the range allows. @returns {number[]}
 * @param {any} _plot @param {number} _axis @param {number} low @param {number} high */
function logSplits(_plot, _axis, low, high) {
    const first = Math.floor(Math.log10(low));
    const last = Math.ceil(Math.log10(high));
    const within = (/** @type {number[]} */ digits, step = 1) =>
        Array.from({ length: Math.ceil((last - first + 1) / step) }, (_, i) => 10 ** (first + i * step))
            .flatMap((power) => digits.map((digit) => Number((digit * power).toPrecision(2))))
            .filter((value) => value >= low && value <= high);
    const choices = [
        within([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9]),
        within([1, 1.5, 2, 3, 5, 7]),
        within([1, 2, 5]),
        within([1]),
    ];
    return choices.find((values) => values.length <= 7) ?? within([1], Math.ceil((last - first) / 7));
}

const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
ruler.font = FONT;

/** Room for the widest of these texts; whole steps of width, so that a chart does not twitch as its figures change.
 * @param {any} _plot @param {string[] | null} texts */
function widest(_plot, texts) {
    const width = Math.max(16, ...(texts ?? []).map((text) => ruler.measureText(text).width));
    return 14 + 8 * Math.ceil(width / 8);
}

export class Chart {
    /** @type {Drawing} */ #drawing = { x: [], lines: [], range: [0, 1] };
    /** @type {number | null} */ #at = null;

    /**
     * @param {HTMLElement} host fills it, and follows its size
     * @param {Description} description
     */
    constructor(host, description) {
        this.host = host;
        this.description = description;
        this.plot = this.#make();
        this.resized = new ResizeObserver(() => this.#fit());
        this.resized.observe(host);
        this.keys = (/** @type {KeyboardEvent} */ event) => this.#key(event);
        this.leave = () => this.#moveTo(null);
        host.addEventListener('keydown', this.keys);
        host.addEventListener('blur', this.leave);
    }

    destroy() {
        this.resized.disconnect();
        this.host.removeEventListener('keydown', this.keys);
        this.host.removeEventListener('blur', this.leave);
        this.plot.destroy();
    }

    /** Show this; nothing else of the chart changes. @param {Drawing} drawing */
    draw(drawing) {
        const lines = this.description.log
            ? drawing.lines.map((line) => line.map((value) => (value !== null && value > 0 ? value : null)))
            : drawing.lines;
        const [min, max] = drawing.range;

        this.#drawing = drawing;
        this.plot.batch(() => {
            this.plot.setData(/** @type {any} */ ([drawing.x, ...lines]), false);
            this.plot.setScale('x', { min, max: max > min ? max : min + 1 });
        });
    }

    #make() {
        const { description } = this;
        const plot = new uPlot(
            {
                ...this.#size(),
                padding: [6, 8, 0, 0],
                scales: {
                    x: { time: false, auto: false },
                    y: {
                        distr: description.log ? 3 : 1,
                        range: () => yRange(this.#drawing, !!description.log),
                    },
                },
                axes: [this.#xAxis(), this.#yAxis()],
                series: [{}, ...description.lines.map((line) => this.#series(line))],
                legend: { show: false },
                cursor: this.#cursor(),
                hooks: {
                    drawAxes: [() => this.#drawBands()],
                    draw: [() => this.#drawLevel(), () => this.#drawMarks()],
                    setSelect: [() => this.#selected()],
                    setCursor: [() => this.#moved()],
                },
            },
            /** @type {any} */ ([[], ...description.lines.map(() => [])]),
            this.host,
        );
        plot.over.addEventListener('mouseleave', () => description.cursor?.(null));
        return plot;
    }

    /** @param {Line} line */
    #series(line) {
        return {
            label: line.label,
            width: 2,
            pxAlign: 0,
            dash: line.dash,
            stroke: () => colour(line.colour),
            points: line.dots ? { size: 6, fill: () => colour(line.colour) } : { show: false },
        };
    }

    #xAxis() {
        return {
            font: FONT,
            size: 32,
            gap: 6,
            space: 52,
            incrs: this.description.steps,
            stroke: () => colour('--text-muted'),
            grid: { show: false },
            ticks: { stroke: () => colour('--line-strong'), width: 1, size: 5 },
            border: { show: true, stroke: () => colour('--line-strong'), width: 1 },
            values: (/** @type {any} */ _, /** @type {number[]} */ values) => values.map(this.description.xText),
        };
    }

    #yAxis() {
        const text = this.description.yText ?? ((value) => String(Number(value.toPrecision(5))));
        return {
            font: FONT,
            size: widest,
            gap: 6,
            space: 36,
            stroke: () => colour('--text-muted'),
            grid: { stroke: () => colour('--grid'), width: 1 },
            ticks: { show: false },
            ...(this.description.log
                ? { splits: logSplits, filter: (/** @type {any} */ _, /** @type {any} */ at) => at }
                : {}),
            values: (/** @type {any} */ _, /** @type {(number | null)[]} */ values) =>
                values.map((value) => (value === null ? '' : text(value))),
        };
    }

    #cursor() {
        const { group, lines } = this.description;
        const seen = (/** @type {any} */ plot, /** @type {number} */ index) => {
            const line = lines[index - 1];
            if (!line) return false;
            const dot = document.createElement('div');
            dot.style.width = dot.style.height = '9px';
            dot.style.marginLeft = dot.style.marginTop = '-4.5px';
            dot.style.background = `var(${line.colour})`;
            dot.style.border = '2px solid var(--surface)';
            dot.style.backgroundClip = 'border-box';
            return dot;
        };
        const moves = (/** @type {string} */ type) => type === 'mousemove' || type === 'mouseleave';
        return /** @type {any} */ ({
            y: false,
            points: { show: seen },
            drag: { x: true, y: false, setScale: false },
            bind: { dblclick: () => () => this.description.zoom?.(null) },
            ...(group ? { sync: { key: group, scales: ['x', null], filters: { pub: moves, sub: moves } } } : {}),
        });
    }

    /** Under the lines. By hand, since uPlot's own bands cost a clip each. */
    #drawBands() {
        const { ctx, bbox } = this.plot;

        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        (this.#drawing.bands ?? []).forEach(([upper, lower], i) => {
            ctx.fillStyle = colour(/** @type {string[]} */ (this.description.bands)[i]);
            ctx.beginPath();
            this.#traceBand(upper, lower);
            ctx.fill();
        });
        ctx.restore();
    }

    /** A closed outline around each stretch in which both lines are known: there on one, back on the other.
     * @param {Values} upper @param {Values} lower */
    #traceBand(upper, lower) {
        const { plot } = this;
        const { x } = this.#drawing;
        const known = (/** @type {number} */ i) =>
            [upper[i], lower[i]].every(
                (value) => value !== null && value !== undefined && (!this.description.log || value > 0),
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

    #drawLevel() {
        const { level } = this.#drawing;
        const { ctx, bbox } = this.plot;

        if (level === null || level === undefined) return;
        const y = Math.round(this.plot.valToPos(level, 'y', true)) + 0.5;
        if (!(y >= bbox.top && y <= bbox.top + bbox.height)) return;
        ctx.save();
        ctx.setLineDash([]);
        ctx.strokeStyle = colour('--level');
        ctx.lineWidth = devicePixelRatio;
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        ctx.restore();
    }

    #drawMarks() {
        const { marks = [] } = this.#drawing;
        const { ctx, bbox } = this.plot;

        ctx.save();
        ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
        ctx.strokeStyle = colour('--text-muted');
        ctx.lineWidth = devicePixelRatio;
        for (const mark of marks) {
            const x = Math.round(this.plot.valToPos(mark, 'x', true)) + 0.5;
            if (!(x >= bbox.left && x <= bbox.left + bbox.width)) continue;
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
        }
        ctx.restore();
    }

    #selected() {
        const { left, width } = this.plot.select;
        if (width === 0) return;
        this.plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        if (width >= SHORTEST_DRAG)
            this.description.zoom?.([this.plot.posToVal(left, 'x'), this.plot.posToVal(left + width, 'x')]);
    }

    #moved() {
        const { idx, left } = this.plot.cursor;
        const at = left !== undefined && left >= 0 ? (idx ?? null) : null;
        if (at !== this.#at) {
            this.#at = at;
            this.description.cursor?.(at);
        }
    }

    /** Put the crosshair on a point, here and in the group. @param {number | null} index */
    #moveTo(index) {
        const at = index === null ? null : this.#drawing.x[index];
        const left = at === null || at === undefined ? -10 : this.plot.valToPos(at, 'x');
        const top = at === null ? -10 : this.plot.over.clientHeight / 2;
        /** @type {any} */ (this.plot).setCursor({ left, top }, true, true);
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const { x, range } = this.#drawing;
        if (!x.length || event.ctrlKey || event.metaKey || event.altKey) return;
        const newest = x.length - 1;
        const at = Math.min(this.#at ?? newest, newest);
        const far = event.shiftKey ? 10 : 1;
        const middle = this.#at === null ? (range[0] + range[1]) / 2 : x[at];
        const zoomed = (/** @type {number} */ factor) => {
            const half = ((range[1] - range[0]) * factor) / 2;
            this.description.zoom?.([Math.max(0, middle - half), middle + half]);
        };
        /** @type {Record<string, () => void>} */
        const actions = {
            ArrowLeft: () => this.#moveTo(Math.max(0, at - far)),
            ArrowRight: () => this.#moveTo(Math.min(newest, at + far)),
            Home: () => this.#moveTo(0),
            End: () => this.#moveTo(newest),
            '+': () => zoomed(0.5),
            '-': () => zoomed(2),
            0: () => this.description.zoom?.(null),
            Escape: () => (this.#moveTo(null), this.description.zoom?.(null)),
        };
        if (event.key in actions) {
            actions[event.key]();
            event.preventDefault();
        }
    }

    #size() {
        return { width: Math.max(this.host.clientWidth, 120), height: Math.max(this.host.clientHeight, 120) };
    }

    #fit() {
        const size = this.#size();
        this.description.resized?.(size.width);
        if (size.width !== this.plot.width || size.height !== this.plot.height) this.plot.setSize(size);
    }

    /** Draw again as it is, in the colours of now. */
    recolour() {
        this.plot.redraw(false);
    }
}
